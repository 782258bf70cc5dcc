"""Approvals that agents ask for."""

import json
import sqlite3
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import decode, mapping, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, shown_or_none, stored

EXPIRES_AFTER = timedelta(minutes=10)
REQUEST = {"action": text, "reason": text, "task_id": text, "context": mapping}
OUTCOMES = {"approved": "APPROVAL_APPROVED", "denied": "APPROVAL_DENIED"}


def create_approval(call: Call) -> Response:
    """Open a pending request and tell the parent."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, REQUEST)
    if not given.get("action"):
        raise Refusal(400, "invalid request body")
    approval_id = call.instance.new_id()
    action, reason = given["action"], given.get("reason", "")
    with refusing(500, "failed to create approval"):
        workspace_id = uid(call.path["id"])
        call.db.insert(
            "approvals",
            id=approval_id,
            workspace_id=workspace_id,
            action=action,
            reason=reason,
            task_id=given.get("task_id", ""),
            context=json.dumps(given.get("context")),
            created_at=call.now,
        )
    told: dict[str, Any] = {"approval_id": approval_id, "action": action, "reason": reason}
    emit(call.instance, "APPROVAL_REQUESTED", workspace_id, **told, task_id=given.get("task_id", ""))
    row = find(call.db, workspace_id)
    if row is not None and row["parent_id"] is not None:
        emit(call.instance, "APPROVAL_ESCALATED", row["parent_id"], **told, from_workspace_id=workspace_id)
    return answer({"approval_id": approval_id, "status": "pending"}, 201)


def list_approvals(call: Call) -> Response:
    """The last 50 of one workspace, newest first, whatever their status."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    sql = "SELECT * FROM approvals WHERE workspace_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 50"
    return answer([_approval(row) for row in call.db.rows(sql, workspace_id)])


def list_pending_approvals(call: Call) -> Response:
    """Deny every request older than ten minutes, then list what is still pending."""
    call.db.run(
        "UPDATE approvals SET status = 'denied', decided_by = 'auto-expired', decided_at = ? "
        "WHERE status = 'pending' AND created_at < ?",
        call.now,
        stored(call.instance.now() - EXPIRES_AFTER),
    )
    rows = call.db.rows(
        "SELECT a.*, w.name AS workspace_name FROM approvals a JOIN workspaces w ON w.id = a.workspace_id "
        "WHERE a.status = 'pending' ORDER BY a.created_at DESC, a.rowid DESC LIMIT 50"
    )
    names = ("id", "workspace_id", "workspace_name", "action", "reason", "status")
    return answer([{name: row[name] for name in names} | {"created_at": shown(row["created_at"])} for row in rows])


def decide_approval(call: Call) -> Response:
    """Approve or deny a pending request, however old it is."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, {"decision": text, "decided_by": text})
    decision = given.get("decision", "")
    if not decision:
        raise Refusal(400, "invalid request body")
    if decision not in OUTCOMES:
        raise Refusal(400, "decision must be 'approved' or 'denied'")
    decided_by = given.get("decided_by") or "human"
    with refusing(500, "failed to update"):
        workspace_id, approval_id = uid(call.path["id"]), uid(call.path["approvalId"])
        changed = call.db.run(
            "UPDATE approvals SET status = ?, decided_by = ?, decided_at = ? "
            "WHERE id = ? AND workspace_id = ? AND status = 'pending'",
            decision,
            decided_by,
            call.now,
            approval_id,
            workspace_id,
        )
    if not changed:
        raise Refusal(404, "approval not found or already decided")
    emit(call.instance, OUTCOMES[decision], workspace_id, approval_id=approval_id, decided_by=decided_by)
    return answer({"status": decision, "approval_id": approval_id})


def _approval(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "task_id": row["task_id"],
        "action": row["action"],
        "reason": row["reason"],
        "status": row["status"],
        "decided_by": row["decided_by"],
        "decided_at": shown_or_none(row["decided_at"]),
        "created_at": shown(row["created_at"]),
    }


ROUTES = [
    Route("POST", "/workspaces/{id}/approvals", auth.workspace, create_approval),
    Route("GET", "/workspaces/{id}/approvals", auth.workspace, list_approvals),
    Route("GET", "/approvals/pending", auth.admin, list_pending_approvals),
    Route("POST", "/workspaces/{id}/approvals/{approvalId}/decide", auth.workspace, decide_approval),
]
