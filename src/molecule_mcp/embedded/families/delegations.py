"""Tasks that workspaces hand to each other, by the road of an operator: accepted first, checked afterwards."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth, delegations
from molecule_mcp.embedded.bodies import decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import UUID_TEXT, StorageError, uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

FIELDS = {"target_id": text, "task": text, "idempotency_key": text}
PREVIEW_BYTES = 300
UNTRACKED = "delegation dispatched but status tracking unavailable"


def delegate_task(call: Call) -> Response:
    """Accept a task for another workspace; whoever may not, or is not there, fails later."""
    with refusing(400, "invalid delegation request"):
        given = decode(call.body, FIELDS)
    target_id, task, key = given.get("target_id", ""), given.get("task", ""), given.get("idempotency_key") or None
    if not (target_id and task):
        raise Refusal(400, "invalid delegation request")
    if not UUID_TEXT.fullmatch(target_id):
        raise Refusal(400, "target_id must be a valid UUID")
    source_id, target_id = call.path["id"].lower(), target_id.lower()
    if source_id == target_id:
        raise Refusal(400, "self-delegation not permitted")
    accepted: dict[str, Any] = {"status": "delegated", "target_id": target_id}
    try:
        if key and (earlier := delegations.known(call.instance, source_id, key)):
            told = {name: earlier[name] for name in ("delegation_id", "status", "target_id")}
            return answer({**told, "idempotent_hit": True})
        with call.db.savepoint():
            accepted["delegation_id"] = delegations.hand_over(call.instance, source_id, target_id, task, key)
    except StorageError:
        return answer({**accepted, "delegation_id": call.instance.new_id(), "warning": UNTRACKED}, 202)
    sent = {"delegation_id": accepted["delegation_id"], "target_id": target_id, "task_preview": task[:100]}
    emit(call.instance, "DELEGATION_SENT", source_id, **sent)
    return answer(accepted, 202)


def list_delegations(call: Call) -> Response:
    """What this workspace handed to others: two rows per delegation, the last 50."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    rows = call.db.rows(
        "SELECT * FROM activity WHERE workspace_id = ? AND activity_type = 'delegation' "
        "ORDER BY created_at DESC, rowid DESC LIMIT 50",
        workspace_id,
    )
    return answer([_delegation(row) for row in rows])


def _delegation(row: sqlite3.Row) -> dict[str, Any]:
    request, response = json.loads(row["request_body"] or "{}"), json.loads(row["response_body"] or "{}")
    told: dict[str, Any] = {
        "id": row["id"],
        "type": "delegation",
        "source_id": row["source_id"] or "",
        "target_id": row["target_id"] or "",
        "summary": row["summary"],
        "status": row["status"],
        "created_at": shown(row["created_at"]),
    }
    if delegation_id := request.get("delegation_id") or response.get("delegation_id"):
        told["delegation_id"] = delegation_id
    if row["error_detail"]:
        told["error"] = row["error_detail"]
    if reply := response.get("text") or (row["status"] == "queued" and row["response_body"]):
        told["response_preview"] = preview(reply)
    return told


def preview(reply: str) -> str:
    """The first 300 bytes of a reply, with "..." when there is more."""
    raw = reply.encode()
    return reply if len(raw) <= PREVIEW_BYTES else raw[:PREVIEW_BYTES].decode("utf-8", "ignore") + "..."


ROUTES = [
    Route("POST", "/workspaces/{id}/delegate", auth.workspace, delegate_task),
    Route("GET", "/workspaces/{id}/delegations", auth.workspace, list_delegations),
]
