"""Workspace templates: listed, and made from a set of files. Nothing changes or deletes one."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth, folders
from molecule_mcp.embedded.bodies import BadBody, Kind, array, decode, struct, text, texts
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import StorageError
from molecule_mcp.embedded.routing import Route

MOST_FILES = 200
MODEL = "anthropic:claude-haiku-4-5-20251001"
SKILL = re.compile(r"skills/([^/]+)/SKILL\.md")


def list_templates(call: Call) -> Response:
    """Every folder with a config.yaml that can be read, by folder name."""
    found = ((folder, folders.config(call.db, folder)) for folder in folders.folders(call.db, "workspace"))
    return answer([_template(folder, config) for folder, config in found if config is not None])


def _template(folder: str, config: Mapping[str, Any]) -> dict[str, Any]:
    inner = config.get("runtime_config")
    runtime: dict[str, Any] = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    skills = _of(array(text), config.get("skills"))
    told: dict[str, Any] = {
        "id": folder,
        "name": _of(text, config.get("name")) or "",
        "description": _of(text, config.get("description")) or "",
        "tier": config["tier"] if type(config.get("tier")) is int else 0,
        "runtime": _of(text, config.get("runtime")) or "",
        "model": _of(text, config.get("model") or runtime.get("model")) or "",
        "skills": skills,
        "skill_count": len(skills or []),
    }
    model = struct({"id": text, "name": text, "required_env": array(text)})
    more = {
        "models": _of(array(model), runtime.get("models")),
        "required_env": _of(array(text), runtime.get("required_env")),
    }
    return told | {name: value for name, value in more.items() if value}


def _of(kind: Kind, value: Any) -> Any:
    """A value of that kind, else None."""
    try:
        return kind(value)
    except BadBody:
        return None


def import_template(call: Call) -> Response:
    """Write files into a new folder, one by one; a bad path ends it, and what was written before stays."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, {"name": text, "files": texts})
    if not given.get("name") or "files" not in given:
        raise Refusal(400, "invalid request body")
    content: dict[str, str] = given["files"]
    if len(content) > MOST_FILES:
        raise Refusal(400, f"too many files ({len(content)}), max {MOST_FILES}")
    folder = folder_name(given["name"])
    if folder in folders.folders(call.db, "workspace"):
        raise Refusal(409, "template already exists", id=folder)
    if not content:
        raise Refusal(500, "failed to write config.yaml")
    for path, each in content.items():
        _write(call, folder, path, each)
    if folders.CONFIG not in content:
        folders.write(call.db, "workspace", folder, folders.CONFIG, generated(given["name"], content))
    return answer({"status": "imported", "id": folder, "name": given["name"]}, 201)


def folder_name(name: str) -> str:
    """The folder of a template of that name."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower().replace(" ", "-")) or "unnamed"


def _write(call: Call, folder: str, path: str, content: str) -> None:
    if not path or path.startswith("/") or ".." in path:
        raise Refusal(400, "invalid request body")
    written = folders.files(call.db, "workspace", folder)
    parts = path.split("/")
    above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    if above & written.keys() or any(each.startswith(f"{path}/") for each in written):
        raise Refusal(500, "failed to write file")
    try:
        folders.write(call.db, "workspace", folder, path, content)
    except StorageError as refused:
        raise Refusal(500, "failed to write file") from refused


def generated(name: str, content: Mapping[str, str]) -> str:
    """The config.yaml that the tenant makes when none is given."""
    lines = [f"name: {json.dumps(name, ensure_ascii=False)}", "description: Imported agent", "tier: 3"]
    lines += [f"model: {json.dumps(MODEL)}"]
    lists = {
        "prompt_files": [path for path in content if path.endswith(".md") and "/" not in path],
        "skills": [found[1] for path in content if (found := SKILL.fullmatch(path))],
    }
    for key, values in lists.items():
        entries = [f"  - {json.dumps(value, ensure_ascii=False)}" for value in values]
        lines += [f"{key}:", *entries] if entries else [f"{key}: []"]
    return "\n".join(lines) + "\n"


ROUTES = [
    Route("GET", "/templates", auth.admin, list_templates),
    Route("POST", "/templates/import", auth.admin, import_template),
]
