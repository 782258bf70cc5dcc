"""What happened to workspaces: the tenant's structure events.

Contract: list_events, list_workspace_events: the last 100, newest first, without any filter on the tenant; they outlive
their workspace. stream_workspace_events: endless, without replay; followed for a bounded time.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import anyio
from pydantic import Field

from molecule_mcp.capability import Family, Progress, Risk
from molecule_mcp.errors import MoleculeError, TenantRefused
from molecule_mcp.tenant import Ending, Tenant
from molecule_mcp.tools.activity import body
from molecule_mcp.tools.kinds import Answer, Cursor, Text, WorkspaceId
from molecule_mcp.tools.tables import PAGE_BYTES, Listing, listing, weight
from molecule_mcp.tools.texts import cut_data
from molecule_mcp.tools.workspaces import Row, names

family = Family("activity")

Kind = Annotated[
    str, Field(max_length=64, pattern="^[A-Z_]*$", description="Only types beginning so: WORKSPACE_, APPROVAL_DENIED.")
]
Rows = Annotated[int, Field(ge=1, le=100, description="Rows at most.")]


class Event(Answer):
    """What we read of an event (contract schema StructureEvent)."""

    id: str
    event_type: Text
    workspace_id: str | None = None
    created_at: str
    payload: Any = None


@family.tool(Risk.READ, sends=["GET /events", "GET /workspaces"], title="List events")
async def list_events(tenant: Tenant, kind: Kind = "", limit: Rows = 50, cursor: Cursor = "") -> Listing:
    """List the newest 100 events of all workspaces: starts, failures, removals, delegations, approvals."""
    events = await tenant.read("/events", list[Event])
    named = await names(tenant) if any(event.event_type.startswith(kind) for event in events) else {}
    return table(events, kind, limit, cursor, named=named)


@family.tool(Risk.READ, sends=["GET /events/{workspaceId}", "GET /workspaces/{id}"], title="List a workspace's events")
async def list_workspace_events(
    tenant: Tenant, workspace_id: WorkspaceId, kind: Kind = "", limit: Rows = 50, cursor: Cursor = ""
) -> Listing:
    """List the newest 100 events of one workspace, also of a removed or purged one."""
    events = await tenant.read("/events/{workspaceId}", list[Event], workspaceId=workspace_id)
    try:
        note = None if (await tenant.read("/workspaces/{id}", Row, id=workspace_id)).status != "removed" else "Removed."
    except TenantRefused as error:
        if error.status != 404 or not events:
            raise  # the tenant answers [] for ids it never issued
        note = "The workspace is purged."
    return table(events, kind, limit, cursor, note)


def table(
    events: list[Event],
    kind: str,
    limit: int,
    cursor: str,
    note: str | None = None,
    named: Mapping[str, str] | None = None,
) -> Listing:
    """Events of a kind, payloads cut; without the workspace's columns where one workspace was asked about.

    Args:
        named: Names of workspaces by id; None when one was asked about.
    """
    kept = [event for event in events if event.event_type.startswith(kind)]
    if len(events) == 100 and len(kept) < 100:
        note = f"{note or ''} Older events than the newest 100 are out of reach.".strip()
    return listing(
        kept, limit, cursor, ["created_at", "type", "workspace_id", "workspace", "payload"],
        lambda event: (
            event.created_at, event.event_type, *whose(event, named), body(event.payload) or None,
        ),
        note,
    )  # fmt: skip


def whose(event: Event, named: Mapping[str, str] | None) -> tuple[str | None, str | None]:
    """Id and name of an event's workspace, where the list is of several."""
    return (None, None) if named is None else (event.workspace_id, named.get(event.workspace_id or ""))


class Happening(Answer):
    """One event of a stream; timestamp is Unix milliseconds, as the tenant gives it."""

    type: Text
    timestamp: int
    data: Any = None


class Followed(Answer):
    """What was heard, in its order; `ended` says why no more was."""

    columns: list[str]
    rows: list[list[Any]]
    ended: Ending


LONGEST = 1000
"""Characters of an event's data that are shown."""
BEAT = 5.0
"""Seconds between two notices of progress while nothing happens."""


@family.tool(Risk.READ, sends=["GET /workspaces/{id}/events/stream"], title="Follow a workspace's events")
async def stream_workspace_events(
    tenant: Tenant,
    progress: Progress,
    workspace_id: WorkspaceId,
    kind: Kind = "",
    seconds: Annotated[int, Field(ge=1, le=300, description="At most; hosts may give up earlier.")] = 30,
    limit: Rows = 50,
) -> Followed:
    """Listen to one workspace's events as they come, heartbeats, tasks and messages too; none from before.

    ended: time, enough (limit or size), closed or broken.
    """
    ear = Ear(kind, limit)
    failure: MoleculeError | None = None
    ended: Ending = "time"
    async with anyio.create_task_group() as group:
        group.start_soon(ear.tell, progress, seconds)
        try:
            route = "/workspaces/{id}/events/stream"
            ended = await tenant.follow(route, Happening, ear.heard, seconds, id=workspace_id)
        except MoleculeError as error:
            failure = error  # bare, and not in the group of one that a task group makes of it
        group.cancel_scope.cancel()
    if failure:
        raise failure
    return Followed(columns=["timestamp", "type", "data"], rows=ear.rows, ended=ended)


class Ear:
    """Keeps the events of a kind, until there are enough."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind, self.limit = kind, limit
        self.left = PAGE_BYTES - 5 * LONGEST  # whatever comes last still fits
        self.rows: list[list[Any]] = []

    async def heard(self, event: Happening) -> bool:
        """Keep an event; true when no more of them fit."""
        if not event.type.startswith(self.kind):
            return False
        row = [event.timestamp, event.type[:64], cut_data(event.data, LONGEST)[0]]
        self.rows.append(row)
        self.left -= weight(row) + 1
        return len(self.rows) >= self.limit or self.left <= 0

    async def tell(self, progress: Progress, seconds: int) -> None:
        """Say again and again how long and how many."""
        begun = anyio.current_time()
        while True:
            passed = anyio.current_time() - begun
            await progress(min(passed, seconds), seconds, f"{len(self.rows)} events")
            await anyio.sleep(BEAT)
