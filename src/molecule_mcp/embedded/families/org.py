"""Organization templates listed, and made into workspaces: parents before children, two seconds after each child.

What cannot be made ends an import; what was made before it stays. The work goes on when the caller has hung up.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth, folders
from molecule_mcp.embedded import org_templates as templates
from molecule_mcp.embedded.bodies import BadBody, boolean, decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.cron import BadExpression, BadZone, next_run
from molecule_mcp.embedded.database import StorageError
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.families.channels import TYPES, valid_config
from molecule_mcp.embedded.families.creation import seed_memories
from molecule_mcp.embedded.families.rules import allowed_directory, int32
from molecule_mcp.embedded.families.secrets import store_secret
from molecule_mcp.embedded.lifecycle import provision
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import NEVER, stored

CHILD_SECONDS = 2.0
SUGGESTION = "set these as global secrets (POST /settings/secrets) or pass force=true to override"
VARIABLE = re.compile(r"\$\{(\w+)\}", re.ASCII)
LINE = re.compile(r"(?:export )?(\w+)=(.*)", re.ASCII)
ACCESS = ("none", "read_only", "read_write")
DISCORD = "invalid Discord webhook URL (must start with https://discord.com/api/webhooks/)"


class BadNode(Exception):
    """A workspace of a template that cannot be made; the text is the tenant's."""


@dataclass
class Import:
    """One import under way: its template, the files of its folder, and what was made so far."""

    call: Call
    given: Mapping[str, Any]
    files: Mapping[str, str]
    made: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def list_org_templates(call: Call) -> Response:
    """Every template that can be read, org.yml ones too, though they cannot be imported."""
    return answer(templates.listed(call.db))


async def import_org(call: Call) -> Response:
    """Check what is needed, then make one workspace after the other."""
    with call.db.transaction():
        running, force = _asked(call)
        required = templates.needed(running.given, "required_env")
        missing = _missing(call, required)
    name = running.given.get("name", "")
    if missing and not force:
        more = {"required_env": required, "suggestion": SUGGESTION, "template": name}
        raise Refusal(412, "missing required environment variables", missing_env=missing, **more)
    error = None
    try:
        for node in running.given.get("workspaces", []):
            await _tree(running, node, None, 0)
    except BadNode as bad:
        error = str(bad)
    told = {"org": name, "workspaces": running.made, "count": len(running.made)}
    return answer(told, 201) if error is None else answer(told | {"error": error}, 207)


def _asked(call: Call) -> tuple[Import, bool]:
    with refusing(400, "invalid request body"):
        given = decode(call.body, {"dir": text, "template": templates.template, "force": boolean})
    folder, force = given.get("dir", ""), given.get("force", False)
    if not folder:
        if not given.get("template", {}).get("name"):
            raise Refusal(400, "provide 'dir' or 'template'")
        return Import(call, given["template"], {}), force
    if folder.startswith("/") or ".." in folder.split("/"):
        raise Refusal(400, "invalid org directory")
    try:
        with refusing(400, "invalid org directory"):
            return Import(call, templates.stored(call.db, folder), folders.files(call.db, "org", folder)), force
    except KeyError as unknown:
        raise Refusal(404, f"org template not found: {folder}") from unknown
    except templates.BrokenTemplate as broken:
        raise Refusal(400, "org template expansion failed") from broken


def _missing(call: Call, required: Sequence[templates.Requirement]) -> list[templates.Requirement]:
    """What no global secret with a value answers."""
    rows = call.db.rows("SELECT key, value FROM global_secrets")
    there = {row["key"] for row in rows if call.instance.vault.open(row["value"])}
    return [each for each in required if not there & ({each} if isinstance(each, str) else set(each["any_of"]))]


async def _tree(running: Import, node: templates.Node, parent: str | None, place: int) -> None:
    """One workspace and what is below it.

    Raises:
        BadNode: It cannot be made; nothing after it is tried.
    """
    try:
        with running.call.db.transaction():
            workspace_id = _make(running, node, parent, place)
    except (StorageError, BadBody, sqlite3.OperationalError) as refused:
        raise BadNode(f"workspace {node.get('name', '')}: failed to create workspace") from refused
    for number, child in enumerate(node.get("children", [])):
        await _tree(running, child, workspace_id, number)
        await running.call.instance.options.pause(CHILD_SECONDS)


