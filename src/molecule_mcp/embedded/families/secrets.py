"""Secrets of one workspace: own values over global ones, restarts after each change."""

import re
import sqlite3
import zlib
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import StorageError
from molecule_mcp.embedded.lifecycle import restart_after_secret
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown
from molecule_mcp.embedded.vault import Undecipherable

LOWER_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INDEX_ROW_BYTES = 2704
"""What an index row of the tenant's database holds, after compression."""


def entry(row: sqlite3.Row, scope: str) -> dict[str, Any]:
    """A secret as lists show it: no value."""
    return {
        "key": row["key"],
        "has_value": True,
        "scope": scope,
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
    }


def secret_in(call: Call) -> tuple[str, str]:
    """Key and value of a body that sets a secret."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, {"key": text, "value": text})
    key, value = given.get("key", ""), given.get("value", "")
    if not key or not value:
        raise Refusal(400, "invalid request body")
    return key, value


def checked_key(key: str) -> str:
    """The key, if the tenant's database can index it.

    Raises:
        StorageError: It is too long.
    """
    if len(zlib.compress(key.encode())) > INDEX_ROW_BYTES:
        raise StorageError("key too long to index")
    return key


def store_secret(call: Call, workspace_id: str, key: str, value: str) -> None:
    """Write one secret of a workspace, new or not.

    Raises:
        StorageError: No such workspace, or a key that cannot be stored.
    """
    call.db.run(
        "INSERT INTO workspace_secrets (workspace_id, key, value, created_at, updated_at) "
        "VALUES (?1, ?2, ?3, ?4, ?4) "
        "ON CONFLICT (workspace_id, key) DO UPDATE SET value = ?3, updated_at = ?4",
        workspace_id,
        checked_key(key),
        call.instance.vault.seal(value),
        call.now,
    )


def list_workspace_secrets(call: Call) -> Response:
    """Own keys, then the global ones that they do not hide."""
    workspace_id = _id(call)
    own = call.db.rows("SELECT * FROM workspace_secrets WHERE workspace_id = ? ORDER BY key", workspace_id)
    hidden = {row["key"] for row in own}
    inherited = [row for row in call.db.rows("SELECT * FROM global_secrets ORDER BY key") if row["key"] not in hidden]
    return answer([*(entry(row, "workspace") for row in own), *(entry(row, "global") for row in inherited)])


def set_workspace_secret(call: Call) -> Response:
    """Write one key, then restart."""
    workspace_id = _id(call)
    key, value = secret_in(call)
    with refusing(500, "failed to save secret"):
        store_secret(call, workspace_id, key, value)
    restart_after_secret(call.instance, workspace_id)
    return answer({"status": "saved", "key": key})


def get_workspace_secret_values(call: Call) -> Response:
    """All values in clear; an organization key reads them only while the workspace has no live token."""
    workspace_id = _id(call)
    auth.own_token(call)
    own = call.db.rows("SELECT * FROM workspace_secrets WHERE workspace_id = ? ORDER BY key", workspace_id)
    values: dict[str, str] = {}
    broken: list[str] = []
    for scope, rows in (("global", call.db.rows("SELECT * FROM global_secrets ORDER BY key")), ("workspace", own)):
        for row in rows:
            try:
                values[row["key"]] = call.instance.vault.open(row["value"])
            except Undecipherable:
                broken.append(f"{scope}:{row['key']}")
    if broken:
        text = "one or more secrets failed to decrypt; refusing to return partial bundle"
        raise Refusal(500, text, failed_keys=broken)
    return answer(values)


def delete_workspace_secret(call: Call) -> Response:
    """Drop an own key, then restart."""
    workspace_id, key = _id(call), call.path["key"]
    with refusing(500, "failed to delete secret"):
        gone = call.db.run("DELETE FROM workspace_secrets WHERE workspace_id = ? AND key = ?", workspace_id, key)
    if not gone:
        raise Refusal(404, "secret not found")
    restart_after_secret(call.instance, workspace_id)
    return answer({"status": "deleted", "key": key})


def _id(call: Call) -> str:
    if not LOWER_UUID.fullmatch(call.path["id"]):
        raise Refusal(400, "invalid workspace ID")
    return call.path["id"]


ROUTES = [
    Route("GET", "/workspaces/{id}/secrets", auth.workspace, list_workspace_secrets),
    Route("POST", "/workspaces/{id}/secrets", auth.workspace, set_workspace_secret),
    Route("PUT", "/workspaces/{id}/secrets", auth.workspace, set_workspace_secret),
    Route("GET", "/workspaces/{id}/secrets/values", auth.workspace, get_workspace_secret_values),
    Route("DELETE", "/workspaces/{id}/secrets/{key}", auth.workspace, delete_workspace_secret),
]
