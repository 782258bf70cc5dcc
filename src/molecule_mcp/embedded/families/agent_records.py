"""Which model occupies a workspace, as a note: nothing reads it, and no route shows it."""

import sqlite3

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route


def assign_agent(call: Call) -> Response:
    """Note a model, one for each workspace."""
    model = _field(call, "model")
    with refusing(500, "lookup failed"):
        workspace_id = uid(call.path["id"])
    if find(call.db, workspace_id) is None:
        raise Refusal(404, "workspace not found")
    if _active(call, workspace_id) is not None:
        raise Refusal(409, "workspace already has an active agent, use PATCH to replace")
    return answer({"agent_id": _noted(call, workspace_id, model, "AGENT_ASSIGNED"), "model": model}, 201)


def replace_agent(call: Call) -> Response:
    """Note another model; the former one is named here for the last time."""
    model = _field(call, "model")
    with refusing(500, "failed to replace agent"):
        workspace_id = uid(call.path["id"])
    former = _active(call, workspace_id)
    if former is None:
        raise Refusal(404, "no active agent to replace")
    call.db.run("UPDATE agents SET status = 'replaced' WHERE id = ?", former["id"])
    agent_id = _noted(call, workspace_id, model, "AGENT_REPLACED")
    return answer({"agent_id": agent_id, "model": model, "old_model": former["model"]})


def remove_agent(call: Call) -> Response:
    """Drop the note."""
    with refusing(500, "failed to remove agent"):
        workspace_id = uid(call.path["id"])
    former = _active(call, workspace_id)
    if former is None:
        raise Refusal(404, "no active agent to remove")
    call.db.run("UPDATE agents SET status = 'removed' WHERE id = ?", former["id"])
    emit(call.instance, "AGENT_REMOVED", workspace_id, agent_id=former["id"])
    return answer({"status": "removed", "agent_id": former["id"]})


def move_agent(call: Call) -> Response:
    """Hang the note on another workspace, even a removed one."""
    given = _field(call, "target_workspace_id")
    with refusing(500, "target lookup failed"):
        target, source = uid(given), uid(call.path["id"])
    if find(call.db, target) is None:
        raise Refusal(404, "target workspace not found")
    if _active(call, target) is not None:
        raise Refusal(409, "target workspace already has an active agent")
    agent = _active(call, source)
    if agent is None:
        raise Refusal(404, "no active agent in source workspace")
    call.db.run("UPDATE agents SET workspace_id = ? WHERE id = ?", target, agent["id"])
    emit(call.instance, "AGENT_MOVED", source, agent_id=agent["id"], target_workspace_id=target)
    told = {"agent_id": agent["id"], "model": agent["model"]}
    return answer(told | {"from_workspace": source, "to_workspace": target})


def _field(call: Call, name: str) -> str:
    with refusing(400, "invalid request body"):
        value = decode(call.body, {name: text}).get(name, "")
    if not value:
        raise Refusal(400, "invalid request body")
    return value


def _active(call: Call, workspace_id: str) -> sqlite3.Row | None:
    return call.db.row("SELECT * FROM agents WHERE workspace_id = ? AND status = 'active'", workspace_id)


def _noted(call: Call, workspace_id: str, model: str, event: str) -> str:
    agent_id = call.instance.new_id()
    with refusing(500, "failed to assign agent"):
        call.db.insert("agents", id=agent_id, workspace_id=workspace_id, model=model, status="active")
    emit(call.instance, event, workspace_id, agent_id=agent_id, model=model)
    return agent_id


ROUTES = [
    Route("POST", "/workspaces/{id}/agent", auth.workspace, assign_agent),
    Route("PATCH", "/workspaces/{id}/agent", auth.workspace, replace_agent),
    Route("DELETE", "/workspaces/{id}/agent", auth.workspace, remove_agent),
    Route("POST", "/workspaces/{id}/agent/move", auth.workspace, move_agent),
]
