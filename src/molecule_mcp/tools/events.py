"""What happened to workspaces: the tenant's structure events.

Contract: list_events, list_workspace_events. The last 100, newest first, without any filter on the tenant; they outlive
their workspace.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.activity import body
from molecule_mcp.tools.kinds import Answer, Cursor, Text, WorkspaceId
from molecule_mcp.tools.tables import Listing, listing
from molecule_mcp.tools.workspaces import Row

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


@family.tool(Risk.READ, sends=["GET /events"], title="List events")
async def list_events(tenant: Tenant, kind: Kind = "", limit: Rows = 50, cursor: Cursor = "") -> Listing:
    """List the newest 100 events of all workspaces: starts, failures, removals, delegations, approvals."""
    return table(await tenant.read("/events", list[Event]), kind, limit, cursor)


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


def table(events: list[Event], kind: str, limit: int, cursor: str, note: str | None = None) -> Listing:
    """Events of a kind, payloads cut; the workspace's column goes where all rows have the same."""
    kept = [event for event in events if event.event_type.startswith(kind)]
    if len(events) == 100 and len(kept) < 100:
        note = f"{note or ''} Older events than the newest 100 are out of reach.".strip()
    several = len({event.workspace_id for event in kept}) > 1
    return listing(
        kept, limit, cursor, ["created_at", "type", "workspace_id", "payload"],
        lambda event: (
            event.created_at, event.event_type, event.workspace_id if several else None, body(event.payload) or None,
        ),
        note,
    )  # fmt: skip
