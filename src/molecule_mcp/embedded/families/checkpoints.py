"""Checkpoints of workflows, by which agents resume their work."""

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, anything, decode, integer, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.families.memory import ordered
from molecule_mcp.embedded.families.rules import int32
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

FIELDS = {"workflow_id": text, "step_name": text, "step_index": integer, "payload": anything}


def save_checkpoint(call: Call) -> Response:
    """Write the state of one step over what was there; 201 either way."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, FIELDS)
    names = {name: given.get(name, "") for name in ("workflow_id", "step_name")}
    if not all(names.values()):
        raise Refusal(400, "invalid request body")
    with refusing(500, "failed to upsert checkpoint"):
        payload = json.dumps(ordered(given.get("payload")))
        if "\\u0000" in payload:
            raise BadBody("NUL cannot be stored")
        key = {"workspace_id": uid(call.path["id"]), **names}
        row = call.db.row(
            "INSERT INTO checkpoints (id, workspace_id, workflow_id, step_name, step_index, payload, completed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, workflow_id, step_name) DO UPDATE SET "
            "step_index = excluded.step_index, payload = excluded.payload, completed_at = excluded.completed_at "
            "RETURNING id",
            call.instance.new_id(),
            *key.values(),
            int32(given.get("step_index", 0)),
            payload,
            call.now,
        )
    assert row is not None
    return answer({"id": row["id"], **key}, 201)


def get_latest_checkpoint(call: Call) -> Response:
    """The newest of all workflows."""
    sql = "SELECT * FROM checkpoints WHERE workspace_id = ? ORDER BY completed_at DESC, rowid DESC LIMIT 1"
    with refusing(500, "failed to fetch latest checkpoint"):
        row = call.db.row(sql, uid(call.path["id"]))
    if row is None:
        raise Refusal(404, "no checkpoints found for workspace")
    return answer(_checkpoint(row))


def list_checkpoints(call: Call) -> Response:
    """The steps of one workflow, highest index first; none is 404."""
    sql = "SELECT * FROM checkpoints WHERE workspace_id = ? AND workflow_id = ? ORDER BY step_index DESC, rowid"
    with refusing(500, "failed to list checkpoints"):
        rows = call.db.rows(sql, uid(call.path["id"]), call.path["wfid"])
    if not rows:
        raise Refusal(404, "no checkpoints found for workflow")
    return answer([_checkpoint(row) for row in rows])


def delete_checkpoints(call: Call) -> Response:
    """Drop every step of one workflow."""
    sql = "DELETE FROM checkpoints WHERE workspace_id = ? AND workflow_id = ?"
    with refusing(500, "failed to delete checkpoints"):
        deleted = call.db.run(sql, uid(call.path["id"]), call.path["wfid"])
    if not deleted:
        raise Refusal(404, "no checkpoints found for workflow")
    return answer({"deleted": deleted, "workflow_id": call.path["wfid"]})


def _checkpoint(row: sqlite3.Row) -> dict[str, Any]:
    told = {name: row[name] for name in ("id", "workspace_id", "workflow_id", "step_name", "step_index")}
    return told | {"completed_at": shown(row["completed_at"]), "payload": json.loads(row["payload"])}


ROUTES = [
    Route("POST", "/workspaces/{id}/checkpoints", auth.workspace, save_checkpoint),
    Route("GET", "/workspaces/{id}/checkpoints/latest", auth.workspace, get_latest_checkpoint),
    Route("GET", "/workspaces/{id}/checkpoints/{wfid}", auth.workspace, list_checkpoints),
    Route("DELETE", "/workspaces/{id}/checkpoints/{wfid}", auth.workspace, delete_checkpoints),
]
