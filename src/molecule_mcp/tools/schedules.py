"""Schedules: prompts that an agent gets at set times.

Contract: list_schedules, create_schedule, update_schedule, delete_schedule, list_schedule_history,
list_all_schedule_health. The tenant's own run route answers "fired" and runs nothing, so run_schedule sends the prompt
itself. A schedule that is switched on again keeps its old next run and may fire at once; sending its expression along
moves it.
"""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, quoted
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError, TenantError, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.cron import complaint
from molecule_mcp.tools.kinds import UUID, Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.messages import WAYS, Reply, say
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.texts import nothing_given
from molecule_mcp.tools.workspaces import Row, stopped

family = Family("schedules")

LIST = "GET /workspaces/{id}/schedules"
SHOWN = 300
"""Characters of a prompt that a list shows."""


def a_zone(text: str) -> str:
    """The name of a time zone, or nothing.

    Raises: ValueError for any other.
    """
    try:
        if text:
            ZoneInfo(text)
    except (KeyError, OSError, ValueError):
        raise ValueError("is no time zone") from None
    return text


ScheduleId = Annotated[str, Field(pattern=UUID, description="`id` from list_schedules.")]
Zone = Annotated[str, AfterValidator(a_zone), Field(max_length=64, description="Time zone, as Europe/Berlin.")]
Cron = Annotated[str, Field(max_length=200, description="minute hour day month weekday, Sunday is 0: 0 9 * * 1-5")]
Prompt = Annotated[str, Field(max_length=50_000, description="What the agent is told each time.")]
Name = Annotated[str, Field(max_length=255, description="Its name.")]


class Stored(Answer):
    """What we read of a schedule (contract schema Schedule)."""

    id: str
    name: Text = ""
    cron_expr: Text
    timezone: Text = ""
    prompt: Text = ""
    enabled: bool
    next_run_at: str | None = None
    last_run_at: str | None = None
    last_status: str = ""
    last_error: Text = ""


class Exact(Stored):
    """The same with its prompt as it stands, for what is sent and kept."""

    prompt: str = ""


class Schedules(Answer):
    """The schedules of a workspace; prompts longer than 300 characters are cut."""

    schedules: list[Stored]
    note: str | None = None


class Changed(Answer):
    """A schedule as read back, and what it was."""

    id: str
    next_run_at: Annotated[str | None, Field(description="Absent: it is off.")] = None
    before: dict[str, Any]
    after: dict[str, Any]
    former_file: str | None = None


class Made(Answer):
    """A new schedule."""

    id: str
    next_run_at: str | None = None
    note: str | None = None


class ScheduleGone(Answer):
    """A schedule that is no longer there, as read back."""

    id: str
    state: Literal["deleted"]


class Run(Answer):
    """One run by the scheduler."""

    timestamp: str
    status: str
    error_detail: Text = ""


class History(Answer):
    """The newest runs, at most 20; runs by run_schedule are not among them."""

    runs: list[Run]


class Health(Answer):
    """What we read of a health row."""

    workspace_id: str
    workspace_name: Text = ""
    schedule_id: str
    schedule_name: Text = ""
    last_run_at: str | None = None
    expected_next_run: str | None = None
    status: str


class HealthTable(Answer):
    """Every schedule's health, as a table."""

    columns: list[str]
    rows: list[list[Any]]
    left_out: int


async def stored(tenant: Tenant, workspace_id: str, schedule_id: str) -> Exact:
    """One schedule of a workspace.

    Raises: ArgumentError when it has none of that id.
    """
    for each in await tenant.read("/workspaces/{id}/schedules", list[Exact], id=workspace_id):
        if each.id == schedule_id.lower():
            return each
    raise ArgumentError("schedule_id is of no schedule of that workspace", advice="list_schedules shows them.")


def refuse_never(expression: str) -> None:
    """Raises: ArgumentError for an expression that the tenant would take and never, or always, run."""
    if why := complaint(expression):
        raise ArgumentError(
            f"cron_expr {why}",
            advice="0 2 * * * is every night at 2, 0 9 * * 1-5 each working day at 9, 0 0 28 2 * each 28 February.",
        )


