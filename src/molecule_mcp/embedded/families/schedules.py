"""Schedules of a workspace. None ever fires here: the next run is told, not awaited."""

import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import boolean, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.cron import BadExpression, BadZone, next_run
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import NEVER, shown, shown_or_none, stored

FIELDS = {"name": text, "cron_expr": text, "timezone": text, "prompt": text, "enabled": boolean}


def list_schedules(call: Call) -> Response:
    """All schedules with their prompts, oldest first."""
    with refusing(500, "failed to query schedules"):
        workspace_id = uid(call.path["id"])
    sql = "SELECT * FROM schedules WHERE workspace_id = ? ORDER BY created_at, rowid"
    return answer([_schedule(row) for row in call.db.rows(sql, workspace_id)])


def create_schedule(call: Call) -> Response:
    """Store a prompt and when it is due."""
    with refusing(400, "cron_expr and prompt are required"):
        given = decode(call.body, FIELDS)
    if not given.get("cron_expr") or not given.get("prompt"):
        raise Refusal(400, "cron_expr and prompt are required")
    zone = given.get("timezone") or "UTC"
    due = _due(call, given["cron_expr"], zone)
    schedule_id = call.instance.new_id()
    with refusing(500, "failed to create schedule"):
        call.db.insert(
            "schedules",
            id=schedule_id,
            workspace_id=uid(call.path["id"]),
            name=given.get("name", ""),
            cron_expr=given["cron_expr"],
            timezone=zone,
            prompt=given["prompt"].replace("\r", ""),
            enabled=given.get("enabled", True),
            next_run_at=due,
            created_at=call.now,
            updated_at=call.now,
        )
    return answer({"id": schedule_id, "status": "created", "next_run_at": shown(due)}, 201)


def _due(call: Call, expression: str, zone: str) -> str:
    try:
        due = next_run(expression, zone, call.instance.now())
    except BadZone as unknown:
        raise Refusal(400, f"invalid timezone: {zone}") from unknown
    except BadExpression as wrong:
        raise Refusal(400, "invalid request body") from wrong
    return NEVER if due is None else stored(due)


def _schedule(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "workspace_id": row["workspace_id"],
        "name": row["name"],
        "cron_expr": row["cron_expr"],
        "timezone": row["timezone"],
        "prompt": row["prompt"],
        "enabled": bool(row["enabled"]),
        "last_run_at": shown_or_none(row["last_run_at"]),
        "next_run_at": shown_or_none(row["next_run_at"]),
        "run_count": row["run_count"],
        "last_status": row["last_status"],
        "last_error": row["last_error"],
        "source": row["source"],
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
    }


ROUTES = [
    Route("GET", "/workspaces/{id}/schedules", auth.workspace, list_schedules),
    Route("POST", "/workspaces/{id}/schedules", auth.workspace, create_schedule),
]
