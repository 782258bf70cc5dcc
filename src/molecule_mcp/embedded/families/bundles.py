"""Bundles: a workspace and what is below it, out as JSON and in again.

An export reads the running container. Without one it takes the config of the template that has the workspace's
name, or, failing that, of the first template there is: somebody else's.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth, folders
from molecule_mcp.embedded.bodies import (
    BadBody,
    Kind,
    anything,
    array,
    integer,
    mapping,
    parse,
    struct,
    text,
    texts,
)
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import StorageError, uid
from molecule_mcp.embedded.families.rules import int32
from molecule_mcp.embedded.lifecycle import find, provision
from molecule_mcp.embedded.routing import Route

PROMPT = "system-prompt.md"
RUNTIME = re.compile(r"^runtime:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
NUL = 'pq: invalid byte sequence for encoding "UTF8": 0x00'
RANGE = "pq: integer out of range"


def export_bundle(call: Call) -> Response:
    """A workspace, a removed one too, with everything below it that is not removed."""
    with refusing(404, "bundle not found"):
        row = find(call.db, uid(call.path["id"]))
    if row is None:
        raise Refusal(404, "bundle not found")
    return answer(_bundle(call, row, set()))


def _bundle(call: Call, row: sqlite3.Row, above: set[str]) -> dict[str, Any]:
    path = above | {row["id"]}
    sql = "SELECT * FROM workspaces WHERE parent_id = ? AND status != 'removed' ORDER BY created_at, rowid"
    children = [child for child in call.db.rows(sql, row["id"]) if child["id"] not in path]
    found = _files(call, row)
    return {
        "schema": "1.0",
        "id": row["id"],
        "name": row["name"],
        "description": row["role"] or "",
        "tier": row["tier"],
        "model": "",
        "system_prompt": found.get(PROMPT, ""),
        "skills": _skills(found),
        "tools": [],
        "prompts": {folders.CONFIG: found[folders.CONFIG]} if folders.CONFIG in found else {},
        "sub_workspaces": [_bundle(call, child, path) for child in children],
        "agent_card": json.loads(row["agent_card"] or "null"),
        "author": "",
        "version": "1.0.0",
    }


def _files(call: Call, row: sqlite3.Row) -> dict[str, str]:
    if folders.runs(row):
        return folders.container_files(call.db, row)
    known = folders.folders(call.db, "workspace")
    folder = folders.namesake(call.db, row["name"]) or (known[0] if known else None)
    return folders.files(call.db, "workspace", folder) if folder else {}


def _skills(found: Mapping[str, str]) -> list[dict[str, Any]]:
    skills: dict[str, dict[str, str]] = {}
    for path, content in found.items():
        parts = path.split("/", 2)
        if parts[0] == "skills" and len(parts) == 3:
            skills.setdefault(parts[1], {})[parts[2]] = content
    return [{"id": each, "name": each, "description": "", "files": inner} for each, inner in skills.items()]


def import_bundle(call: Call) -> Response:
    """Make new root workspaces; one that cannot be stored is told inside an answer that says 201."""
    with refusing(400, "invalid bundle"):
        parsed = parse(call.body)
        try:
            given = bundle({} if parsed is None else parsed)
        except RecursionError as deep:
            raise BadBody("nested too deep") from deep
    return answer(_made(call, given, None), 201)


def bundle(value: Any) -> dict[str, Any]:
    """A bundle, and those in it."""
    kinds: dict[str, Kind] = {
        **dict.fromkeys(("schema", "id", "name", "description", "model", "system_prompt", "author", "version"), text),
        "tier": integer,
        "skills": array(struct({"id": text, "name": text, "description": text, "files": texts})),
        "tools": array(struct({"id": text, "config": mapping})),
        "prompts": texts,
        "sub_workspaces": array(bundle),
        "agent_card": anything,
    }
    return struct(kinds)(value)


def _made(call: Call, given: dict[str, Any], parent: str | None) -> dict[str, Any]:
    """Store one, then its children; those of one that failed are not tried."""
    workspace_id = call.instance.new_id()
    told = {"workspace_id": workspace_id, "name": given.get("name", "")}
    try:
        with call.db.savepoint():
            _insert(call, workspace_id, given, parent)
    except (StorageError, BadBody) as refused:
        why = RANGE if isinstance(refused, BadBody) else NUL
        return told | {"status": "failed", "error": f"failed to create workspace record: {why}"}
    provision(call.instance, workspace_id)
    children = [_made(call, child, workspace_id) for child in given.get("sub_workspaces", [])]
    return told | {"status": "provisioning"} | ({"children": children} if children else {})


def _insert(call: Call, workspace_id: str, given: dict[str, Any], parent: str | None) -> None:
    config = given.get("prompts", {}).get(folders.CONFIG, "")
    runtime = RUNTIME.search(config)
    call.db.insert(
        "workspaces",
        id=workspace_id,
        name=given.get("name", ""),
        role=given.get("description") or None,
        tier=int32(given.get("tier", 0)),
        status="provisioning",
        parent_id=parent,
        runtime=(runtime and runtime[1].strip("\"'")) or "langgraph",
        provisioning_at=call.now,
        created_at=call.now,
        updated_at=call.now,
    )
    contents = {folders.CONFIG: config, PROMPT: given.get("system_prompt", "")}
    for skill in given.get("skills", []):
        for path, content in skill.get("files", {}).items():
            contents[f"skills/{skill.get('id', '')}/{path}"] = content
    for path, content in contents.items():
        if content:
            folders.write_container(call.db, workspace_id, path, content)


ROUTES = [
    Route("GET", "/bundles/export/{id}", auth.admin, export_bundle),
    Route("POST", "/bundles/import", auth.admin, import_bundle),
]
