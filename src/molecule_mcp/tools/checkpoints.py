"""Checkpoints of workflows, from which agents resume.

Contract: save_checkpoint (overwrites a step without a word), get_latest_checkpoint, list_checkpoints (404 for none),
delete_checkpoints. No route lists workflows. One with a slash can be written but never read, and one called latest
never listed: both are refused.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, lines, quoted
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError, TenantError, TenantRefused, TenantUnreadable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Cursor, Limit, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.settled import named_gone
from molecule_mcp.tools.tables import paged
from molecule_mcp.tools.texts import addressable, cut_data, storable, written
from molecule_mcp.tools.workspaces import Row, counted

family = Family("checkpoints")

STEPS = "GET /workspaces/{id}/checkpoints/{wfid}"
WORKSPACE = "GET /workspaces/{id}"
IN_LIST, ALONE = 300, 20_000
"""Characters of a payload that are shown."""
INT32 = 2**31

Workflow = Annotated[
    str,
    AfterValidator(addressable("/workspaces/{id}/checkpoints/{wfid}", "wfid")),
    Field(max_length=255, description="Workflow id; no slash, not `latest`."),
]
Step = Annotated[str, Field(min_length=1, max_length=255, description="Name of the step.")]


class Checkpoint(Answer):
    """The state after one step; cut: payload is the beginning of its JSON text."""

    id: str
    workflow_id: Text
    step_name: Text
    step_index: int
    payload: Any = None
    cut: bool | None = None
    completed_at: str


class Checkpoints(Answer):
    """Steps, highest index first."""

    total: int
    checkpoints: list[Checkpoint]
    next_cursor: str | None = None


class Saved(Answer):
    """A step as read back, and the state that it had before."""

    id: str
    completed_at: str
    overwritten: bool
    former_index: int | None = None
    former: Annotated[Any, Field(description="The payload before.")] = None


class CheckpointsGone(Answer):
    """How many steps were deleted, and whether the workflow has none left."""

    workflow_id: str
    deleted: int
    gone: bool


class Deleted(Answer):
    """The tenant's count."""

    deleted: int


async def steps_of(tenant: Tenant, workspace_id: str, workflow_id: str) -> list[Checkpoint]:
    """The steps of a workflow; none when the tenant has none."""
    try:
        return await tenant.read(
            "/workspaces/{id}/checkpoints/{wfid}", list[Checkpoint], id=workspace_id, wfid=workflow_id
        )
    except TenantRefused as error:
        if error.status == 404:
            return []
        raise


async def steps_after(tenant: Tenant, workspace_id: str, workflow_id: str) -> list[Checkpoint]:
    """The steps after a change that the tenant accepted.

    Raises: TenantUnreadable with `sent` true when they cannot be read.
    """
    try:
        return await steps_of(tenant, workspace_id, workflow_id)
    except TenantError as error:
        raise TenantUnreadable(f"The tenant accepted it; reading back failed: {error.message}", sent=True) from error


def told(row: Checkpoint, limit: int) -> Checkpoint:
    """A checkpoint whose payload is no longer than that many characters."""
    payload, short = cut_data(row.payload, limit)
    return row.model_copy(update={"payload": payload, "cut": short})


@family.tool(
    Risk.READ, sends=["GET /workspaces/{id}/checkpoints/latest", WORKSPACE], title="Read the latest checkpoint"
)
async def get_latest_checkpoint(tenant: Tenant, workspace_id: WorkspaceId) -> Checkpoints:
    """Read the newest checkpoint of all workflows of a workspace, or none."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers alike for ids it never issued
    try:
        row = await tenant.read("/workspaces/{id}/checkpoints/latest", Checkpoint, id=workspace_id)
    except TenantRefused as error:
        if error.status == 404:
            return Checkpoints(total=0, checkpoints=[])
        raise
    return Checkpoints(total=1, checkpoints=[told(row, ALONE)])


@family.tool(Risk.READ, sends=[STEPS, WORKSPACE], title="List a workflow's checkpoints")
async def list_checkpoints(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    workflow_id: Workflow,
    step_name: Annotated[str, Field(max_length=255, description="Only this step, with its whole payload.")] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Checkpoints:
    """List the saved steps of one workflow, highest index first; the tenant lists no workflow ids."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers alike for ids it never issued
    rows = [row for row in await steps_of(tenant, workspace_id, workflow_id) if step_name in ("", row.step_name)]
    length = ALONE if step_name else IN_LIST
    page = paged(rows, limit, cursor, lambda row: told(row, length))
    return Checkpoints(total=len(rows), checkpoints=page.rows, next_cursor=page.next_cursor)


