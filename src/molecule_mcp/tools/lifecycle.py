"""Workspaces changed, restarted, paused and resumed.

Contract: update_workspace (200 even when nothing was stored: read back), restart_workspace,
pause_workspace (with everything below), resume_workspace (with everything paused below).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly, quoted
from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.kinds import Answer, NewName, OptionalWorkspaceId, Text, WorkspaceId, clean
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.texts import nothing_given
from molecule_mcp.tools.tree import below, left_out, orphans
from molecule_mcp.tools.workspaces import Row, counted, has_descendants, running, stopped

family = Family("workspaces")

EXTERNAL = "external"


def a_runtime(text: str) -> str:
    """The name of a runtime; however "external" is written, it is never taken for another one."""
    name = text.strip()
    return EXTERNAL if clean(name).strip().casefold() == EXTERNAL else name


RuntimeName = Annotated[str, Field(max_length=100), AfterValidator(a_runtime)]


class Started(Answer):
    """A workspace after a change of its running state, as read back."""

    id: str
    status: Annotated[str, Field(description="As read back; provisioning is followed by online or failed.")]
    touched: Annotated[int | None, Field(description="How many workspaces the tenant says it reached.")] = None


class Updated(Answer):
    """What was changed, from and to, as read back; `not_stored` names what the tenant accepted and did not keep."""

    id: str
    before: dict[str, Any]
    after: dict[str, Any]
    not_stored: list[str] = Field(default_factory=list)


class Full(Row):
    """A row with what an update can change."""

    role: Text | None = None
    tier: int = 0
    collapsed: bool = False


class Counts(Answer):
    """The tenant's own counts; the rest of its answer says nothing that reading back does not."""

    paused_count: int | None = None
    resumed_count: int | None = None


async def read_back(tenant: Tenant, workspace_id: str, touched: int | None = None) -> Started:
    """The state after a change that the tenant accepted.

    Raises: TenantUnreadable with `sent` true when it cannot be read.
    """
    with reading_back():
        row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    return Started(id=workspace_id, status=row.status, touched=touched)


async def one(tenant: Tenant, workspace_id: str) -> Row:
    """A workspace that is there.

    Raises: GateStop when it is removed, TenantRefused 404 when it never was.
    """
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    if row.status == "removed":
        raise GateStop("nothing_to_do", "The workspace is removed; nothing was sent.")
    return row


def shown(row: Row) -> Own:
    """A workspace on one line."""
    return Own(f"{quoted(row.name)} {row.id}, {quoted(row.status)}{running(row)}")


def preview_of(
    verb: str,
    rows: list[Row],
    target: Row,
    effect: str,
    more: tuple[Fact, ...] = (),
    cut_off: Sequence[Row] = (),
    **arguments: Any,
) -> Preview:
    """A preview of one request that reaches these workspaces.

    Args:
        more: What else a person is told.
        cut_off: What it may reach too, below a removed one.
        arguments: The call's besides the workspace.
    """
    return Preview(
        headline=Own(f"{verb} {counted(len(rows), 'workspace')}"),
        facts=(
            Fact("Target", shown(target)),
            Fact("Reaches", tuple(shown(row) for row in rows)),
            *left_out(cut_off),
            Fact("Effect", Own(effect)),
            *more,
        ),
        items=(
            Item(
                {"workspace_id": target.id, **arguments},
                {"reaches": sorted(f"{row.id} {row.name} {row.parent_id}" for row in (*rows, *cut_off))},
            ),
        ),
        target=(target.name, target.id),
        touches=frozenset(row.id for row in (*rows, *cut_off)),
    )


async def is_external(tenant: Tenant, workspace_id: str, **_: Any) -> dict[str, bool]:
    """Live fact: whether the agent runs elsewhere; a restart then costs it its token."""
    return {"external": (await tenant.read("/workspaces/{id}", Row, id=workspace_id)).runtime == EXTERNAL}


