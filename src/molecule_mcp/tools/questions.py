"""Questions people ask, answered in one call over several reads, honest about what the tenant cannot tell.

Idle is defined in the contract's notes: status online or degraded, and no active task in the agent's last heartbeat.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import TenantError
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.concurrent import each
from molecule_mcp.tools.kinds import Answer, Cursor, Limit, Moment
from molecule_mcp.tools.workspaces import Row, paged

family = Family("questions")

UP = {"online", "degraded"}
CHECKS = 20
"""Further reads one call makes to be surer."""

FRESH, SWEPT = 120.0, 600.0
"""Seconds: work this recent may still run; past the second the tenant zeroes active_tasks of a silent workspace."""

Sureness = Literal["sure", "likely", "unsure"]


class Activity(Answer):
    """What we read of an activity row."""

    created_at: Moment


class Idle(Answer):
    """One idle workspace, and how sure that is."""

    id: str
    name: str
    sure: Sureness
    why: str
    free_tasks: Annotated[int, Field(description="How many tasks it could take.")]


class IdleAnswer(Answer):
    """Idle workspaces, and what the rest are doing."""

    idle: list[Idle]
    idle_total: int
    busy: int
    not_running: Annotated[dict[str, int], Field(description="Status -> workspaces: neither idle nor busy.")]
    checked: Annotated[int, Field(description="Idle ones on this page whose activity was read.")]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next page.")] = None


@family.tool(Risk.READ, sends=["GET /workspaces", "GET /workspaces/{id}/activity"], title="Find idle workspaces")
async def find_idle_workspaces(tenant: Tenant, limit: Limit = 50, cursor: Cursor = "") -> IdleAnswer:
    """Find workspaces that run and have nothing to do, each with how sure that is and why.

    Paused, failed, offline and starting ones are never idle; they are counted under not_running.
    """
    rows = await tenant.read("/workspaces", list[Row])
    idle = [row for row in rows if row.status in UP and row.active_tasks == 0]
    _, shown, following = paged(idle, limit, cursor)
    last = await last_activity(tenant, [row for row in shown if doubt(row) is None][:CHECKS])
    now = datetime.now(UTC)
    return IdleAnswer(
        idle=[judged(row, last, now) for row in shown],
        idle_total=len(idle),
        busy=sum(row.status in UP and row.active_tasks > 0 for row in rows),
        not_running=dict(sorted(Counter(row.status for row in rows if row.status not in UP).items())),
        checked=len(last),
        next_cursor=following,
    )


async def last_activity(tenant: Tenant, rows: list[Row]) -> dict[str, str | None]:
    """When each workspace last logged anything, None for never; one whose log cannot be read is left out."""
    found: dict[str, str | None] = {}

    async def one(row: Row) -> None:
        try:
            entries = await tenant.read("/workspaces/{id}/activity", list[Activity], id=row.id, query={"limit": 1})
        except TenantError:
            return
        found[row.id] = entries[0].created_at if entries else None

    await each(rows, one)
    return found


def doubt(row: Row) -> str | None:
    """Why no reading of activity could make this one sure, or None."""
    if row.runtime == "external":
        return "external agent: its load is only what it reports itself, and many never report"
    if row.uptime_seconds == 0:
        return "it has never sent a heartbeat, so its load is unknown"
    if row.current_task:
        return "it names a current task while reporting none active"
    return None


def judged(row: Row, last: dict[str, str | None], now: datetime) -> Idle:
    """One idle workspace with its sureness."""
    sure, why = sureness(row, last, now)
    free = max(0, row.max_concurrent_tasks - row.active_tasks)
    return Idle(id=row.id, name=row.name, sure=sure, why=why, free_tasks=free)


def sureness(row: Row, last: dict[str, str | None], now: datetime) -> tuple[Sureness, str]:
    """How sure it is that a workspace without active tasks has nothing to do."""
    reason = doubt(row)
    if reason:
        return "unsure", reason
    if row.id not in last:
        return "unsure", "its activity was not read in this call"
    seen = last[row.id]
    if seen is None:
        return "sure", "no active task reported, and no activity in the log"
    age = (now - datetime.fromisoformat(seen)).total_seconds()
    if age < FRESH:
        return "likely", f"no active task reported, but it was active {int(age)} s ago"
    if age > SWEPT:
        return "likely", f"no activity for {int(age // 60)} min; a long silent job would look the same"
    return "sure", f"no active task reported; last active {int(age // 60)} min ago"
