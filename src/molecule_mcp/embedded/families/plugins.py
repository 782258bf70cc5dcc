"""Plugins: the registry, what workspaces have installed, and which of them an organization allows.

Without a running container a list is empty and every runtime change is fine; an install fetches and checks first.
"""

import re
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth, tokens
from molecule_mcp.embedded.bodies import array, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.containers import container, running
from molecule_mcp.embedded.database import StorageError, uid
from molecule_mcp.embedded.lifecycle import find, provision
from molecule_mcp.embedded.plugin_registry import REGISTRY, Plugin
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

BODY_BYTES = 64 * 1024
SCHEMES = ["github", "local"]
LOCAL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
NO_SOURCE = """'source' is required (e.g. "local://my-plugin" or "github://owner/repo")"""
UNPINNED = (
    'unpinned github source: append a tag or commit SHA (e.g. "github://owner/repo#v1.2.0"). '
    "Set PLUGIN_ALLOW_UNPINNED=true to override"
)
UNSAFE = "invalid plugin name: must not contain path separators or '..'"


def list_plugin_registry(call: Call) -> Response:
    """Every plugin, or those that fit a runtime."""
    return answer(_fitting(call.query.get("runtime", "")))


def list_plugin_sources(call: Call) -> Response:
    """Where plugins can come from."""
    return answer({"schemes": SCHEMES})


def list_available_plugins(call: Call) -> Response:
    """The registry, less what the workspace's runtime does not take; an unknown id switches the filter off."""
    row = find(call.db, call.path["id"].lower())
    return answer(_fitting("" if row is None else row["runtime"]))


def list_installed_plugins(call: Call) -> Response:
    """What the running container holds; nothing of any other."""
    row = running(call)
    if row is None:
        return answer([])
    return answer([{**each.told, "supported_on_runtime": each.fits(row["runtime"])} for each in _installed(call, row)])


def check_plugin_compatibility(call: Call) -> Response:
    """Which installed plugins a runtime would take."""
    runtime = call.query.get("runtime", "")
    if not runtime:
        raise Refusal(400, "runtime query parameter is required")
    row = running(call)
    found = [] if row is None else _installed(call, row)
    verdict: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for each in found:
        verdict[each.fits(runtime)].append(each.told)
    return answer(
        {
            "target_runtime": runtime,
            "compatible": verdict[True],
            "incompatible": verdict[False],
            "all_compatible": not verdict[False],
        }
    )


def install_plugin(call: Call) -> Response:
    """Fetch, check, copy into the container, restart; the container is looked for last."""
    with refusing(400, "invalid request body"):
        if len(call.body) > BODY_BYTES:
            raise StorageError("body too large")
        given = decode(call.body, {"source": text, "sha256": text})
    source, plugin = _fetched(given.get("source", ""))
    wanted = given.get("sha256", "").lower()
    if wanted and wanted != plugin.manifest_digest:
        raise Refusal(422, f"sha256 mismatch: expected {wanted}, got {plugin.manifest_digest}", source=source)
    _refuse_unlisted(call, plugin.name)
    row = container(call)
    call.db.run(
        "INSERT OR REPLACE INTO installed_plugins (workspace_id, name, source) VALUES (?, ?, ?)",
        row["id"],
        plugin.name,
        source,
    )
    provision(call.instance, row["id"])
    return answer({"status": "installed", "plugin": plugin.name, "source": source})


def uninstall_plugin(call: Call) -> Response:
    """Drop a plugin, installed or not, and restart."""
    name = call.path["name"]
    if _unsafe(name):
        raise Refusal(400, "invalid plugin name")
    row = container(call)
    call.db.run("DELETE FROM installed_plugins WHERE workspace_id = ? AND name = ?", row["id"], name)
    provision(call.instance, row["id"])
    return answer({"status": "uninstalled", "plugin": name})


def get_plugin_allowlist(call: Call) -> Response:
    """The names an organization allows; none means all."""
    org = _organization(call)
    rows = call.db.rows("SELECT * FROM plugin_allowlist WHERE org_id = ? ORDER BY plugin_name", org)
    plugins = [
        {"plugin_name": row["plugin_name"], "enabled_by": row["enabled_by"], "enabled_at": shown(row["enabled_at"])}
        for row in rows
    ]
    return answer({"org_id": org, "plugins": plugins, "allow_all": not plugins})


