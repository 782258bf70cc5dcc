"""Workspaces that came since a reading: what an import made, seen from outside.

An import has no id at the tenant, and goes on when its answer is lost. What is new in the list of workspaces, as a tree
of its own, is all that tells how far it came; somebody else's new tree looks the same.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from molecule_mcp.capability import Progress, Wait
from molecule_mcp.errors import GateStop, TenantError, TenantUnreachable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.tables import fitting
from molecule_mcp.tools.workspaces import Row

LOOK = 5.0
"""Seconds between two looks."""
QUIET = 6
"""Looks without anything new, or without an answer, after which nothing more is expected."""
LOOKS = 60
"""Looks at most."""
TOLD_BYTES = 8000
"""Bytes of rows that one answer tells."""

AGAIN = (
    "Never import again to finish it: that makes a second set. list_workspaces shows what is there; what is missing "
    "is made one by one, or what is there is deleted, as a person chooses."
)

State = Literal["complete", "still_running", "unknown"]


@dataclass(frozen=True)
class Doubt:
    """An import that ended without an answer: what was there before it, and how many it would make."""

    before: frozenset[str]
    expected: int


@dataclass(frozen=True)
class Seen:
    """What came so far, and whether that is all: `unknown` when it stopped short or could not be read."""

    state: State
    rows: list[Row] = field(default_factory=list[Row])


def fresh(before: Collection[str], rows: Iterable[Row]) -> list[Row]:
    """Rows that were not there before and stand in a tree of their own, in the list's order."""
    new = {row.id: row for row in rows if row.id not in before}

    def own(row: Row) -> bool:
        seen = {row.id}
        while row.parent_id in new and row.parent_id not in seen:
            row = new[row.parent_id]
            seen.add(row.id)
        return row.parent_id is None

    return [row for row in new.values() if own(row)]


async def watch(tenant: Tenant, before: Collection[str], expected: int, progress: Progress, wait: Wait) -> None:
    """Tell how many came, look by look, until cancelled."""
    while True:
        await wait(LOOK)
        try:
            came = len(fresh(before, await tenant.read("/workspaces", list[Row])))
        except TenantError as error:
            await progress(0, None, f"the list could not be read: {error.message}")
            continue
        await progress(came, max(expected, came), f"{came} of {expected} workspaces made")


async def follow(tenant: Tenant, before: Collection[str], expected: int, progress: Progress, wait: Wait) -> Seen:
    """Look until all came, or nothing more comes."""
    rows: list[Row] = []
    quiet = 0
    for _ in range(LOOKS):
        quiet += 1
        try:
            came = fresh(before, await tenant.read("/workspaces", list[Row]))
        except TenantError as error:
            await progress(len(rows), None, f"the list could not be read: {error.message}")
        else:
            quiet = 0 if len(came) > len(rows) else quiet
            rows = came
            await progress(len(rows), max(expected, len(rows)), f"{len(rows)} of {expected} workspaces are there")
            if len(rows) >= expected:
                return Seen("complete", rows)
        if quiet >= QUIET:
            return Seen("unknown", rows)
        await wait(LOOK)
    return Seen("still_running", rows)


async def refuse_in_doubt(tenant: Tenant, key: str) -> None:
    """Nothing is imported again while an earlier import of it is in doubt.

    Raises: GateStop with how far that one is now; once all of it is there, the doubt is over.
    """
    doubt: Doubt | None = tenant.doubts.get(key)
    if doubt is None:
        return
    rows = fresh(doubt.before, await tenant.read("/workspaces", list[Row]))
    if len(rows) >= doubt.expected:
        del tenant.doubts[key]
    there = f"{len(rows)} of {doubt.expected} new workspaces are there"
    raise GateStop(
        "outcome_unknown",
        f"An import of it was sent before, and its answer was lost: since then {there}. Nothing was sent again.",
        advice=AGAIN,
        details={"expected": doubt.expected, "made": fitting([*map(told, rows)], TOLD_BYTES)},
    )


async def after_silence(
    tenant: Tenant, key: str, doubt: Doubt, progress: Progress, wait: Wait, lost: TenantError
) -> list[Row]:
    """What a send whose answer was lost made, when all of it is there.

    Args:
        key: What no second import may be of, meanwhile.
    Raises: TenantUnreachable with `sent` "unknown", what is there so far, and whether more is coming.
    """
    tenant.doubts[key] = doubt
    seen = await follow(tenant, doubt.before, doubt.expected, progress, wait)
    if seen.state == "complete":
        del tenant.doubts[key]
        return seen.rows
    going = "and more keep coming" if seen.state == "still_running" else "and no more are coming"
    raise TenantUnreachable(
        f"{lost.message} Since then {len(seen.rows)} of {doubt.expected} new workspaces are there, {going}.",
        sent="unknown",
        advice=AGAIN,
        details={"state": seen.state, "expected": doubt.expected, "made": fitting([*map(told, seen.rows)], TOLD_BYTES)},
    ) from lost


def told(row: Row) -> list[Any]:
    """A workspace in a short list: id, name, status."""
    return [row.id, row.name, row.status]
