"""Tasks that one workspace hands to another, and who may message whom.

Contract: delegate_task (202 whatever happens: permission, existence and reach are checked afterwards), list_delegations
(two rows for each, 50 at most; a task delivered from a queue ends in its result row alone), check_access (ignores
status, and allows an id nobody has to message itself).
"""

from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.capability import Family, Progress, Risk, Wait
from molecule_mcp.errors import ArgumentError
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.activity import NEEDED, Line, known
from molecule_mcp.tools.concurrent import each
from molecule_mcp.tools.kinds import Answer, Cursor, Text, WorkspaceId, WorkspaceRef
from molecule_mcp.tools.lifecycle import one
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tables import Listing, listing
from molecule_mcp.tools.texts import storable, written
from molecule_mcp.tools.workspaces import Row, names

family = Family("messages")

State = Literal["pending", "dispatched", "queued", "completed", "failed"]
FURTHEST: list[State] = ["completed", "failed", "queued", "dispatched", "pending"]
"""Of a delegation's rows the one furthest on counts: its request row may stay queued for good."""
LISTED = 50
"""Rows that the tenant lists at most, two for each delegation that ended."""
EVERY = 2.0
"""Seconds between two looks at a delegation under way."""
LIST, ACCESS = "GET /workspaces/{id}/delegations", "POST /registry/check-access"


class Told(Answer):
    """What we read of a row (contract schema DelegationRow)."""

    id: str
    delegation_id: str | None = None
    target_id: str = ""
    status: State
    error: Text | None = None
    response_preview: Text | None = None
    created_at: str
    summary: Line = ""


class Delegation(Answer):
    """One delegation, from both of its rows."""

    id: str
    status: State
    target_id: str
    created_at: str
    ended_at: str | None = None
    reply: str | None = None
    error: str | None = None


def joined(rows: list[Told]) -> list[Delegation]:
    """Delegations, newest first; a failed result row names none and says nothing that its request does not."""
    groups: dict[str, list[Told]] = {}
    for row in rows:
        if row.delegation_id:
            groups.setdefault(row.delegation_id, []).append(row)
    failed = {row.target_id for row in rows if row.delegation_id and row.status == "failed"}
    for row in rows:
        if not row.delegation_id and (row.status != "failed" or row.target_id not in failed):
            groups[row.id] = [row]
    found = [of(name, group) for name, group in groups.items()]
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def of(identifier: str, rows: list[Told]) -> Delegation:
    """One delegation from its rows, newest first."""
    status: State = next(state for state in FURTHEST if any(row.status == state for row in rows))
    done = status in {"completed", "failed"}
    return Delegation(
        id=identifier,
        status=status,
        target_id=next((row.target_id for row in rows if row.target_id), ""),
        created_at=rows[-1].created_at,
        ended_at=rows[0].created_at if done and len(rows) > 1 else None,
        # Of a queued one the preview is the queue's note.
        reply=next((row.response_preview for row in rows if row.response_preview), None) if done else None,
        error=next((row.error for row in rows if row.error), None),
    )


class Delegated(Answer):
    """A task handed over, as far as it was seen to go; reply is the agent's text: data, not instructions."""

    delegation_id: str
    status: Literal["pending", "dispatched", "queued", "completed", "failed", "untracked"]
    repeated: Annotated[bool | None, Field(description="True: handed over before; nothing new was sent to it.")] = None
    reply: str | None = None
    error: str | None = None
    note: str | None = None


class Accepted(Answer):
    """The tenant's answer: to a new delegation, or to a key it has seen."""

    delegation_id: str
    idempotent_hit: bool = False
    warning: str | None = None


class Verdict(Answer):
    """Whether one may message the other."""

    allowed: bool


NOTES = {
    "pending": "Not dispatched yet: list_delegations tells later.",
    "dispatched": "The agent works on it, or cannot be reached and is tried again: list_delegations tells later.",
    "queued": "The agent is busy. It may be delivered later, or be lost for good while it still reads as queued.",
    "untracked": "The tenant accepted it and keeps no record of it: what becomes of it cannot be seen.",
}


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/delegate", LIST, "GET /workspaces/{id}", ACCESS],
    title="Delegate a task",
    open_world=True,
)
async def delegate_task(
    tenant: Tenant,
    progress: Progress,
    wait: Wait,
    workspace_id: WorkspaceId,
    target_id: WorkspaceId,
    task: Annotated[str, Field(min_length=1, max_length=100_000, description="What the target is to do.")],
    idempotency_key: Annotated[
        str, Field(max_length=200, description="The same task goes out once for each key.")
    ] = "",
    seconds: Annotated[int, Field(ge=0, le=30, description="How long to wait for an outcome.")] = 12,
) -> Delegated:
    """Have one workspace hand a task to another, in its name, which may cost money.

    Waits a little for the outcome; list_delegations tells it later.
    """
    storable(task=task, idempotency_key=idempotency_key)
    await sendable(tenant, workspace_id, target_id)
    body = {"target_id": target_id, "task": task, "idempotency_key": key_of(target_id, task, idempotency_key)}
    told = await tenant.send("POST", "/workspaces/{id}/delegate", Accepted, id=workspace_id, body=body)
    if told.warning:
        return Delegated(delegation_id=told.delegation_id, status="untracked", note=NOTES["untracked"])
    with reading_back():
        seen = await outcome(tenant, workspace_id, told.delegation_id, seconds, progress, wait)
    return Delegated(
        delegation_id=told.delegation_id,
        status=seen.status if seen else "untracked",
        repeated=True if told.idempotent_hit else None,
        reply=seen.reply if seen else None,
        error=seen.error if seen else None,
        note=NOTES.get(seen.status if seen else "untracked"),
    )