async def tree_and_external(tenant: Tenant, workspace_id: str, **_: Any) -> dict[str, bool]:
    """Live facts of a resume: whether something lives below, and whether an agent runs elsewhere."""
    listed = await tenant.read("/workspaces", list[Row])
    team, cut_off = below(listed, workspace_id), await orphans(tenant, listed, workspace_id)
    rows = [*team, *cut_off]
    return {"descendants": len(rows) != 1, "external": any(row.runtime == EXTERNAL for row in rows) or not team}


async def what_restarts(tenant: Tenant, workspace_id: str, reset: bool = False) -> Preview:
    """What a restart interrupts."""
    row = await one(tenant, workspace_id)
    effect = "work in flight is lost and its workspace tokens are revoked"
    if row.runtime == EXTERNAL:
        effect = "its agent runs elsewhere: it loses its token and reads as failed until it registers again"
    if reset:
        effect += "; the stored agent session is deleted for good"
    return preview_of("Restart", [row], row, effect, reset=reset)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/restart", "GET /workspaces/{id}"],
    title="Restart a workspace",
    preview=what_restarts,
    raised_by={"reset": Risk.DESTROY},
    raised_by_fact={"external": Risk.DESTROY},
    facts=is_external,
    idempotent=False,
)
async def restart_workspace(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    reset: Annotated[bool, Field(description="Also delete the stored agent session, for good.")] = False,
) -> Started:
    """Restart one workspace: work in flight is lost, its tokens are revoked; poll get_workspace."""
    if not reset:
        await one(tenant, workspace_id)  # the tenant would bring a removed one back to life
    body = {"reset": True} if reset else None
    await tenant.send("POST", "/workspaces/{id}/restart", dict[str, Any], id=workspace_id, body=body)
    return await read_back(tenant, workspace_id)


async def refuse_idle(tenant: Tenant, workspace_id: str, *, resuming: bool) -> None:
    """What the tenant would answer with 404, as if it were not there, is told before it is sent.

    Raises: GateStop of a pause of what is paused, a resume of what is not, or either of what is removed.
    """
    status = (await one(tenant, workspace_id)).status
    if not resuming and status == "paused":
        raise GateStop("nothing_to_do", "The workspace is paused already; nothing was sent.")
    if resuming and status != "paused":
        raise GateStop(
            "nothing_to_do",
            f"The workspace is {status}, not paused; nothing was sent.",
            advice="restart_workspace starts it anew." if stopped(status) else None,
        )


async def what_pauses(tenant: Tenant, workspace_id: str) -> Preview:
    """Every workspace that a pause reaches."""
    await refuse_idle(tenant, workspace_id, resuming=False)
    listed = await tenant.read("/workspaces", list[Row])
    team, cut_off = below(listed, workspace_id), await orphans(tenant, listed, workspace_id)
    rows = [row for row in team if row.status != "paused"]
    if not any(row.id == workspace_id for row in rows):
        raise GateStop("nothing_to_do", "The workspace has just been changed by others; nothing was sent.")
    effect = "work in flight is lost; schedules keep firing and fail until resumed"
    # A resume is no way back: it starts all that is paused by then.
    idle = tuple(shown(row) for row in team if stopped(row.status))
    more = (Fact("Do not run now, yet a later resume starts them too", idle),) if idle else ()
    return preview_of("Pause", rows, rows[-1], effect, more, cut_off)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/pause", "GET /workspaces/{id}", "GET /workspaces"],
    title="Pause a workspace",
    preview=what_pauses,
    raised_by_fact={"descendants": Risk.DESTROY},
    facts=has_descendants,
)
async def pause_workspace(tenant: Tenant, workspace_id: WorkspaceId) -> Started:
    """Pause a workspace and everything below it; work in flight is lost, files and settings stay."""
    await refuse_idle(tenant, workspace_id, resuming=False)
    counts = await tenant.send("POST", "/workspaces/{id}/pause", Counts, id=workspace_id)
    return await read_back(tenant, workspace_id, counts.paused_count)


