"""Key-value memory of a workspace, with versions and expiry."""

import json
import sqlite3
from datetime import timedelta
from typing import Any, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, integer, mapping, parse, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.families.secrets import checked_key
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, stored

LONGEST_TTL = 9_223_372_036
"""Seconds; more overflows on the tenant, and the entry is born expired."""
LIVE = "(expires_at IS NULL OR expires_at > ?)"


def list_memory_entries(call: Call) -> Response:
    """All live entries, by key."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    sql = f"SELECT * FROM memory WHERE workspace_id = ? AND {LIVE} ORDER BY key"
    return answer([_entry(row) for row in call.db.rows(sql, workspace_id, call.now)])


def get_memory_entry(call: Call) -> Response:
    """One live entry."""
    with refusing(500, "query failed"):
        sql = f"SELECT * FROM memory WHERE workspace_id = ? AND key = ? AND {LIVE}"
        row = call.db.row(sql, uid(call.path["id"]), call.path["key"], call.now)
    if row is None:
        raise Refusal(404, "key not found")
    return answer(_entry(row))


def set_memory_entry(call: Call) -> Response:
    """Write an entry; with `if_match_version` only over that version."""
    with refusing(400, "invalid request body"):
        given = _fields(call.body)
    key = given.get("key", "")
    if not key:
        raise Refusal(400, "key is required")
    with refusing(500, "failed to set memory"):
        workspace_id = uid(call.path["id"])
        sql = "SELECT version FROM memory WHERE workspace_id = ? AND key = ?"
        row = call.db.row(sql, workspace_id, checked_key(key))
        version = None if row is None else row["version"]
        _check_version(given.get("if_match_version"), version)
        if "value" not in given or "\\u0000" in json.dumps([key, given["value"]]):
            raise BadBody("nothing that can be stored")
        call.db.run(
            "INSERT OR REPLACE INTO memory (workspace_id, key, value, version, expires_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            workspace_id,
            key,
            json.dumps(ordered(given["value"])),
            (version or 0) + 1,
            _expiry(call, given.get("ttl_seconds")),
            call.now,
        )
    return answer({"status": "ok", "key": key, "version": (version or 0) + 1})


def delete_memory_entry(call: Call) -> Response:
    """Drop an entry and its version; 200 even if there was none."""
    with refusing(500, "failed to delete"):
        sql = "DELETE FROM memory WHERE workspace_id = ? AND key = ?"
        call.db.run(sql, uid(call.path["id"]), call.path["key"])
    return answer({"status": "deleted"})


def ordered(value: Any) -> Any:
    """A JSON value with its object keys in the order of binary JSON: by length, then by bytes."""
    if isinstance(value, dict):
        entries = cast(dict[str, Any], value)
        keys = sorted(entries, key=lambda name: (len(name.encode()), name.encode()))
        return {name: ordered(entries[name]) for name in keys}
    if isinstance(value, list):
        return [ordered(item) for item in cast(list[Any], value)]
    return value


def _fields(body: bytes) -> dict[str, Any]:
    # Unlike elsewhere, a null value is a value here, and an absent one is a server error.
    kinds = {"key": text, "ttl_seconds": integer, "if_match_version": integer}
    found: dict[str, Any] = {}
    for name, given in mapping(parse(body)).items():
        if name.lower() == "value":
            found["value"] = given
        elif name.lower() in kinds and given is not None:
            found[name.lower()] = kinds[name.lower()](given)
    return found


def _check_version(expected: int | None, current: int | None) -> None:
    if expected is None or expected == (current or 0):
        return
    error = "if_match_version mismatch" + (": key does not exist" if current is None else "")
    raise Refusal(409, error, expected_version=expected, current_version=current)


def _expiry(call: Call, ttl: int | None) -> str | None:
    if ttl is None:
        return None
    seconds = ttl if 0 < ttl <= LONGEST_TTL else -1
    return stored(call.instance.now() + timedelta(seconds=seconds))


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    told = {"key": row["key"], "value": json.loads(row["value"]), "version": row["version"]}
    expiry = {"expires_at": shown(row["expires_at"])} if row["expires_at"] else {}
    return told | expiry | {"updated_at": shown(row["updated_at"])}


ROUTES = [
    Route("GET", "/workspaces/{id}/memory", auth.workspace, list_memory_entries),
    Route("POST", "/workspaces/{id}/memory", auth.workspace, set_memory_entry),
    Route("GET", "/workspaces/{id}/memory/{key}", auth.workspace, get_memory_entry),
    Route("DELETE", "/workspaces/{id}/memory/{key}", auth.workspace, delete_memory_entry),
]
