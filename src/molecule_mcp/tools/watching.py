"""Watch one workspace for a bounded time.

Contract: get_workspace. The tenant tells nothing by itself but over its event stream, so it is read at a pace; what
happens and passes between two reads is not seen, and active_tasks is the agent's own last heartbeat.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from molecule_mcp.capability import Family, Progress, Risk, Wait
from molecule_mcp.errors import TenantError, TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.activity import NEEDED
from molecule_mcp.tools.kinds import Answer, WorkspaceRef
from molecule_mcp.tools.questions import UP
from molecule_mcp.tools.workspaces import Row, Status, resolve

family = Family("activity")

EVERY = 3.0
"""Seconds between two reads."""
FOR_GOOD = {"failed", "paused", "removed"}
"""Statuses that nothing but another request ends."""

Until = Literal["change", "settled", "idle", "busy", Status]
Outcome = Literal["reached", "ended", "gone", "timeout"]


class Look(Answer):
    """What one read saw, and about how many seconds after the first."""

    after: int
    status: str
    active_tasks: int


class Watched(Answer):
    """What was seen of a workspace until the watch ended.

    changes holds [seconds, status, active_tasks] of the first look and of every one that differed from the last.
    """

    id: str
    outcome: Outcome
    status: str
    active_tasks: int
    seconds: int
    changes: list[list[Any]]
    unread: int | None = None
    note: str | None = None


WANTED: dict[str, Callable[[Look, Look], bool]] = {
    "change": lambda first, now: (first.status, first.active_tasks) != (now.status, now.active_tasks),
    "settled": lambda _, now: now.status != "provisioning",
    "idle": lambda _, now: now.status in UP and now.active_tasks == 0,
    "busy": lambda _, now: now.status in UP and now.active_tasks > 0,
}
"""What is waited for -> whether it is so, by the first look and the present one; else a status by its name."""

ENDED: dict[Outcome, str] = {
    "ended": "It is {status} and stays so until somebody acts; what was waited for does not come by itself.",
    "gone": "It was purged meanwhile.",
    "timeout": "The time is over and it did not happen; call again to wait on.",
}


@family.tool(Risk.READ, sends=NEEDED, title="Watch a workspace")
async def watch_workspace(
    tenant: Tenant,
    progress: Progress,
    wait: Wait,
    workspace: WorkspaceRef,
    until: Annotated[
        Until,
        Field(description="change: of status or load; settled: not provisioning; or a state."),
    ] = "change",
    seconds: Annotated[int, Field(ge=3, le=300, description="At most; hosts may give up earlier.")] = 45,
) -> Watched:
    """Wait until a workspace changes or reaches a state, or time is up.

    changes: [seconds, status, active_tasks]. Its events: stream_workspace_events.
    """
    watch = Watch(tenant, await resolve(tenant, workspace), until)
    await watch.look(0)
    with anyio.move_on_after(seconds):  # slow reads count too
        await watch.follow(seconds, progress, wait)
    return watch.told()


class Watch:
    """One watch on its way."""

    def __init__(self, tenant: Tenant, identifier: str, until: Until) -> None:
        self.tenant, self.identifier, self.until = tenant, identifier, until
        self.begun = anyio.current_time()
        self.passed = 0.0
        self.unread = 0
        self.looks: list[Look] = []
        self.now = Look(after=0, status="", active_tasks=0)
        self.outcome: Outcome | None = None

    @property
    def after(self) -> int:
        """Whole seconds since the first look, waits and reads together."""
        return round(max(self.passed, anyio.current_time() - self.begun))

    async def follow(self, seconds: float, progress: Progress, wait: Wait) -> None:
        """Look again and again until there is an outcome or the time is over."""
        while self.outcome is None and self.passed < seconds:
            await progress(self.passed, seconds, f"{self.now.status}, {self.now.active_tasks} active")
            pause = min(EVERY, seconds - self.passed)
            await wait(pause)
            self.passed += pause
            try:
                await self.look(self.after)
            except TenantRefused as error:
                if error.status != 404:
                    self.unread += 1
                else:
                    self.outcome = "gone"
            except TenantError:
                self.unread += 1

    async def look(self, after: int) -> None:
        """Read once, note what differs, and whether that is the end.

        Raises: TenantError.
        """
        row = await self.tenant.read("/workspaces/{id}", Row, id=self.identifier)
        before, self.now = self.now, Look(after=after, status=row.status, active_tasks=row.active_tasks)
        if (before.status, before.active_tasks) != (row.status, row.active_tasks):
            self.looks.append(self.now)
        wanted = WANTED.get(self.until, lambda _, now: now.status == self.until)
        if wanted(self.looks[0], self.now):
            self.outcome = "reached"
        elif row.status == "removed" or (row.status in FOR_GOOD and row.status != self.looks[0].status):
            self.outcome = "ended"

    def told(self) -> Watched:
        """The answer."""
        outcome = self.outcome or "timeout"
        note = ENDED.get(outcome, "").format(status=self.now.status) or None
        return Watched(
            id=self.identifier,
            outcome=outcome,
            status=self.now.status,
            active_tasks=self.now.active_tasks,
            seconds=self.after,
            changes=[[each.after, each.status, each.active_tasks] for each in self.looks],
            unread=self.unread or None,
            note=note,
        )