@family.tool(Risk.READ, sends=[LIST, "GET /workspaces/{id}"], title="List schedules")
async def list_schedules(tenant: Tenant, workspace_id: WorkspaceId) -> Schedules:
    """List a workspace's schedules: when they run, what they say (cut), how the last run went."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    rows = await tenant.read("/workspaces/{id}/schedules", list[Stored], id=workspace_id)
    for each in rows:
        each.prompt = each.prompt[:SHOWN]
    return Schedules(schedules=rows, note=stopped(row.status) if any(each.enabled for each in rows) else None)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/schedules", LIST, "GET /workspaces/{id}"],
    title="Create a schedule",
    idempotent=False,
)
async def create_schedule(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    name: Annotated[Name, Field(min_length=1)],
    cron_expr: Cron,
    prompt: Annotated[Prompt, Field(min_length=1)],
    timezone: Zone = "UTC",
    enabled: Annotated[bool, Field(description="Runs from now on.")] = True,
) -> Made:
    """Have an agent told something at set times; each run may cost money."""
    refuse_never(cron_expr)
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    if row.status == "removed":
        raise ArgumentError("the workspace is removed, though the tenant would take schedules for it")
    rows = await tenant.read("/workspaces/{id}/schedules", list[Stored], id=workspace_id)
    if any(each.name == name for each in rows):
        raise ArgumentError("the workspace has a schedule of this name", advice="Choose another, or update_schedule.")
    body = {"name": name, "cron_expr": cron_expr, "prompt": prompt, "timezone": timezone or "UTC", "enabled": enabled}
    told = await tenant.send("POST", "/workspaces/{id}/schedules", Made, id=workspace_id, body=body)
    return Made(id=told.id, next_run_at=told.next_run_at, note=stopped(row.status) if enabled else None)


@family.tool(Risk.DISRUPT, sends=["PATCH /workspaces/{id}/schedules/{scheduleId}", LIST], title="Update schedule")
async def update_schedule(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    schedule_id: ScheduleId,
    name: Name = "",
    cron_expr: Cron = "",
    timezone: Zone = "",
    prompt: Prompt = "",
    enabled: Annotated[Literal["keep", "yes", "no"], Field(description="Switch it on or off.")] = "keep",
) -> Changed:
    """Change a schedule, or switch it; what is empty stays. A former prompt is kept in a file."""
    before = await stored(tenant, workspace_id, schedule_id)
    given: dict[str, Any] = {"name": name, "cron_expr": cron_expr, "timezone": timezone, "prompt": prompt}
    body = {key: value for key, value in given.items() if value}
    if enabled != "keep":
        body["enabled"] = enabled == "yes"
    if not body:
        raise nothing_given(*given, "enabled")
    told = list(body)
    if enabled == "yes":
        # Its old next run may have passed, and it would fire at once; with its expression it is reckoned anew.
        body.setdefault("cron_expr", before.cron_expr)
    if "cron_expr" in body:
        refuse_never(body["cron_expr"])
    route = "/workspaces/{id}/schedules/{scheduleId}"
    former = {key: getattr(before, key) for key in told}
    where = formers.keep(outputs, schedule_id, {"prompt": before.prompt} if prompt else {}, body)
    with formers.naming(where, before={key: value for key, value in former.items() if key != "prompt"}):
        await tenant.send("PATCH", route, dict[str, Any], id=workspace_id, scheduleId=schedule_id, body=body)
        with reading_back():
            after = await stored(tenant, workspace_id, schedule_id)
    return Changed(
        id=schedule_id,
        next_run_at=after.next_run_at if after.enabled else None,  # the tenant keeps the time of one that is off
        before=clean_data(former),
        after=clean_data({key: getattr(after, key) for key in told}),
        former_file=where,
    )


async def what_ends(tenant: Tenant, workspace_id: str, schedule_id: str) -> Preview:
    """What deleting a schedule ends."""
    row, before = await one(tenant, workspace_id), await stored(tenant, workspace_id, schedule_id)
    return Preview(
        headline=Own("Delete 1 schedule of 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Schedule", Own(f"{quoted(before.name)} {before.id}, {quoted(before.cron_expr)}")),
            Fact("Its prompt", quoted(before.prompt, 200)),
            Fact("Cannot be undone", Own("the recurring work stops; to stop it for a while, switch it off instead")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "schedule_id": schedule_id},
                {"workspace": row.name, "id": before.id, "name": before.name},
            ),
        ),
        target=(before.name or row.name, before.id),
        touches=frozenset({row.id}),
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool:
    """Whether a schedule is gone."""
    rows = await tenant.read("/workspaces/{id}/schedules", list[Stored], id=past.parameters["id"])
    return all(row.id != past.parameters["scheduleId"] for row in rows)


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/schedules/{scheduleId}", LIST, "GET /workspaces/{id}"],
    title="Delete a schedule",
    preview=what_ends,
    settle=is_deleted,
)
async def delete_schedule(tenant: Tenant, workspace_id: WorkspaceId, schedule_id: ScheduleId) -> ScheduleGone:
    """Delete a schedule; past runs stay readable. update_schedule enabled=no only stops it."""
    route = "/workspaces/{id}/schedules/{scheduleId}"
    await tenant.send("DELETE", route, dict[str, Any], id=workspace_id, scheduleId=schedule_id)
    try:
        await stored(tenant, workspace_id, schedule_id)
    except ArgumentError:
        return ScheduleGone(id=schedule_id, state="deleted")
    except TenantError as error:
        raise TenantUnreadable(f"The tenant accepted it; reading back failed: {error.message}", sent=True) from error
    raise TenantUnreadable("The tenant said it deleted the schedule, but still shows it.", sent=True)


@family.tool(
    Risk.DISRUPT,
    sends=[*WAYS, LIST],
    title="Run schedule",
    idempotent=False,
    open_world=True,
)
async def run_schedule(tenant: Tenant, workspace_id: WorkspaceId, schedule_id: ScheduleId) -> Reply:
    """Send a schedule's prompt to its agent now and tell the answer; history and next run stay."""
    due = await stored(tenant, workspace_id, schedule_id)
    if not due.prompt:
        raise ArgumentError("the schedule has no prompt, so there is nothing to send")
    return await say(tenant, workspace_id, due.prompt)


