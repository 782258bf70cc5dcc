"""Organization keys."""

import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.screen import too_many
from molecule_mcp.embedded.times import shown
from molecule_mcp.embedded.tokens import mint_org_key

NAME_BYTES = 100
WARNING = "copy this token now; it will not be shown again"


def list_org_tokens(call: Call) -> Response:
    """Live keys, newest first; fields that are unset are left out."""
    sql = "SELECT * FROM org_tokens WHERE revoked_at IS NULL ORDER BY created_at DESC, rowid DESC LIMIT 500"
    keys = [_key(row) for row in call.db.rows(sql)]
    return answer({"tokens": keys, "count": len(keys)})


def create_org_token(call: Call) -> Response:
    """Mint a key; a body that cannot be read mints an unnamed one."""
    headers: dict[str, str] = {}
    if call.instance.mints is not None:
        verdict = call.instance.mints.count(call.peer, call.instance.now())
        headers = verdict.headers
        if not verdict.allowed:
            return _with(headers, too_many(verdict.seconds))
    try:
        name = decode(call.body, {"name": text}).get("name", "")
    except BadBody:
        name = ""
    if len(name.encode()) > NAME_BYTES:
        return _with(headers, answer({"error": f"name too long (max {NAME_BYTES} chars)"}, 400))
    with refusing(500, "failed to mint token"):
        key = mint_org_key(call.instance, name or None, by=call.actor, org_id=call.key_org)
    told = {"id": key.id, "prefix": key.prefix, "auth_token": key.plaintext, "warning": WARNING}
    return _with(headers, answer(told | ({"name": name} if name else {})))


def revoke_org_token(call: Call) -> Response:
    """Turn a key off at once, the caller's own too."""
    with refusing(500, "failed to revoke"):
        key_id = uid(call.path["id"])
        sql = "UPDATE org_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
        revoked = call.db.run(sql, call.now, key_id)
    if not revoked:
        raise Refusal(404, "token not found or already revoked")
    return answer({"revoked": key_id})


def _with(headers: dict[str, str], told: Response) -> Response:
    told.headers.update(headers)
    return told


def _key(row: sqlite3.Row) -> dict[str, Any]:
    told = {"id": row["id"], "prefix": row["prefix"], "created_at": shown(row["created_at"])}
    told |= {name: row[name] for name in ("name", "org_id", "created_by") if row[name]}
    return told | ({"last_used_at": shown(row["last_used_at"])} if row["last_used_at"] else {})


ROUTES = [
    Route("GET", "/org/tokens", auth.admin, list_org_tokens),
    Route("POST", "/org/tokens", auth.admin, create_org_token),
    Route("DELETE", "/org/tokens/{id}", auth.admin, revoke_org_token),
]