def _make(running: Import, node: templates.Node, parent: str | None, place: int) -> str:
    call, defaults = running.call, running.given.get("defaults", {})
    _check(node)
    external = node.get("external", False)
    workspace_id = call.instance.new_id()
    where = node.get("canvas", {}) if parent is None else {"x": place % 3 * 260, "y": place // 3 * 180 + 180}
    tier = int32(node.get("tier") or defaults.get("tier") or 2)
    call.db.insert(
        "workspaces",
        id=workspace_id,
        name=node.get("name", ""),
        role=node.get("role") or None,
        tier=tier,
        status="online" if external else "provisioning",
        url=node.get("url", "") if external else "",
        parent_id=parent,
        max_concurrent_tasks=int32(max(1, node.get("max_concurrent_tasks", 1))),
        runtime="external" if external else node.get("runtime") or defaults.get("runtime") or "langgraph",
        x=where.get("x", 0),
        y=where.get("y", 0),
        workspace_dir=node.get("workspace_dir") or None,
        workspace_access=node.get("workspace_access") or "none",
        provisioning_at=call.now,
        created_at=call.now,
        updated_at=call.now,
    )
    if external:
        emit(call.instance, "WORKSPACE_ONLINE", workspace_id)
    else:
        provision(call.instance, workspace_id)
        for key, value in _variables(running, node).items():
            store_secret(call, workspace_id, key, value)
    told = {"id": workspace_id, "name": node.get("name", ""), "tier": tier}
    _seed(running, node, workspace_id)
    _schedule(running, node, workspace_id)
    running.made.append(told | _connect(running, node, workspace_id))
    return workspace_id


def _check(node: templates.Node) -> None:
    """Raises: BadNode for a directory or an access that the tenant does not take."""
    directory, access = node.get("workspace_dir", ""), node.get("workspace_access") or "none"
    why = ""
    if directory and not directory.startswith("/"):
        why = "workspace_dir must be an absolute path"
    elif directory and not allowed_directory(directory):
        why = "workspace_dir is not allowed"
    elif access not in ACCESS:
        why = f'workspace_access="{access}" is not one of none, read_only, read_write'
    elif access != "none" and not directory:
        why = f'workspace_access="{access}" requires workspace_dir to be set'
    if why:
        raise BadNode(f"workspace {node.get('name', '')}: {why}")


def _variables(running: Import, node: templates.Node) -> dict[str, str]:
    """What the .env files of the folder and of the workspace's own files say."""
    found: dict[str, str] = {}
    own = f"{node['files_dir'].strip('/')}/.env" if node.get("files_dir") else ""
    for path in (".env", own):
        for line in running.files.get(path, "").splitlines():
            if (parts := LINE.fullmatch(line.strip())) and parts[2]:
                found[parts[1]] = parts[2].strip("\"'")
    return found


def _seed(running: Import, node: templates.Node, workspace_id: str) -> None:
    """Its own memories, or the default ones; the first workspace gets the global ones as well."""
    seeds = node.get("initial_memories") or running.given.get("defaults", {}).get("initial_memories", [])
    if not running.made:
        seeds = [*seeds, *(each | {"scope": "GLOBAL"} for each in running.given.get("global_memories", []))]
    seed_memories(running.call, workspace_id, seeds)


def _schedule(running: Import, node: templates.Node, workspace_id: str) -> None:
    """Its schedules; one that cannot be read is left out without a word."""
    call = running.call
    base = node.get("files_dir", "").strip("/")
    for each in node.get("schedules", []):
        path = "/".join(part for part in (base, each.get("prompt_file", "")) if part)
        prompt = each.get("prompt") or running.files.get(path, "")
        zone = each.get("timezone") or "UTC"
        try:
            due = next_run(each.get("cron_expr", ""), zone, call.instance.now())
        except (BadZone, BadExpression):
            continue
        if not prompt:
            continue
        sql = (
            "INSERT OR IGNORE INTO schedules (id, workspace_id, name, cron_expr, timezone, prompt, enabled, "
            "next_run_at, source, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'template', ?9, ?9)"
        )
        named = (each.get("name", ""), each["cron_expr"], zone, prompt.replace("\r", ""), each.get("enabled", True))
        call.db.run(sql, call.instance.new_id(), workspace_id, *named, NEVER if due is None else stored(due), call.now)


def _connect(running: Import, node: templates.Node, workspace_id: str) -> dict[str, Any]:
    """Its channels; one that cannot be connected is told, with the reason."""
    connected: list[str] = []
    skipped: list[dict[str, str]] = []
    known = _variables(running, node)
    for each in node.get("channels", []):
        kind, config = each.get("type", ""), each.get("config", {})
        filled = {name: VARIABLE.sub(lambda one: known.get(one[1], one[0]), value) for name, value in config.items()}
        if why := _unfit(kind, filled) or ("already connected" if kind in connected else ""):
            skipped.append({"workspace": node.get("name", ""), "type": kind, "reason": why})
            continue
        running.call.db.insert(
            "channels",
            id=running.call.instance.new_id(),
            workspace_id=workspace_id,
            channel_type=kind,
            config=running.call.instance.vault.seal(json.dumps(filled)),
            allowed_users=json.dumps(each["allowed_users"]) if "allowed_users" in each else None,
            enabled=each.get("enabled", True),
            created_at=running.call.now,
            updated_at=running.call.now,
        )
        connected.append(kind)
    told = {"channels": connected, "channels_skipped": skipped}
    return {name: value for name, value in told.items() if value}


def _unfit(kind: str, config: dict[str, str]) -> str:
    """Why a channel cannot be connected, or ""."""
    if not kind:
        return "empty type"
    if kind not in TYPES:
        return "unknown adapter"
    open_ones = sorted({one[0] for value in config.values() for one in VARIABLE.finditer(value)})
    if open_ones:
        return f"missing env: [{' '.join(open_ones)}]"
    if valid_config(kind, config):
        return ""
    return DISCORD if kind == "discord" else "invalid channel config"


ROUTES = [
    Route("GET", "/org/templates", auth.admin, list_org_templates),
    Route("POST", "/org/import", auth.admin, import_org),
]
