"""Memories that agents commit and search: LOCAL, TEAM and GLOBAL."""

import hashlib
import re
import sqlite3
from datetime import UTC, timedelta
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, array, decode, parse, struct, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import StorageError, uid
from molecule_mcp.embedded.events import log_activity
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.scrub import scrubbed
from molecule_mcp.embedded.times import moment, shown, stored

FIELDS = {"content": text, "scope": text, "namespace": text}
ENTRY = {**FIELDS, "created_at": text, "workspace_name": text}
DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
SCOPES = ("LOCAL", "TEAM", "GLOBAL")
NAMESPACE_BYTES = 50
WORD = re.compile(r"[^\W_]+")
LEADING_DIGITS = re.compile(r"\d*", re.ASCII)
STOP_WORD_LIST = (
    "i me my we our you your he him his she her it its they them their what which who whom this that these those am "
    "is are was were be been being have has had do does did a an the and but if or because as until while of at by "
    "for with about against between into through during before after above below to from up down in out on off over "
    "under again further then once here there when where why how all any both each few more most other some such no "
    "nor not only own same so than too very s t can will just don should now"
)
STOP_WORDS = frozenset(STOP_WORD_LIST.split())


def commit_memory(call: Call) -> Response:
    """Append one memory, scrubbed of what looks like a credential."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, FIELDS)
    content, scope = given.get("content", ""), given.get("scope", "")
    if not content or not scope:
        raise Refusal(400, "invalid request body")
    if scope not in SCOPES:
        raise Refusal(400, "scope must be LOCAL, TEAM, or GLOBAL")
    namespace = given.get("namespace") or "general"
    if len(namespace.encode()) > NAMESPACE_BYTES:
        raise Refusal(400, f"namespace must be <= {NAMESPACE_BYTES} characters")
    with refusing(500, "failed to store memory"):
        workspace_id = uid(call.path["id"])
        row = find(call.db, workspace_id)
        if scope == "GLOBAL" and row is not None and row["parent_id"] is not None:
            raise Refusal(403, "only root workspaces can write GLOBAL memories")
        memory_id = remember(call, workspace_id, content, scope, namespace)
        if scope == "GLOBAL":
            digest = hashlib.sha256(content.encode()).hexdigest()
            summary = f"GLOBAL memory {memory_id} written, sha256 {digest}"
            log_activity(call.instance, workspace_id, "memory_write_global", summary, source_id=workspace_id)
    return answer({"id": memory_id, "scope": scope, "namespace": namespace}, 201)


def remember(call: Call, workspace_id: str, content: str, scope: str, namespace: str) -> str:
    """Store one memory; its id.

    Raises:
        StorageError: No such workspace, or a NUL character.
    """
    memory_id = call.instance.new_id()
    kept = scrubbed(content)
    call.db.insert(
        "memories",
        id=memory_id,
        workspace_id=workspace_id,
        content=kept.replace("[MEMORY ", "[_MEMORY ") if scope == "GLOBAL" else kept,
        scope=scope,
        namespace=namespace,
        created_at=call.now,
    )
    return memory_id


def search_memories(call: Call) -> Response:
    """Own memories, or those of the asked scope; filtered by namespace and text."""
    scope, query = call.query.get("scope", ""), call.query.get("q", "")
    with refusing(500, "search failed"):
        tables, conditions, values = _reach(call, scope)
        if namespace := call.query.get("namespace", ""):
            conditions.append("m.namespace = ?")
            values.append(namespace)
        order = "m.created_at DESC, m.number DESC"
        if len(query.encode()) == 1:
            conditions.append("m.content LIKE ?")
            values.append(f"%{query}%")
        elif query:
            tables += " JOIN memories_text f ON f.rowid = m.number"
            conditions.append("memories_text MATCH ?")
            values.append(_words(query))
            order = f"f.rank, {order}"
        if values and values[-1] is None:
            return answer([])
        sql = f"SELECT m.* FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"
        rows = call.db.rows(sql, *values, _limit(call.query.get("limit", "")))
    return answer([_memory(row) for row in rows])


def delete_memory(call: Call) -> Response:
    """Drop one memory, through its own workspace only."""
    with refusing(500, "delete failed"):
        sql = "DELETE FROM memories WHERE id = ? AND workspace_id = ?"
        found = call.db.run(sql, uid(call.path["memoryId"]), uid(call.path["id"]))
    if not found:
        raise Refusal(404, "memory not found or not owned by this workspace")
    return answer({"status": "deleted"})


def export_memories(call: Call) -> Response:
    """Every memory there is, oldest first, by workspace name and not wrapped."""
    sql = "SELECT m.*, w.name AS workspace_name FROM memories m JOIN workspaces w ON w.id = m.workspace_id"
    rows = call.db.rows(f"{sql} ORDER BY m.created_at, m.number")
    names = ("id", "scope", "namespace", "workspace_name")
    return answer(
        [
            {name: row[name] for name in names}
            | {"content": scrubbed(row["content"]), "created_at": shown(row["created_at"])}
            for row in rows
        ]
    )


def import_memories(call: Call) -> Response:
    """Take an export entry by entry; 200 with counts even when none was taken."""
    try:
        entries = _entries(call.body)
    except BadBody as wrong:
        raise Refusal(400, f"invalid JSON: {wrong}") from wrong
    counts = {"imported": 0, "skipped": 0, "errors": 0, "total": len(entries)}
    for entry in entries:
        counts[_imported(call, entry)] += 1
    return answer(counts)


def _entries(body: bytes) -> list[dict[str, str]]:
    if not body.strip():
        raise BadBody("EOF")
    given = parse(body)
    return array(lambda each: struct(ENTRY)({} if each is None else each))([] if given is None else given)


def _imported(call: Call, entry: dict[str, str]) -> str:
    """What became of one entry: which count it raises."""
    content, scope = scrubbed(entry.get("content", "")), entry.get("scope", "")
    try:
        sql = "SELECT id FROM workspaces WHERE name = ? ORDER BY created_at, rowid"
        owner = call.db.row(sql, entry.get("workspace_name", ""))
        same = "SELECT 1 FROM memories WHERE workspace_id = ? AND content = ? AND scope = ?"
        if owner is None or call.db.row(same, owner["id"], content, scope):
            return "skipped"
        namespace = entry.get("namespace") or "general"
        if scope not in SCOPES or len(namespace) > NAMESPACE_BYTES:
            return "errors"
        call.db.insert(
            "memories",
            id=call.instance.new_id(),
            workspace_id=owner["id"],
            content=content,
            scope=scope,
            namespace=namespace,
            created_at=_time(call, entry.get("created_at", "")),
        )
    except (StorageError, ValueError):
        return "errors"
    return "imported"


def _time(call: Call, text: str) -> str:
    """A time as the database reads it, words included.

    Raises:
        ValueError: It is none.
    """
    now = call.instance.now()
    if not text or text == "now":
        return stored(now)
    if text in DAYS:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return stored(midnight + timedelta(days=DAYS[text]))
    given = moment(text)
    return stored(given if given.tzinfo else given.replace(tzinfo=UTC))


def _reach(call: Call, scope: str) -> tuple[str, list[str], list[Any]]:
    """Tables, conditions and values that select the memories in reach."""
    if scope == "GLOBAL":
        return "memories m", ["m.scope = 'GLOBAL'"], []
    workspace_id = uid(call.path["id"])
    if scope != "TEAM":
        own = ["m.workspace_id = ?"] + (["m.scope = 'LOCAL'"] if scope == "LOCAL" else [])
        return "memories m", own, [workspace_id]
    row = find(call.db, workspace_id)
    parent = None if row is None else row["parent_id"]
    team = "(w.id = ? OR w.parent_id = ?)"
    return (
        "memories m JOIN workspaces w ON w.id = m.workspace_id",
        ["m.scope = 'TEAM'", "w.status != 'removed'", team],
        [parent or workspace_id, parent or workspace_id],
    )


def _words(query: str) -> str | None:
    words = [word for word in WORD.findall(query.lower()) if word not in STOP_WORDS]
    return " ".join(f'"{word}"' for word in words) or None


def _limit(text: str) -> int:
    digits = LEADING_DIGITS.match(text)
    given = int(digits[0][:9]) if digits and digits[0] else 0
    return given if 0 < given < 50 else 50


def _memory(row: sqlite3.Row) -> dict[str, Any]:
    content = row["content"]
    if row["scope"] == "GLOBAL":
        content = f"[MEMORY id={row['id']} scope=GLOBAL from={row['workspace_id']}]: {content}"
    told = {name: row[name] for name in ("id", "workspace_id", "scope", "namespace")}
    return told | {"content": content, "created_at": shown(row["created_at"])}


ROUTES = [
    Route("POST", "/workspaces/{id}/memories", auth.workspace, commit_memory),
    Route("GET", "/workspaces/{id}/memories", auth.workspace, search_memories),
    Route("DELETE", "/workspaces/{id}/memories/{memoryId}", auth.workspace, delete_memory),
    Route("GET", "/admin/memories/export", auth.admin, export_memories),
    Route("POST", "/admin/memories/import", auth.admin, import_memories),
]
