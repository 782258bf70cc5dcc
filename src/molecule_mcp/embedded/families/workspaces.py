"""Workspaces: list, read, change, delete. Creating them is in `creation`."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, Kind, boolean, mapping, number, parse, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing, whole, workspace_uid
from molecule_mcp.embedded.database import StorageError, uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.families.creation import create_workspace
from molecule_mcp.embedded.families.rules import (
    FORBIDDEN,
    LINE_BREAKS,
    NAME_BYTES,
    ROLE_BYTES,
    RUNTIME_BYTES,
    allowed_directory,
    int32,
)
from molecule_mcp.embedded.lifecycle import below, find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown_or_none
from molecule_mcp.embedded.tokens import revoke_all

CONFIRM = "This workspace has sub-workspaces. Delete with ?confirm=true to cascade delete."
DAEMON_DOWN = "Cannot connect to the Docker daemon. Is the docker daemon running?"


def _nullable(kind: Kind) -> Kind:
    return lambda value: None if value is None else kind(value)


COLUMNS: dict[str, Kind] = {
    "name": text,
    "role": _nullable(text),
    "tier": int32,
    "parent_id": _nullable(lambda value: uid(text(value))),
    "collapsed": boolean,
    "runtime": text,
    "workspace_dir": _nullable(lambda value: text(value) or None),
    "x": number,
    "y": number,
}
"""What PATCH writes, each with what its column takes."""


def common(row: sqlite3.Row) -> dict[str, Any]:
    """What both the list and the single answer show."""
    return {
        "id": row["id"],
        "name": row["name"],
        "role": row["role"] or None,
        "tier": row["tier"],
        "status": row["status"],
        "agent_card": json.loads(row["agent_card"] or "null"),
        "url": row["url"],
        "parent_id": row["parent_id"],
        "active_tasks": row["active_tasks"],
        "max_concurrent_tasks": row["max_concurrent_tasks"],
        "last_error_rate": whole(row["last_error_rate"]),
        "uptime_seconds": row["uptime_seconds"],
        "runtime": row["runtime"],
        "x": whole(row["x"]),
        "y": whole(row["y"]),
        "collapsed": bool(row["collapsed"]),
    }


def list_workspaces(call: Call) -> Response:
    """Every workspace that is not removed, oldest first."""
    sql = "SELECT * FROM workspaces WHERE status != 'removed' ORDER BY created_at, rowid"
    more = ("current_task", "last_sample_error", "workspace_dir", "monthly_spend", "budget_limit")
    return answer([common(row) | {name: row[name] for name in more} for row in call.db.rows(sql)])


def get_workspace(call: Call) -> Response:
    """One workspace, a removed one too, without what is sensitive."""
    row = find(call.db, workspace_uid(call))
    if row is None:
        raise Refusal(404, "workspace not found")
    return answer(common(row) | {"last_outbound_at": shown_or_none(row["last_outbound_at"])})


def get_workspace_state(call: Call) -> Response:
    """Status as the agent itself reads it."""
    with refusing(500, "auth check failed"):
        auth.own_token(call)
    row = find(call.db, call.path["id"].lower())
    gone = {"workspace_id": call.path["id"], "deleted": True}
    if row is None:
        return answer(gone, 404)
    if row["status"] == "removed":
        return answer(gone | {"status": "removed"}, 404)
    state = {"status": row["status"], "paused": row["status"] == "paused", "deleted": False}
    return answer({"workspace_id": row["id"], **state})


def update_workspace(call: Call) -> Response:
    """Write each known field on its own; one that the database refuses is left as it was."""
    workspace_id = workspace_uid(call)
    with refusing(400, "invalid request body"):
        parsed = parse(call.body)
        given = {} if parsed is None else mapping(parsed)
    _check_texts(given)
    if find(call.db, workspace_id) is None:
        raise Refusal(404, "workspace not found")
    for column, value in _columns(given).items():
        try:
            sql = f"UPDATE workspaces SET {column} = ?, updated_at = ? WHERE id = ?"
            call.db.run(sql, COLUMNS[column](value), call.now, workspace_id)
        except (BadBody, StorageError):
            continue
    told: dict[str, Any] = {"status": "updated"}
    return answer(told | {"needs_restart": True} if "workspace_dir" in given else told)


def _check_texts(given: dict[str, Any]) -> None:
    limits = {"name": NAME_BYTES, "role": ROLE_BYTES, "runtime": RUNTIME_BYTES}
    for field, limit in limits.items():
        value = given.get(field)
        if not isinstance(value, str):
            continue
        if len(value.encode()) > limit:
            raise Refusal(400, f"{field} must be at most {limit} characters")
        if set(value) & (LINE_BREAKS if field == "runtime" else FORBIDDEN):
            raise Refusal(400, f"{field} contains invalid characters")
    directory = given.get("workspace_dir")
    if directory and not (isinstance(directory, str) and allowed_directory(directory)):
        raise Refusal(400, "invalid workspace directory")


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    placed = {"x", "y"} <= given.keys()
    return {name: given[name] for name in COLUMNS if name in given and (placed or name not in {"x", "y"})}


def delete_workspace(call: Call) -> Response:
    """Remove a workspace, with all below it when confirmed; purge erases the rows as well."""
    workspace_id = workspace_uid(call)
    sql = "SELECT id, name FROM workspaces WHERE parent_id = ? AND status != 'removed' ORDER BY created_at, rowid"
    children = [dict(row) for row in call.db.rows(sql, workspace_id)]
    if children and call.query.get("confirm") != "true":
        told = {"status": "confirmation_required", "message": CONFIRM}
        return answer(told | {"children": children, "children_count": len(children)}, 409)
    descendants = below(call.db, workspace_id, walked="status != 'removed'")
    itself = find(call.db, workspace_id)
    going = [row for row in (itself, *descendants) if row is not None]
    for row in going:
        _remove(call, row["id"], cascade=row is not itself)
    if call.instance.options.stops_fail and (kept := [row for row in going if row["runtime"] != "external"]):
        return _stop_failure(kept, len(going))
    if call.query.get("purge") == "true":
        for row in going:
            call.db.run("DELETE FROM workspaces WHERE id = ?", row["id"])
        return answer({"status": "purged", "cascade_deleted": len(descendants)})
    return answer({"status": "removed", "cascade_deleted": len(descendants)})


def _remove(call: Call, workspace_id: str, *, cascade: bool) -> None:
    call.db.run(
        "UPDATE workspaces SET status = 'removed', url = '', x = 0, y = 0, updated_at = ? WHERE id = ?",
        call.now,
        workspace_id,
    )
    revoke_all(call.instance, workspace_id)
    call.db.run("UPDATE schedules SET enabled = 0, updated_at = ? WHERE workspace_id = ?", call.now, workspace_id)
    emit(call.instance, "WORKSPACE_REMOVED", workspace_id, cascade=cascade)


def _stop_failure(kept: list[sqlite3.Row], removed: int) -> Response:
    stops = "; ".join(f"stop {row['id']}: force-remove ws-{row['id'][:12]}: {DAEMON_DOWN}" for row in kept)
    error = f"workspace marked removed, but {len(kept)} stop call(s) failed — please retry: {stops}"
    return answer({"error": error, "removed_count": removed, "stop_failures": len(kept)}, 500)


ROUTES = [
    Route("GET", "/workspaces", auth.admin, list_workspaces),
    Route("POST", "/workspaces", auth.admin, create_workspace),
    Route("GET", "/workspaces/{id}", auth.anyone, get_workspace),
    Route("PATCH", "/workspaces/{id}", auth.workspace, update_workspace),
    Route("DELETE", "/workspaces/{id}", auth.admin, delete_workspace),
    Route("GET", "/workspaces/{id}/state", auth.workspace, get_workspace_state),
]
