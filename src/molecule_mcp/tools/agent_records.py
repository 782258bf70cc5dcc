"""Which model occupies a workspace, as a note of the tenant's.

Contract: assign_agent, replace_agent, remove_agent, move_agent. Nothing runs by this note, and no route shows it: what
is told here is what the tenant answered.
"""

from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, quoted
from molecule_mcp.errors import ArgumentError, TenantUnreadable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.texts import storable
from molecule_mcp.tools.workspaces import Row

family = Family("teams")

WORKSPACE = "GET /workspaces/{id}"
UNSEEN = Own("no route shows it; the answer names it afterwards")
NOTE_ONLY = Own("a note only: no agent and no model that runs is touched")

Noted = Annotated[str, Field(min_length=1, max_length=200, description="Its name, unchecked.")]


class Record(Answer):
    """The note, as the tenant answered; no route reads it back."""

    agent_id: str
    model: Text


class Replaced(Record):
    """The new note, and the model of the former one."""

    old_model: Text


class Removed(Answer):
    """The note that was removed, as the tenant answered."""

    agent_id: str
    status: str


class Moved(Record):
    """What we read of the answer to a move."""

    to_workspace: str


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/agent", WORKSPACE], title="Note a model", idempotent=False)
async def assign_agent(tenant: Tenant, workspace_id: WorkspaceId, model: Noted) -> Record:
    """Note which model occupies a workspace; nothing runs by it (set_model changes that), and no route shows it."""
    storable(model=model)
    await one(tenant, workspace_id)
    return await tenant.send("POST", "/workspaces/{id}/agent", Record, id=workspace_id, body={"model": model})


async def what_is_replaced(tenant: Tenant, workspace_id: str, model: str) -> Preview:
    """Whose note is replaced, by what."""
    storable(model=model)
    row = await one(tenant, workspace_id)
    return Preview(
        headline=Own("Replace the noted model of 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("New", quoted(model, 200)),
            Fact("Former", UNSEEN),
            Fact("Effect", NOTE_ONLY),
        ),
        items=(Item({"workspace_id": workspace_id, "model": model}, {"name": row.name}),),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["PATCH /workspaces/{id}/agent", WORKSPACE],
    title="Replace a noted model",
    preview=what_is_replaced,
    idempotent=False,
)
async def replace_agent(tenant: Tenant, workspace_id: WorkspaceId, model: Noted) -> Replaced:
    """Replace the model noted for a workspace; the answer names the former one."""
    return await tenant.send("PATCH", "/workspaces/{id}/agent", Replaced, id=workspace_id, body={"model": model})


async def what_is_removed(tenant: Tenant, workspace_id: str) -> Preview:
    """Whose note is removed; that of a removed workspace can be, too."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    return Preview(
        headline=Own("Remove the noted model of 1 workspace"),
        facts=(Fact("Workspace", shown(row)), Fact("The note", UNSEEN), Fact("Effect", NOTE_ONLY)),
        items=(Item({"workspace_id": workspace_id}, {"name": row.name}),),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/agent", WORKSPACE],
    title="Remove a noted model",
    preview=what_is_removed,
    idempotent=False,
)
async def remove_agent(tenant: Tenant, workspace_id: WorkspaceId) -> Removed:
    """Remove the model that is noted for a workspace; its agent keeps running."""
    return await tenant.send("DELETE", "/workspaces/{id}/agent", Removed, id=workspace_id)


async def what_moves(tenant: Tenant, workspace_id: str, target_workspace_id: str) -> Preview:
    """Between which workspaces a note moves."""
    if workspace_id == target_workspace_id:
        raise ArgumentError("target_workspace_id is the workspace itself")
    source = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    target = await one(tenant, target_workspace_id)  # the tenant would move it to a removed one
    return Preview(
        headline=Own("Move the noted model of 1 workspace to another"),
        facts=(
            Fact("From", shown(source)),
            Fact("To", shown(target)),
            Fact("The note", UNSEEN),
            Fact("Effect", NOTE_ONLY),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "target_workspace_id": target_workspace_id},
                {"from": source.name, "to": target.name},
            ),
        ),
        target=(source.name, source.id),
        touches=frozenset({source.id, target.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/agent/move", WORKSPACE],
    title="Move a noted model",
    preview=what_moves,
    idempotent=False,
)
async def move_agent(tenant: Tenant, workspace_id: WorkspaceId, target_workspace_id: WorkspaceId) -> Record:
    """Move the model noted for a workspace to one that has none; nothing moves at run time."""
    body = {"target_workspace_id": target_workspace_id}
    moved = await tenant.send("POST", "/workspaces/{id}/agent/move", Moved, id=workspace_id, body=body)
    if moved.to_workspace != target_workspace_id:
        raise TenantUnreadable("The tenant says it moved the note to another workspace.", sent=True)
    return Record(agent_id=moved.agent_id, model=moved.model)