async def what_resumes(tenant: Tenant, workspace_id: str) -> Preview:
    """Every paused workspace that a resume starts, also those paused on their own before."""
    await refuse_idle(tenant, workspace_id, resuming=True)
    listed = await tenant.read("/workspaces", list[Row])
    rows = [row for row in below(listed, workspace_id) if row.status == "paused"]
    if not any(row.id == workspace_id for row in rows):
        raise GateStop("nothing_to_do", "The workspace has just been changed by others; nothing was sent.")
    cut_off = [row for row in await orphans(tenant, listed, workspace_id) if row.status == "paused"]
    outside = sum(row.runtime == EXTERNAL for row in (*rows, *cut_off))
    effect = "they start and may cost money" + (f"; {outside} run elsewhere and lose their token" if outside else "")
    return preview_of("Resume", rows, rows[-1], effect, cut_off=cut_off)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/resume", "GET /workspaces/{id}", "GET /workspaces"],
    title="Resume a workspace",
    preview=what_resumes,
    raised_by_fact={"descendants": Risk.DESTROY, "external": Risk.DESTROY},
    facts=tree_and_external,
)
async def resume_workspace(tenant: Tenant, workspace_id: WorkspaceId) -> Started:
    """Start a paused workspace again, with every paused workspace below it."""
    await refuse_idle(tenant, workspace_id, resuming=True)
    counts = await tenant.send("POST", "/workspaces/{id}/resume", Counts, id=workspace_id)
    return await read_back(tenant, workspace_id, counts.resumed_count)


async def wanted_parent(tenant: Tenant, workspace_id: str, parent_id: str) -> tuple[Full, Full | None]:
    """A workspace and the parent it shall get.

    Raises: ArgumentError for an unknown workspace, an unknown parent, or one that closes a cycle.
    """
    rows = {row.id: row for row in await tenant.read("/workspaces", list[Full])}
    if workspace_id not in rows:
        raise ArgumentError("workspace_id is of no workspace in the list", advice="list_workspaces shows all ids.")
    if not parent_id:
        return rows[workspace_id], None
    if parent_id not in rows:
        # The tenant answers 200 and keeps the old parent.
        raise ArgumentError("parent_id is of no workspace in the list", advice="list_workspaces shows all ids.")
    if any(row.id == parent_id for row in below(rows.values(), workspace_id)):
        # The tenant accepts a cycle, and then hangs on delete, pause and restart.
        raise ArgumentError(
            "parent_id is the workspace itself or below it; that would close a cycle",
            advice="Choose a parent outside of it, or move that one out first.",
        )
    return rows[workspace_id], rows[parent_id]


def changes(
    name: str, role: str, tier: int, runtime: str, collapsed: Literal["keep", "yes", "no"], parent_id: str
) -> dict[str, Any]:
    """The body of an update: only what was given.

    Raises: ArgumentError when nothing was.
    """
    given: dict[str, Any] = {"name": name, "role": role, "tier": tier, "runtime": runtime, "parent_id": parent_id}
    body = {key: value for key, value in given.items() if value}
    if collapsed != "keep":
        body["collapsed"] = collapsed == "yes"
    if not body:
        raise nothing_given(*given, "collapsed")
    return body


async def is_cut_off(tenant: Tenant, workspace_id: str, runtime: str = "", **_: Any) -> dict[str, bool]:
    """Live fact: whether an agent that runs elsewhere is given a runtime; as a container a restart ends its token."""
    if not runtime:
        return {"external": False}
    rows = [row for row in await tenant.read("/workspaces", list[Row]) if row.id == workspace_id]
    return {"external": any(row.runtime == EXTERNAL for row in rows) or not rows}


def runtime_effect(before: str, after: str) -> str:
    """What another runtime means to whoever holds the workspace's token."""
    if before == EXTERNAL != after:
        return "its agent runs elsewhere: counted as a container, it loses its token at the next restart"
    if after == EXTERNAL != before:
        return "it counts as an agent that runs elsewhere: no setting restarts it any more"
    return "counts from a restart on"


