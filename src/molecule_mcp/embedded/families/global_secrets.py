"""Secrets of the whole organization, under /settings/secrets and its older name /admin/secrets."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.families.secrets import checked_key, entry, secret_in
from molecule_mcp.embedded.lifecycle import restart_after_secret
from molecule_mcp.embedded.routing import Route


def list_global_secrets(call: Call) -> Response:
    """Keys and times, by key."""
    return answer([entry(row, "global") for row in call.db.rows("SELECT * FROM global_secrets ORDER BY key")])


def set_global_secret(call: Call) -> Response:
    """Write one key, then restart every workspace that inherits it."""
    key, value = secret_in(call)
    with refusing(500, "failed to save"):
        call.db.run(
            "INSERT INTO global_secrets (key, value, created_at, updated_at) VALUES (?1, ?2, ?3, ?3) "
            "ON CONFLICT (key) DO UPDATE SET value = ?2, updated_at = ?3",
            checked_key(key),
            call.instance.vault.seal(value),
            call.now,
        )
    _restart_heirs(call, key)
    return answer({"status": "saved", "key": key, "scope": "global"})


def delete_global_secret(call: Call) -> Response:
    """Drop a key, then restart every workspace that inherited it."""
    key = call.path["key"]
    with refusing(500, "failed to delete"):
        gone = call.db.run("DELETE FROM global_secrets WHERE key = ?", key)
    if not gone:
        raise Refusal(404, "secret not found")
    _restart_heirs(call, key)
    return answer({"status": "deleted", "key": key, "scope": "global"})


def _restart_heirs(call: Call, key: str) -> None:
    heirs = call.db.rows(
        "SELECT id FROM workspaces WHERE id NOT IN (SELECT workspace_id FROM workspace_secrets WHERE key = ?)", key
    )
    for row in heirs:
        restart_after_secret(call.instance, row["id"])


ROUTES = [
    Route("GET", "/settings/secrets", auth.admin, list_global_secrets),
    Route("PUT", "/settings/secrets", auth.admin, set_global_secret),
    Route("POST", "/settings/secrets", auth.admin, set_global_secret),
    Route("DELETE", "/settings/secrets/{key}", auth.admin, delete_global_secret),
    Route("GET", "/admin/secrets", auth.admin, list_global_secrets),
    Route("POST", "/admin/secrets", auth.admin, set_global_secret),
    Route("DELETE", "/admin/secrets/{key}", auth.admin, delete_global_secret),
]
