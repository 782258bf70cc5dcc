"""The tenant's queue of messages to busy agents.

Contract: drop_stale_queue. No route lists the queue, so how many messages go cannot be read before.
"""

from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk
from molecule_mcp.errors import ArgumentError
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, OptionalWorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.workspaces import Row, counted

family = Family("admin")

LONGEST = 10_000_000
"""Minutes; about 19 years."""
WHOSE = "give either workspace_id or everywhere=true"


class Dropped(Answer):
    """How many messages went, as the tenant answered."""

    dropped: int
    note: str = "Their senders are not told; delegations that waited on them read as queued for ever."


async def what_is_dropped(
    tenant: Tenant, workspace_id: str = "", everywhere: bool = False, max_age_minutes: int = 60
) -> Preview:
    """Whose waiting messages go.

    Raises: ArgumentError unless it was said whose; an empty id must not mean everybody.
    """
    if bool(workspace_id) is everywhere:
        raise ArgumentError(WHOSE)
    row = await one(tenant, workspace_id) if workspace_id else None
    rows = [row] if row else await tenant.read("/workspaces", list[Row])
    whose = shown(row) if row else Own(f"EVERY workspace: {counted(len(rows), 'workspace')}")
    return Preview(
        headline=Own(f"Drop messages that wait for more than {counted(max_age_minutes, 'minute')}"),
        facts=(
            Fact("To", whose),
            Fact("How many", Own("unknown: no route lists the queue; the answer tells")),
            Fact("Cannot be undone", Own("they are never delivered; delegations waiting on them hang for ever")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "everywhere": everywhere, "max_age_minutes": max_age_minutes},
                {"to": row.name if row else "every workspace"},
            ),
        ),
        target=(row.name, row.id) if row else ("every workspace", ""),
        touches=frozenset(each.id for each in rows),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /admin/a2a-queue/drop-stale", "GET /workspaces", "GET /workspaces/{id}"],
    title="Drop waiting messages",
    preview=what_is_dropped,
)
async def drop_stale_queue(
    tenant: Tenant,
    workspace_id: Annotated[OptionalWorkspaceId, Field(description="To whom.")] = "",
    everywhere: Annotated[bool, Field(description="To EVERY workspace instead.")] = False,
    max_age_minutes: Annotated[int, Field(ge=1, le=LONGEST, description="Only what waits longer.")] = 60,
) -> Dropped:
    """Drop messages that have waited too long for a busy agent; they are never delivered."""
    if bool(workspace_id) is everywhere:
        raise ArgumentError(WHOSE)
    query: dict[str, str | int] = {"max_age_minutes": max_age_minutes}
    if workspace_id:
        query["workspace_id"] = workspace_id
    return await tenant.send("POST", "/admin/a2a-queue/drop-stale", Dropped, query=query)
