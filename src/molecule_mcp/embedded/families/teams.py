"""Hibernation, which never works, and teams made and dissolved in one request."""

import sqlite3
from typing import Any, NamedTuple, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth, folders
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.families.templates import folder_name
from molecule_mcp.embedded.lifecycle import find, provision
from molecule_mcp.embedded.routing import Route


class Member(NamedTuple):
    """An entry of a template's sub_workspaces; without a name it takes that of its own template's folder."""

    name: str
    role: str


def hibernate_workspace(call: Call) -> Response:
    """Say "hibernated" and change nothing: the status on the way there is none that the database takes."""
    row = _row(call)
    if row is None or row["status"] not in {"online", "degraded"}:
        raise Refusal(404, "workspace not found or not in a hibernatable state (must be online or degraded)")
    if row["active_tasks"] and call.query.get("force") != "true":
        error = "workspace has active tasks; use ?force=true to terminate them"
        raise Refusal(409, error, active_tasks=row["active_tasks"])
    return answer({"status": "hibernated"})


def expand_team(call: Call) -> Response:
    """Create what the template of the workspace's name lists, once more at every call."""
    row = _row(call)
    if row is None:
        raise Refusal(404, "workspace not found")
    config = _template(call, row["name"])
    if config is None:
        raise Refusal(400, "no config found for workspace")
    members = _members(config.get("sub_workspaces"))
    if not members:
        raise Refusal(400, "workspace has no sub_workspaces defined in config")
    children = [{"id": _born(call, row, one), **one._asdict()} for one in members]
    emit(call.instance, "WORKSPACE_EXPANDED", row["id"])
    return answer({"status": "expanded", "children": children})


def _template(call: Call, name: str) -> dict[str, Any] | None:
    folder = folder_name(name)
    if folder not in folders.folders(call.db, "workspace"):
        found = folders.namesake(call.db, name)
        return None if found is None else folders.config(call.db, found)
    return folders.config(call.db, folder)


def _members(entries: Any) -> list[Member]:
    found: list[Member] = []
    for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
        given = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"config": entry}
        found.append(Member(str(given.get("name") or given.get("config") or ""), str(given.get("role") or "")))
    return found


def _born(call: Call, parent: sqlite3.Row, member: Member) -> str:
    child = call.instance.new_id()
    call.db.insert(
        "workspaces",
        id=child,
        name=member.name,
        role=member.role or None,
        tier=parent["tier"],
        status="provisioning",
        parent_id=parent["id"],
        runtime="langgraph",
        provisioning_at=call.now,
        # Without containers of the tenant's own nothing ever starts the row, until it is failed.
        awaiting_agent=call.instance.options.hosted,
        created_at=call.now,
        updated_at=call.now,
    )
    if not call.instance.options.hosted:
        provision(call.instance, child)
    return child


def collapse_team(call: Call) -> Response:
    """Remove the direct children and nothing of what they have: not what is below, nor tokens, nor schedules."""
    with refusing(500, "failed to query children"):
        workspace_id = uid(call.path["id"])
    sql = "SELECT * FROM workspaces WHERE parent_id = ? AND status != 'removed' ORDER BY created_at, rowid"
    children = call.db.rows(sql, workspace_id)
    for child in children:
        gone = "UPDATE workspaces SET status = 'removed', url = '', updated_at = ? WHERE id = ?"
        call.db.run(gone, call.now, child["id"])
        emit(call.instance, "WORKSPACE_REMOVED", child["id"])
    emit(call.instance, "WORKSPACE_COLLAPSED", workspace_id)
    return answer({"status": "collapsed", "removed": [child["name"] for child in children]})


def _row(call: Call) -> sqlite3.Row | None:
    with refusing(500, "lookup failed"):
        return find(call.db, uid(call.path["id"]))


ROUTES = [
    Route("POST", "/workspaces/{id}/hibernate", auth.workspace, hibernate_workspace),
    Route("POST", "/workspaces/{id}/expand", auth.workspace, expand_team),
    Route("POST", "/workspaces/{id}/collapse", auth.workspace, collapse_team),
]