def replace_plugin_allowlist(call: Call) -> Response:
    """Swap the whole list; the answer echoes what was given, not what is stored."""
    org = _organization(call)
    with refusing(400, "invalid request body"):
        given = decode(call.body, {"plugins": array(text), "enabled_by": text})
    by: str = given.get("enabled_by", "")
    names: list[str] | None = given.get("plugins")
    if not by:
        raise Refusal(400, "enabled_by is required")
    for name in names or []:
        if _unsafe(name):
            raise Refusal(400, "invalid plugin name", plugin_name=name, detail=UNSAFE)
    with refusing(500, "failed to update allowlist"), call.db.savepoint():
        call.db.run("DELETE FROM plugin_allowlist WHERE org_id = ?", org)
        for name in dict.fromkeys(names or []):
            row = {"org_id": org, "plugin_name": name, "enabled_by": by, "enabled_at": call.now}
            call.db.insert("plugin_allowlist", **row)
    return answer({"org_id": org, "plugins": names, "allow_all": not names})


def _fitting(runtime: str) -> list[dict[str, Any]]:
    return [plugin.told for plugin in REGISTRY.values() if not runtime or plugin.fits(runtime)]


def _installed(call: Call, row: sqlite3.Row) -> list[Plugin]:
    sql = "SELECT name FROM installed_plugins WHERE workspace_id = ? ORDER BY name"
    return [REGISTRY[each["name"]] for each in call.db.rows(sql, row["id"])]


def _unsafe(name: str) -> bool:
    return "/" in name or "\\" in name or ".." in name


def _fetched(given: str) -> tuple[str, Plugin]:
    """The source in its full form, and the plugin there; nothing is fetched from outside of this process."""
    if not given:
        raise Refusal(400, NO_SOURCE)
    scheme, mark, spec = given.partition("://")
    if not mark:
        scheme, spec = "local", given
    if scheme not in SCHEMES:
        raise Refusal(400, "failed to resolve plugin source", available_schemes=SCHEMES)
    if not spec:
        raise Refusal(400, "invalid plugin source")
    source = f"{scheme}://{spec}"
    if scheme == "github":
        if "#" not in spec:
            raise Refusal(422, UNPINNED, source=source)
        raise Refusal(502, "failed to fetch plugin from github", source=source)
    if _unsafe(spec):
        raise Refusal(400, "invalid plugin name")
    if spec not in REGISTRY:
        status = 404 if LOCAL_NAME.fullmatch(spec) else 502
        raise Refusal(status, "failed to fetch plugin from local", source=source)
    return source, REGISTRY[spec]


def _refuse_unlisted(call: Call, name: str) -> None:
    """The list of the parent counts, or a root's own; a grandchild looks no higher."""
    row = find(call.db, call.path["id"].lower())
    if row is None:
        return
    sql = "SELECT plugin_name FROM plugin_allowlist WHERE org_id = ?"
    allowed = {each["plugin_name"] for each in call.db.rows(sql, row["parent_id"] or row["id"])}
    if allowed and name not in allowed:
        raise Refusal(403, f'plugin "{name}" is not in the org allowlist')


def _organization(call: Call) -> str:
    """The organization of the path; a key passes only if it is bound to exactly this one."""
    with refusing(500, "failed to verify org"):
        org = uid(call.path["id"])
    if find(call.db, org) is None:
        raise Refusal(404, "org not found")
    key = tokens.use_org_key(call.instance, auth.bearer(call))
    if key is not None and key["org_id"] != org:
        raise Refusal(403, "org access denied")
    return org


ROUTES = [
    Route("GET", "/plugins", auth.anyone, list_plugin_registry),
    Route("GET", "/plugins/sources", auth.anyone, list_plugin_sources),
    Route("GET", "/workspaces/{id}/plugins", auth.workspace, list_installed_plugins),
    Route("POST", "/workspaces/{id}/plugins", auth.workspace, install_plugin),
    Route("GET", "/workspaces/{id}/plugins/available", auth.workspace, list_available_plugins),
    Route("GET", "/workspaces/{id}/plugins/compatibility", auth.workspace, check_plugin_compatibility),
    Route("DELETE", "/workspaces/{id}/plugins/{name}", auth.workspace, uninstall_plugin),
    Route("GET", "/orgs/{id}/plugins/allowlist", auth.admin, get_plugin_allowlist),
    Route("PUT", "/orgs/{id}/plugins/allowlist", auth.admin, replace_plugin_allowlist),
]
