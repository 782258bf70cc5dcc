"""Activity of a workspace, and the delegations among it."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

SOURCES = {"canvas": "source_id IS NULL", "agent": "source_id IS NOT NULL"}
PREVIEW_BYTES = 300


def list_activity(call: Call) -> Response:
    """Own rows, newest first, with full bodies."""
    kind, source = call.query.get("type", ""), call.query.get("source", "")
    if source and source not in SOURCES:
        raise Refusal(400, "source must be 'canvas' or 'agent'")
    conditions, values = ["workspace_id = ?"], [call.path["id"]]
    if kind:
        conditions.append("activity_type = ?")
        values.append(kind)
    if source:
        conditions.append(SOURCES[source])
    sql = f"SELECT * FROM activity WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, rowid DESC LIMIT ?"
    with refusing(500, "query failed"):
        values[0] = uid(values[0])
        rows = call.db.rows(sql, *values, call.limit(100, 500, over=500))
    return answer([_entry(row) for row in rows])


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


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    names = ("id", "workspace_id", "activity_type", "source_id", "target_id", "method", "summary")
    names += ("duration_ms", "status", "error_detail")
    told = {name: row[name] for name in names}
    bodies = {name: json.loads(row[name]) for name in ("request_body", "response_body", "tool_trace") if row[name]}
    return told | bodies | {"created_at": shown(row["created_at"])}


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
    if reply := response.get("text"):
        told["response_preview"] = preview(reply)
    return told


def preview(text: str) -> str:
    """The first 300 bytes of a reply, with "..." when there is more."""
    raw = text.encode()
    return text if len(raw) <= PREVIEW_BYTES else raw[:PREVIEW_BYTES].decode("utf-8", "ignore") + "..."


ROUTES = [
    Route("GET", "/workspaces/{id}/activity", auth.workspace, list_activity),
    Route("GET", "/workspaces/{id}/delegations", auth.workspace, list_delegations),
]
