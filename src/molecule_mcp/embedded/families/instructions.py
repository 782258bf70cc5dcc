"""Platform instructions: rules that enter the prompts of all agents or of one."""

import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import boolean, decode, integer, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.families.rules import int32
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

CREATE = {"scope": text, "scope_target": text, "title": text, "content": text, "priority": integer}
UPDATE = {"title": text, "content": text, "priority": integer, "enabled": boolean}
LONGEST = {"content": 8192, "title": 200}
"""Bytes, though the refusals say chars."""
APPLIES = "enabled AND (scope = 'global' OR scope = 'workspace' AND scope_target = ?)"
ORDER = "scope, priority DESC, created_at, rowid"
HEADINGS = {"global": "Platform-Wide Rules", "workspace": "Role-Specific Rules"}


def list_instructions(call: Call) -> Response:
    """All of a scope, or what applies to one workspace; then the scope counts for nothing."""
    where, values = "1", [value for value in (call.query.get("scope", ""),) if value]
    if values:
        where = "scope = ?"
    if workspace_id := call.query.get("workspace_id", ""):
        where, values = APPLIES, [workspace_id]
    with refusing(500, "query failed"):
        rows = call.db.rows(f"SELECT * FROM instructions WHERE {where} ORDER BY {ORDER}", *values)
    return answer([_instruction(row) for row in rows])


def create_instruction(call: Call) -> Response:
    """Add one, enabled; whether its target exists is not looked at."""
    missing = "scope, title, and content are required"
    with refusing(400, missing):
        given = decode(call.body, CREATE)
    if not all(given.get(name) for name in ("scope", "title", "content")):
        raise Refusal(400, missing)
    if given["scope"] not in HEADINGS:
        raise Refusal(400, "scope must be global or workspace (team scope not yet supported)")
    if given["scope"] == "workspace" and not given.get("scope_target"):
        raise Refusal(400, "scope_target required for workspace scope")
    _check_lengths(given)
    instruction_id = call.instance.new_id()
    with refusing(500, "insert failed"):
        call.db.insert(
            "instructions",
            id=instruction_id,
            scope=given["scope"],
            scope_target=given.get("scope_target"),
            title=given["title"],
            content=given["content"],
            priority=int32(given.get("priority", 0)),
            enabled=True,
            created_at=call.now,
            updated_at=call.now,
        )
    return answer({"id": instruction_id}, 201)


def update_instruction(call: Call) -> Response:
    """Change what is given; empty texts are taken, a scope is ignored."""
    with refusing(400, "invalid request"):
        given = decode(call.body, UPDATE)
    _check_lengths(given)
    with refusing(500, "update failed"):
        if "priority" in given:
            given["priority"] = int32(given["priority"])
        given["updated_at"] = call.now
        changes = ", ".join(f"{name} = ?" for name in given)
        sql = f"UPDATE instructions SET {changes} WHERE id = ?"
        found = call.db.run(sql, *given.values(), uid(call.path["id"]))
    if not found:
        raise Refusal(404, "instruction not found")
    return answer({"status": "updated"})


def delete_instruction(call: Call) -> Response:
    """Drop one for good."""
    with refusing(500, "delete failed"):
        found = call.db.run("DELETE FROM instructions WHERE id = ?", uid(call.path["id"]))
    if not found:
        raise Refusal(404, "instruction not found")
    return answer({"status": "deleted"})


def resolve_instructions(call: Call) -> Response:
    """What applies to a workspace as one Markdown text; any id is answered."""
    workspace_id = call.path["id"]
    with refusing(500, "query failed"):
        rows = call.db.rows(f"SELECT * FROM instructions WHERE {APPLIES} ORDER BY {ORDER}", workspace_id)
    merged = ""
    for scope, heading in HEADINGS.items():
        if rules := [row for row in rows if row["scope"] == scope]:
            merged += f"\n## {heading}\n\n" + "".join(f"### {row['title']}\n{row['content']}\n\n" for row in rules)
    return answer({"workspace_id": workspace_id, "instructions": merged})


def _check_lengths(given: dict[str, Any]) -> None:
    for name, limit in LONGEST.items():
        if len(given.get(name, "").encode()) > limit:
            raise Refusal(400, f"{name} exceeds {limit} chars")


def _instruction(row: sqlite3.Row) -> dict[str, Any]:
    told = {name: row[name] for name in ("id", "scope", "scope_target", "title", "content", "priority")}
    times = {name: shown(row[name]) for name in ("created_at", "updated_at")}
    return told | {"enabled": bool(row["enabled"])} | times


ROUTES = [
    Route("GET", "/instructions", auth.admin, list_instructions),
    Route("POST", "/instructions", auth.admin, create_instruction),
    Route("PUT", "/instructions/{id}", auth.admin, update_instruction),
    Route("DELETE", "/instructions/{id}", auth.admin, delete_instruction),
    Route("GET", "/workspaces/{id}/instructions/resolve", auth.workspace, resolve_instructions),
]
