"""Pause, resume and restart."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, boolean, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.lifecycle import below, find, paused_ancestor, provision
from molecule_mcp.embedded.routing import Route

RESTART_FIELDS = {"template": text, "apply_template": boolean, "reset": boolean, "rebuild_config": boolean}


def pause_workspace(call: Call) -> Response:
    """Pause a workspace and what is below it, down to whatever is paused already."""
    workspace_id = _id(call)
    row = find(call.db, workspace_id)
    if row is None or row["status"] in {"removed", "paused"}:
        raise Refusal(404, "workspace not found or already paused")
    paused = [row, *below(call.db, workspace_id, walked="status NOT IN ('removed', 'paused')")]
    for each in paused:
        sql = "UPDATE workspaces SET status = 'paused', url = '', updated_at = ? WHERE id = ?"
        call.db.run(sql, call.now, each["id"])
        emit(call.instance, "WORKSPACE_PAUSED", each["id"])
    return answer({"status": "paused", "paused_count": len(paused)})


def resume_workspace(call: Call) -> Response:
    """Start a paused workspace again, and every paused one below it."""
    workspace_id = _id(call)
    row = find(call.db, workspace_id)
    if row is None or row["status"] != "paused":
        raise Refusal(404, "workspace not found or not paused")
    _refuse_below_paused(call, workspace_id)
    resumed = [row, *below(call.db, workspace_id, walked="status = 'paused'")]
    for each in resumed:
        provision(call.instance, each["id"])
    return answer({"status": "provisioning", "resumed_count": len(resumed)})


def restart_workspace(call: Call) -> Response:
    """Start a workspace from scratch, whatever its status, even a removed one."""
    workspace_id = _id(call)
    row = find(call.db, workspace_id)
    if row is None:
        raise Refusal(404, "workspace not found")
    _refuse_below_paused(call, workspace_id)
    try:
        wanted = decode(call.body, RESTART_FIELDS)
    except BadBody:
        wanted = {}
    provision(call.instance, workspace_id)
    reset = wanted.get("reset", False) or call.query.get("reset") == "true"
    folder = f"{row['runtime']}-default" if wanted.get("apply_template") else "existing-volume"
    return answer({"status": "provisioning", "config_dir": folder, "reset_session": reset})


def _id(call: Call) -> str:
    with refusing(500, "lookup failed"):
        return uid(call.path["id"])


def _refuse_below_paused(call: Call, workspace_id: str) -> None:
    name = paused_ancestor(call.db, workspace_id)
    if name is not None:
        raise Refusal(409, f'parent workspace "{name}" is paused — resume it first')


ROUTES = [
    Route("POST", "/workspaces/{id}/pause", auth.workspace, pause_workspace),
    Route("POST", "/workspaces/{id}/resume", auth.workspace, resume_workspace),
    Route("POST", "/workspaces/{id}/restart", auth.workspace, restart_workspace),
]
