"""Questions people ask, answered in one call over several reads, honest about what the tenant cannot tell.

Idle is defined in the contract's notes: status online or degraded, and no active task in the agent's last heartbeat.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import TenantError
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.concurrent import each
from molecule_mcp.tools.kinds import Answer, Cursor, Limit, Moment
from molecule_mcp.tools.overview import blocked
from molecule_mcp.tools.tables import paged
from molecule_mcp.tools.workspaces import UP, FullRow

family = Family("questions")

CHECKS = 20
"""Further reads one call makes to be surer."""

PAGE = 9_500
"""Bytes that the rows of a page take; their reasons, the tenant's statuses and the rest stay under 2,500 more."""

FRESH, SWEPT = 120.0, 600.0
"""Seconds: work this recent may still run; past the second the tenant zeroes active_tasks of a silent workspace."""

Sureness = Literal["sure", "likely", "unsure"]


class Activity(Answer):
    """What we read of an activity row."""

    created_at: Moment


class IdleAnswer(Answer):
    """Idle workspaces as a table, and what the rest are doing; `why` is a number into `reasons`."""

    columns: list[str]
    rows: list[list[Any]]
    reasons: list[str]
    idle_total: int
    busy: int
    not_running: Annotated[dict[str, int], Field(description="Status -> workspaces: neither idle nor busy.")]
    checked: Annotated[int, Field(description="Idle ones on this page whose activity was read.")]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next page.")] = None


@family.tool(Risk.READ, sends=["GET /workspaces", "GET /workspaces/{id}/activity"], title="Find idle workspaces")
async def find_idle_workspaces(tenant: Tenant, limit: Limit = 50, cursor: Cursor = "") -> IdleAnswer:
    """Find running workspaces with nothing to do, each with how sure that is and why (a number into reasons)."""
    rows = await tenant.read("/workspaces", list[FullRow])
    idle = [row for row in rows if row.status in UP and row.active_tasks == 0]
    page = paged(idle, limit, cursor, lambda row: cells(row, "unsure", CHECKS), most=PAGE)
    shown = idle[page.start : page.start + len(page.rows)]
    last = await last_activity(tenant, [row for row in shown if doubt(row) is None][:CHECKS])
    now = datetime.now(UTC)
    judged = [(row, *sureness(row, last, now)) for row in shown]
    reasons = list(dict.fromkeys(why for _, _, why in judged))
    return IdleAnswer(
        columns=["id", "name", "sure", "why", "free_tasks"],
        rows=[cells(row, sure, reasons.index(why)) for row, sure, why in judged],
        reasons=reasons,
        idle_total=len(idle),
        busy=sum(row.status in UP and row.active_tasks > 0 for row in rows),
        not_running=dict(sorted(Counter(row.status for row in rows if row.status not in UP).items())),
        checked=len(last),
        next_cursor=page.next_cursor,
    )


def cells(row: FullRow, sure: Sureness, why: int) -> list[str | int]:
    """One idle workspace, by the columns of the table; one that takes no messages has no task free."""
    return [row.id, row.name, sure, why, 0 if blocked(row) else max(0, row.max_concurrent_tasks)]


async def last_activity(tenant: Tenant, rows: list[FullRow]) -> dict[str, str | None]:
    """When each workspace last logged anything, None for never; one whose log cannot be read is left out."""
    found: dict[str, str | None] = {}

    async def one(row: FullRow) -> None:
        try:
            entries = await tenant.read("/workspaces/{id}/activity", list[Activity], id=row.id, query={"limit": 1})
        except TenantError:
            return
        found[row.id] = entries[0].created_at if entries else None

    await each(rows, one)
    return found


def doubt(row: FullRow) -> str | None:
    """Why no reading of activity could make this one sure, or None."""
    if row.runtime == "external":
        return "external agent: its load is only what it reports itself, and many never report"
    if row.uptime_seconds == 0:
        return "it has never sent a heartbeat, so its load is unknown"
    if row.current_task:
        return "it names a current task while reporting none active"
    return None


def sureness(row: FullRow, last: dict[str, str | None], now: datetime) -> tuple[Sureness, str]:
    """How sure it is that a workspace without active tasks has nothing to do, and what keeps it from taking any."""
    sure, why = quietness(row, last, now)
    return sure, f"{why}; its budget is used up: messages to it are refused" if blocked(row) else why


def quietness(row: FullRow, last: dict[str, str | None], now: datetime) -> tuple[Sureness, str]:
    """The same by its heartbeat and its log."""
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
