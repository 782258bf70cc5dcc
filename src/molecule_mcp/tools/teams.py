"""Hibernation, and teams made and dissolved in one request.

Contract: hibernate_workspace (answers "hibernated" and changes nothing), expand_team (another full set at every call),
collapse_team (direct children only, with no confirmation; it answers unknown ids with success).
"""

from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, quoted
from molecule_mcp.errors import GateStop, TenantUnreadable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tree import below, orphans
from molecule_mcp.tools.workspaces import MOST, Row, everything, line

family = Family("teams")

WORKSPACE, LIST = "GET /workspaces/{id}", "GET /workspaces"
AWAKE = "The tenant answered hibernated and changed nothing: the agent still runs. pause_workspace stops it."


class Word(Answer):
    """What the tenant says of what it did; never taken at its word."""

    status: str


class Hibernation(Answer):
    """A workspace after the request, as read back."""

    id: str
    status: str
    hibernated: bool
    note: str | None = None


class Member(Answer):
    """One workspace of a team."""

    id: str
    name: Text


class Child(Member):
    """One new member."""

    status: Annotated[str, Field(description="As read back.")] = ""


class Born(Answer):
    """What we read of the answer to an expand."""

    children: list[Child]


class Expanded(Answer):
    """The team that was made."""

    id: str
    children: list[Child]
    note: str | None = None


class Gone(Answer):
    """What we read of the answer to a collapse."""

    removed: list[Text]


class Collapsed(Answer):
    """The children that are removed, as read back."""

    id: str
    removed: list[Member]
    orphans: Annotated[list[str], Field(description="Ids of what is alive below a removed parent.")]
    note: str


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/hibernate", WORKSPACE], title="Hibernate a workspace")
async def hibernate_workspace(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    force: Annotated[bool, Field(description="Also while it works; that work is then lost.")] = False,
) -> Hibernation:
    """Ask the tenant to suspend a workspace until its next message; the answer says whether it did."""
    query = {"force": "true"} if force else None
    await tenant.send("POST", "/workspaces/{id}/hibernate", Word, id=workspace_id, query=query)
    with reading_back():
        row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    done = row.status == "hibernated"
    return Hibernation(id=workspace_id, status=row.status, hibernated=done, note=None if done else AWAKE)


async def children_of(tenant: Tenant, workspace_id: str) -> list[Row]:
    """The direct children that are not removed."""
    return [row for row in await tenant.read("/workspaces", list[Row]) if row.parent_id == workspace_id]


async def what_is_born(tenant: Tenant, workspace_id: str) -> Preview:
    """Whose team is made, and what is there already."""
    row = await one(tenant, workspace_id)
    there = await children_of(tenant, workspace_id)
    return Preview(
        headline=Own("Create the sub-workspaces that the template of 1 workspace lists"),
        facts=(
            Fact("Below", shown(row)),
            Fact("Template", Own(f"the one named like it, {quoted(row.name)}; what it lists cannot be read before")),
            Fact("There already", tuple(shown(each) for each in there) or Own("no children")),
            Fact("Effect", Own("a full set is added at every call, starts and may cost money")),
        ),
        items=(
            Item({"workspace_id": workspace_id}, {"name": row.name, "children": sorted(each.id for each in there)}),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/expand", WORKSPACE, LIST],
    title="Create a workspace's team",
    preview=what_is_born,
    idempotent=False,
    open_world=True,
)
async def expand_team(tenant: Tenant, workspace_id: WorkspaceId) -> Expanded:
    """Create the sub-workspaces that a workspace's template lists; each call adds another full set."""
    born = await tenant.send("POST", "/workspaces/{id}/expand", Born, id=workspace_id)
    with reading_back():
        rows = {row.id: row for row in await children_of(tenant, workspace_id)}
    for child in born.children:
        child.status = rows[child.id].status if child.id in rows else "not listed"
    note = "Hosted tenants start none of them: they fail after 10 minutes." if tenant.hosted else None
    return Expanded(id=workspace_id, children=born.children, note=note)


async def what_collapses(tenant: Tenant, workspace_id: str) -> Preview:
    """Every direct child that goes with what hangs on it, and what is left below them."""
    row = await one(tenant, workspace_id)
    rows = await tenant.read("/workspaces", list[Row])
    going = [each for each in rows if each.parent_id == workspace_id]
    if not going:
        raise GateStop("nothing_to_do", "The workspace has no children; nothing was sent.")
    if len(going) > MOST:
        raise GateStop("too_large", f"{len(going)} workspaces would go; at most {MOST} at once.")
    ids = {each.id for each in going}
    left = [each for each in below(rows, workspace_id) if each.id not in {workspace_id, *ids}]
    left = [*left[::-1], *await orphans(tenant, rows, workspace_id)]
    belongings = await everything(tenant, going)
    stable = {each.id: {"name": each.name, **belongings[each.id]} for each in going}
    return Preview(
        headline=Own(f"Remove the {len(going)} direct child{'' if len(going) == 1 else 'ren'} of 1 workspace"),
        facts=(
            Fact("Stays", shown(row)),
            Fact("Goes", tuple(line(each, belongings[each.id]) for each in going)),
            Fact("Left alive below them", tuple(shown(each) for each in left) or Own("nothing")),
            Fact(
                "Cannot be undone",
                Own("no restore exists: agents end; their tokens stay valid and their schedules keep firing"),
            ),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id},
                {"name": row.name, "children": stable, "below": sorted(f"{each.id} {each.name}" for each in left)},
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id} | ids | {each.id for each in left}),
    )


@family.tool(
    Risk.CRITICAL,
    sends=[
        "POST /workspaces/{id}/collapse",
        WORKSPACE,
        LIST,
        "GET /workspaces/{id}/secrets",
        "GET /workspaces/{id}/schedules",
        "GET /workspaces/{id}/channels",
    ],
    title="Remove a workspace's whole team",
    preview=what_collapses,
    open_world=True,
)
async def collapse_team(tenant: Tenant, workspace_id: WorkspaceId) -> Collapsed:
    """Remove a workspace's direct children, but nothing below them; delete_workspace removes one cleanly."""
    team = below(await tenant.read("/workspaces", list[Row]), workspace_id)
    before = [each for each in team if each.parent_id == workspace_id and each.id != workspace_id]
    told = await tenant.send("POST", "/workspaces/{id}/collapse", Gone, id=workspace_id)
    with reading_back():
        rows = await tenant.read("/workspaces", list[Row])
    ids = {each.id for each in before}
    if left := sum(row.id in ids for row in rows):
        raise TenantUnreadable(f"The tenant said it removed the team, but still lists {left} of it.", sent=True)
    note = (
        "Their tokens and schedules were left as they are; delete_workspace cleans up a removed one, with purge=true."
    )
    if len(told.removed) != len(before):
        note = f"The tenant names {len(told.removed)} removed, {len(before)} were shown. {note}"
    return Collapsed(
        id=workspace_id,
        removed=[Member(id=each.id, name=each.name) for each in before],
        orphans=[row.id for row in rows if row.id in {each.id for each in team} - {workspace_id}],
        note=note,
    )
