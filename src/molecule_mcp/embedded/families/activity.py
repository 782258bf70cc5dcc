"""What a workspace did, and what people are told in its name."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import array, decode, integer, struct, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import log_activity, tell
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

BODIES = ("request_body", "response_body")
SOURCES = {"canvas": "source_id IS NULL", "agent": "source_id IS NOT NULL"}
FOUND = """
SELECT * FROM (
    SELECT 'activity' AS kind, id, workspace_id, activity_type AS label, coalesce(summary, '') AS content,
        coalesce(method, '') AS method, status, request_body, response_body, created_at, rowid AS place
    FROM activity WHERE workspace_id = ?1
    UNION ALL
    SELECT 'memory', id, workspace_id, scope, content, '', '', NULL, NULL, created_at, rowid
    FROM memories WHERE workspace_id = ?1
)
WHERE content LIKE ?2 OR label LIKE ?2 OR method LIKE ?2 OR status LIKE ?2 OR request_body LIKE ?2
    OR response_body LIKE ?2
ORDER BY created_at DESC, place DESC LIMIT ?3
"""
"""% and _ of the searched text work as wildcards, as on the tenant; traces and error details are not searched."""

ATTACHMENT = {"uri": text, "name": text, "mimeType": text, "size": integer}
NOTICE = {"message": text, "attachments": array(struct(ATTACHMENT))}


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


def search_session(call: Call) -> Response:
    """Activity and memories in one list, newest first."""
    with refusing(500, "session search failed"):
        workspace_id = uid(call.path["id"])
        like = f"%{call.query.get('q', '').strip()}%"
        rows = call.db.rows(FOUND, workspace_id, like, call.limit(50, 200, over=200))
    names = ("kind", "id", "workspace_id", "label", "content", "method", "status")
    found = [{name: row[name] for name in names} | _bodies(row, *BODIES) | _age(row) for row in rows]
    return answer(found)


def list_traces(call: Call) -> Response:
    """None, for any id: this tenant has no Langfuse."""
    return answer([])


def notify_user(call: Call) -> Response:
    """Put a message before the people who watch the canvas, as if the agent had written it."""
    with refusing(400, "message is required"):
        given = decode(call.body, NOTICE)
    if not given.get("message"):
        raise Refusal(400, "message is required")
    for place, attached in enumerate(given.get("attachments", [])):
        if not (attached.get("uri") and attached.get("name")):
            raise Refusal(400, f"attachment[{place}]: uri and name are required")
    with refusing(404, "workspace not found"):
        row = find(call.db, uid(call.path["id"]))
    if row is None or row["status"] == "removed":
        raise Refusal(404, "workspace not found")
    shown_to_people = {"result": given["message"], "attachments": given.get("attachments", [])}
    log_activity(
        call.instance,
        row["id"],
        "a2a_receive",
        "Agent message to user",
        method="notify",
        response_body=json.dumps(shown_to_people, ensure_ascii=False),
    )
    tell(
        call.instance, "AGENT_MESSAGE", row["id"], message=given["message"], attachments=shown_to_people["attachments"]
    )
    return answer({"status": "sent"})


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    names = ("id", "workspace_id", "activity_type", "source_id", "target_id", "method", "summary")
    names += ("duration_ms", "status", "error_detail")
    told = {name: row[name] for name in names}
    return told | _bodies(row, *BODIES, "tool_trace") | _age(row)


def _bodies(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    """JSON columns; one without a value is left out."""
    return {name: json.loads(row[name]) for name in names if row[name]}


def _age(row: sqlite3.Row) -> dict[str, str]:
    return {"created_at": shown(row["created_at"])}


ROUTES = [
    Route("GET", "/workspaces/{id}/activity", auth.workspace, list_activity),
    Route("GET", "/workspaces/{id}/session-search", auth.workspace, search_session),
    Route("GET", "/workspaces/{id}/traces", auth.workspace, list_traces),
    Route("POST", "/workspaces/{id}/notify", auth.workspace, notify_user),
]