async def what_is_saved(
    tenant: Tenant, workspace_id: str, workflow_id: str, step_name: str, step_index: int = 0, payload: Any = None
) -> Preview:
    """What a checkpoint says, and what it replaces."""
    storable(workflow_id=workflow_id, step_name=step_name, payload=payload)
    workspace = await one(tenant, workspace_id)
    rows = await steps_of(tenant, workspace_id, workflow_id)
    former = next((row for row in rows if row.step_name == step_name), None)
    replaced = (Fact("Replaces", lines(f"index {former.step_index}: {written(former.payload)}")),) if former else ()
    given = {"workflow_id": workflow_id, "step_name": step_name, "step_index": step_index, "payload": payload}
    return Preview(
        headline=Own("Save 1 checkpoint" + (" over the one that is there" if former else "")),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Workflow and step", Own(f"{quoted(workflow_id, 255)}, {quoted(step_name, 255)}, index {step_index}")),
            Fact("Payload", lines(written(payload))),
            *replaced,
            Fact("Effect", Own("the agent resumes from it; the tenant keeps no former state")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, **given},
                {"name": workspace.name, "former": former and [former.id, former.completed_at]},
            ),
        ),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/checkpoints", STEPS, WORKSPACE],
    title="Save a checkpoint",
    preview=what_is_saved,
)
async def save_checkpoint(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    workflow_id: Workflow,
    step_name: Step,
    step_index: Annotated[int, Field(ge=-INT32, lt=INT32, description="Its place in the workflow.")] = 0,
    payload: Annotated[Any, Field(description="Any JSON value.")] = None,
) -> Saved:
    """Save the state after one step of a workflow; the answer holds what it replaced."""
    rows = await steps_of(tenant, workspace_id, workflow_id)
    former = next((row for row in rows if row.step_name == step_name), None)
    body = {"workflow_id": workflow_id, "step_name": step_name, "step_index": step_index, "payload": payload}
    await tenant.send("POST", "/workspaces/{id}/checkpoints", dict[str, Any], id=workspace_id, body=body)
    after = await steps_after(tenant, workspace_id, workflow_id)
    own = next((row for row in after if row.step_name == step_name), None)
    if own is None:
        raise TenantUnreadable("The tenant accepted it, but does not list the step.", sent=True)
    return Saved(
        id=own.id,
        completed_at=own.completed_at,
        overwritten=former is not None,
        former_index=former.step_index if former else None,
        former=clean_data(former.payload) if former else None,
    )


async def what_is_dropped(tenant: Tenant, workspace_id: str, workflow_id: str) -> Preview:
    """Every step that a delete takes."""
    workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    rows = await steps_of(tenant, workspace_id, workflow_id)
    if not rows:
        raise ArgumentError("workflow_id is of no workflow with checkpoints in this workspace")
    return Preview(
        headline=Own(f"Delete {counted(len(rows), 'checkpoint')} of 1 workflow"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Workflow", quoted(workflow_id, 255)),
            Fact("Steps", tuple(Own(f"{row.step_index} {quoted(row.step_name)}, {row.completed_at}") for row in rows)),
            Fact("Cannot be undone", Own("the workflow can no longer resume from them")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "workflow_id": workflow_id},
                {"name": workspace.name, "steps": sorted(row.id for row in rows)},
            ),
        ),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool | None:
    """Whether all steps of a workflow are gone; one that is saved anew is none of those."""
    steps = await steps_of(tenant, past.parameters["id"], past.parameters["wfid"])
    return named_gone(min((step.completed_at for step in steps), default=None), past.at)


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/checkpoints/{wfid}", STEPS, WORKSPACE],
    title="Delete checkpoints",
    preview=what_is_dropped,
    settle=is_deleted,
)
async def delete_checkpoints(tenant: Tenant, workspace_id: WorkspaceId, workflow_id: Workflow) -> CheckpointsGone:
    """Delete every saved step of one workflow; a single step cannot be deleted."""
    counts = await tenant.send(
        "DELETE", "/workspaces/{id}/checkpoints/{wfid}", Deleted, id=workspace_id, wfid=workflow_id
    )
    left = await steps_after(tenant, workspace_id, workflow_id)
    return CheckpointsGone(workflow_id=workflow_id, deleted=counts.deleted, gone=not left)