@family.tool(
    Risk.READ, sends=["GET /workspaces/{id}/schedules/{scheduleId}/history", LIST], title="List a schedule's runs"
)
async def list_schedule_history(tenant: Tenant, workspace_id: WorkspaceId, schedule_id: ScheduleId) -> History:
    """List a schedule's newest runs, at most 20, with why one failed; list_activity has what was said."""
    await stored(tenant, workspace_id, schedule_id)  # the tenant answers [] for ids it never issued
    route = "/workspaces/{id}/schedules/{scheduleId}/history"
    return History(runs=await tenant.read(route, list[Run], id=workspace_id, scheduleId=schedule_id))


@family.tool(Risk.READ, sends=["GET /admin/schedules/health"], title="List all schedules' health")
async def list_all_schedule_health(
    tenant: Tenant, limit: Annotated[int, Field(ge=1, le=200, description="Rows at most.")] = 100
) -> HealthTable:
    """List when every schedule ran and runs next; find_broken_schedules tells failures."""
    rows = await tenant.read("/admin/schedules/health", list[Health])
    columns = ["schedule_id", "schedule", "workspace_id", "workspace", "last_run_at", "expected_next_run", "status"]
    return HealthTable(
        columns=columns,
        rows=[
            [each.schedule_id, each.schedule_name, each.workspace_id, each.workspace_name, each.last_run_at,
             each.expected_next_run, each.status]
            for each in rows[:limit]
        ],
        left_out=max(0, len(rows) - limit),
    )  # fmt: skip