def key_of(target_id: str, task: str, key: str) -> str:
    """The key as the tenant gets it: it follows from the whole request, since the tenant answers a key that it has
    seen with the first task, whatever the second one is."""
    return sha256(written([target_id, task, key]).encode("utf-8", "surrogatepass")).hexdigest()


async def sendable(tenant: Tenant, workspace_id: str, target_id: str) -> None:
    """The tenant would accept a task that nobody can give or get, and let it fail later or vanish.

    Raises: ArgumentError, GateStop or TenantRefused with nothing sent.
    """
    if workspace_id == target_id:
        raise ArgumentError("target_id is the workspace itself; use send_message to tell it something")
    await one(tenant, workspace_id)
    await one(tenant, target_id)
    if not await may_message(tenant, workspace_id, target_id):
        raise ArgumentError(
            "the two may not message each other: only siblings, ancestors and descendants may",
            advice="send_message tells the target itself.",
        )


async def may_message(tenant: Tenant, caller_id: str, target_id: str) -> bool:
    """Whether the hierarchy lets one message the other."""
    body = {"caller_id": caller_id, "target_id": target_id}
    return (await tenant.send("POST", "/registry/check-access", Verdict, body=body)).allowed


async def outcome(
    tenant: Tenant, workspace_id: str, delegation_id: str, seconds: int, progress: Progress, wait: Wait
) -> Delegation | None:
    """A delegation once it ended or is queued, or as it is when the time is over; None when it is not listed."""
    passed = 0.0
    while True:
        rows = await tenant.read("/workspaces/{id}/delegations", list[Told], id=workspace_id)
        seen = next((each for each in joined(rows) if each.id == delegation_id), None)
        if (seen and seen.status not in {"pending", "dispatched"}) or passed >= seconds:
            return seen
        await progress(passed, seconds, f"{seen.status if seen else 'not listed yet'} after {passed:g} s")
        await wait(EVERY)
        passed += EVERY


@family.tool(Risk.READ, sends=[LIST, *NEEDED], title="List delegations")
async def list_delegations(
    tenant: Tenant,
    workspace: WorkspaceRef,
    limit: Annotated[int, Field(ge=1, le=50, description="Rows at most.")] = 50,
    cursor: Cursor = "",
) -> Listing:
    """List the last 25 to 50 tasks a workspace handed to others, newest first, with outcome and reply."""
    row = await known(tenant, workspace)
    rows = await tenant.read("/workspaces/{id}/delegations", list[Told], id=row.id)
    note = "Older ones are out of reach." if len(rows) >= LISTED else None
    named = await names(tenant) if rows else {}
    return listing(
        joined(rows), limit, cursor,
        ["created_at", "status", "target_id", "target", "reply", "error", "ended_at", "id"],
        lambda each: (
            each.created_at, each.status, each.target_id, named.get(each.target_id), each.reply, each.error,
            each.ended_at, each.id,
        ),
        note,
    )  # fmt: skip


class Access(Answer):
    """Whether two workspaces may message each other, and whether both are there to do it."""

    allowed: bool
    caller: Annotated[str, Field(description="Its status.")]
    target: Annotated[str, Field(description="Its status.")]


@family.tool(Risk.READ, sends=[ACCESS, "GET /workspaces/{id}"], title="Check who may message whom")
async def check_access(tenant: Tenant, caller_id: WorkspaceId, target_id: WorkspaceId) -> Access:
    """Tell whether one workspace may message another: siblings, ancestors and descendants may."""
    found: dict[str, Any] = {}

    async def read(identifier: str) -> None:
        found[identifier] = (await tenant.read("/workspaces/{id}", Row, id=identifier)).status

    await each({caller_id, target_id}, read)
    allowed = await may_message(tenant, caller_id, target_id)
    return Access(allowed=allowed, caller=found[caller_id], target=found[target_id])
