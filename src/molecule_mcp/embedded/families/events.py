"""The structure events of the organization: the last 100, newest first, and those of one workspace as they come."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.streams import Following
from molecule_mcp.embedded.times import shown


def list_events(call: Call) -> Response:
    """Events of everybody."""
    sql = "SELECT * FROM events ORDER BY created_at DESC, rowid DESC LIMIT 100"
    return answer([_event(row) for row in call.db.rows(sql)])


def list_workspace_events(call: Call) -> Response:
    """Events of one workspace, also of one that is gone."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["workspaceId"])
    sql = "SELECT * FROM events WHERE workspace_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 100"
    return answer([_event(row) for row in call.db.rows(sql, workspace_id)])


def stream_workspace_events(call: Call) -> Response:
    """Follow one workspace as it goes, also a removed one."""
    with refusing(500, "failed to verify workspace"):
        workspace_id = uid(call.path["id"])
    if find(call.db, workspace_id) is None:
        raise Refusal(404, "workspace not found")
    return Following(call.instance.hub, workspace_id, call.instance.tick)


def _event(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event_type": row["event_type"],
        "workspace_id": row["workspace_id"],
        "payload": json.loads(row["payload"]),
        "created_at": shown(row["created_at"]),
    }


ROUTES = [
    Route("GET", "/events", auth.admin, list_events),
    Route("GET", "/events/{workspaceId}", auth.admin, list_workspace_events),
    Route("GET", "/workspaces/{id}/events/stream", auth.workspace, stream_workspace_events),
]
