"""Schedules of a workspace. None ever fires here: the next run is told, not awaited."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import boolean, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.cron import BadExpression, BadZone, next_run
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import NEVER, moment, shown, shown_or_none, stored

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


def update_schedule(call: Call) -> Response:
    """Change what is given. Only a new expression or zone moves the next run; one switched on again may be overdue."""
    with refusing(400, "invalid JSON"):
        given = decode(call.body, FIELDS)
    timed = "cron_expr" in given or "timezone" in given
    row = _found(call, 404 if timed else 500, "schedule not found" if timed else "failed to update schedule")
    new = {name: given.get(name, row[name]) for name in FIELDS}
    due = _due(call, new["cron_expr"], new["timezone"] or "UTC") if timed else row["next_run_at"]
    with refusing(500, "failed to update schedule"):
        call.db.run(
            "UPDATE schedules SET name = ?, cron_expr = ?, timezone = ?, prompt = ?, enabled = ?, next_run_at = ?, "
            "updated_at = ? WHERE id = ?",
            *(new[name] for name in ("name", "cron_expr", "timezone", "prompt", "enabled")),
            due,
            call.now,
            row["id"],
        )
    return answer({"status": "updated"})


def delete_schedule(call: Call) -> Response:
    """Remove it for good; its past runs stay in the activity log."""
    row = _found(call, 500, "failed to delete schedule")
    call.db.run("DELETE FROM schedules WHERE id = ?", row["id"])
    return answer({"status": "deleted"})


def run_schedule(call: Call) -> Response:
    """Say "fired", run nothing, and answer the prompt."""
    row = _found(call, 500, "failed to read schedule")
    return answer({"status": "fired", "workspace_id": row["workspace_id"], "prompt": row["prompt"]})


def list_history(call: Call) -> Response:
    """The newest 20 runs of the scheduler; none for an id that is not known, or no id at all."""
    with refusing(500, "failed to query history"):
        workspace_id = uid(call.path["id"])
    sql = (
        "SELECT * FROM activity WHERE workspace_id = ? AND activity_type = 'cron_run' "
        "ORDER BY created_at DESC, rowid DESC"
    )
    runs = [(row, json.loads(row["request_body"] or "{}")) for row in call.db.rows(sql, workspace_id)]
    return answer(
        [
            {
                "timestamp": shown(row["created_at"]),
                "duration_ms": row["duration_ms"],
                "status": row["status"],
                "error_detail": row["error_detail"] or "",
                "request": request,
            }
            for row, request in runs
            if request.get("schedule_id") == call.path["scheduleId"].lower()
        ][:20]
    )


def list_all_health(call: Call) -> Response:
    """Whether each schedule ran lately: says nothing of failures, nor whether it is switched on."""
    sql = (
        "SELECT schedules.*, workspaces.name AS workspace_name FROM schedules JOIN workspaces "
        "ON workspaces.id = workspace_id WHERE workspaces.status != 'removed' ORDER BY workspaces.name, schedules.name"
    )
    return answer([_health(call, row) for row in call.db.rows(sql)])


def _health(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    threshold, last = _threshold(call, row), row["last_run_at"]
    stale = threshold and last and (call.instance.now() - moment(last)).total_seconds() > threshold
    return {
        "workspace_id": row["workspace_id"],
        "workspace_name": row["workspace_name"],
        "schedule_id": row["id"],
        "schedule_name": row["name"],
        "cron_expr": row["cron_expr"],
        "last_run_at": shown_or_none(last),
        "expected_next_run": shown_or_none(row["next_run_at"]),
        "status": "never_run" if last is None else "stale" if stale else "ok",
        "stale_threshold_seconds": threshold,
    }


def _threshold(call: Call, row: sqlite3.Row) -> int:
    """Twice the gap between the next two runs; 0 when there are none."""
    zone = row["timezone"] or "UTC"
    first = next_run(row["cron_expr"], zone, call.instance.now())
    second = next_run(row["cron_expr"], zone, first) if first else None
    return int((second - first).total_seconds()) * 2 if first and second else 0


def _found(call: Call, status: int, failure: str) -> sqlite3.Row:
    """The schedule of the path, in the workspace of the path; `failure` answers ids that are none."""
    with refusing(status, failure):
        ids = uid(call.path["scheduleId"]), uid(call.path["id"])
    for row in call.db.rows("SELECT * FROM schedules WHERE id = ? AND workspace_id = ?", *ids):
        return row
    raise Refusal(404, "schedule not found")


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
    Route("PATCH", "/workspaces/{id}/schedules/{scheduleId}", auth.workspace, update_schedule),
    Route("DELETE", "/workspaces/{id}/schedules/{scheduleId}", auth.workspace, delete_schedule),
    Route("POST", "/workspaces/{id}/schedules/{scheduleId}/run", auth.workspace, run_schedule),
    Route("GET", "/workspaces/{id}/schedules/{scheduleId}/history", auth.workspace, list_history),
    Route("GET", "/admin/schedules/health", auth.admin, list_all_health),
]