async def what_moves(tenant: Tenant, workspace_id: str, parent_id: str = "", **given: Any) -> Preview:
    """What an update changes; a new parent changes who may message whom in the whole subtree, a runtime who answers."""
    row, parent = await wanted_parent(tenant, workspace_id, parent_id)
    body = changes(parent_id=parent_id, **given)
    body.pop("parent_id", None)  # said with names, below
    listed = await tenant.read("/workspaces", list[Row]) if parent else []
    moved = below(listed, workspace_id) if parent else [row]
    before = next((each for each in listed if each.id == row.parent_id), None)
    more = (Fact("Changes", tuple(Own(f"{key}: {exactly(str(value))}") for key, value in sorted(body.items()))),)
    return Preview(
        headline=Own("Move 1 workspace" if parent else "Change 1 workspace"),
        facts=(
            *(move(row, before, parent, moved) if parent else (Fact("Workspace", shown(row)),)),
            *(more if body else ()),
            *(
                (Fact("Runtime", Own(runtime_effect(row.runtime, runtime))),)
                if (runtime := body.get("runtime"))
                else ()
            ),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "parent_id": parent_id, **given},
                {
                    "name": row.name,
                    "parent_id": row.parent_id,
                    "parent": before.name if before else None,
                    "new_parent": parent.name if parent else None,
                    "runtime": row.runtime,
                },
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({each.id for each in moved} | ({parent.id} if parent else set())),
    )


def move(row: Row, before: Row | None, parent: Row, moved: Sequence[Row]) -> tuple[Fact, ...]:
    """From where to where a workspace moves, by name, and then by id."""
    former = quoted(before.name) if before else Own(row.parent_id or "no parent")
    return (
        Fact("Move", Own(f"{quoted(row.name)} from {former} to {quoted(parent.name)}")),
        Fact("Workspace", shown(row)),
        Fact("Old parent", shown(before) if before else Own(former)),
        Fact("New parent", shown(parent)),
        Fact("Moves with it", tuple(shown(each) for each in moved if each.id != row.id)),
    )


@family.tool(
    Risk.DISRUPT,
    sends=["PATCH /workspaces/{id}", "GET /workspaces"],
    title="Update workspace",
    preview=what_moves,
    raised_by={"parent_id": Risk.DESTROY, "runtime": {EXTERNAL: Risk.DESTROY}},
    raised_by_fact={"external": Risk.DESTROY},
    facts=is_cut_off,
)
async def update_workspace(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    name: Annotated[NewName, Field(description="Its name, without []{}|>*&!")] = "",
    role: Annotated[str, Field(max_length=1000, description="What it is for.")] = "",
    tier: Annotated[int, Field(ge=0, le=4, description="1 to 4; 0 keeps it.")] = 0,
    runtime: Annotated[RuntimeName, Field(description="Counts from a restart on.")] = "",
    collapsed: Annotated[Literal["keep", "yes", "no"], Field(description="Folded on the canvas.")] = "keep",
    parent_id: Annotated[OptionalWorkspaceId, Field(description="Its new parent.")] = "",
) -> Updated:
    """Change a workspace, or move it; what is empty stays. The answer holds former values, and what was not stored."""
    before, _ = await wanted_parent(tenant, workspace_id, parent_id)
    body = changes(name, role, tier, runtime, collapsed, parent_id)
    former = {key: getattr(before, key) for key in body}
    with formers.naming(id=workspace_id, before=former):
        await tenant.send("PATCH", "/workspaces/{id}", dict[str, Any], id=workspace_id, body=body)
        with reading_back():
            after, _ = await wanted_parent(tenant, workspace_id, "")
    return Updated(
        id=workspace_id,
        before=former,
        after={key: getattr(after, key) for key in body},
        not_stored=[key for key, value in body.items() if getattr(after, key) != value],
    )
