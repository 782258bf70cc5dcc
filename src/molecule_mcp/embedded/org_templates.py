"""Organization templates: read from their folders or from a body, and what they need before they are made."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from molecule_mcp.embedded import folders
from molecule_mcp.embedded.bodies import BadBody, Kind, array, boolean, integer, mapping, number, struct, text, texts
from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.yaml_text import BadYaml, load

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,127}", re.ASCII)
INCLUDE = "!include "
DEEPEST = 20
"""Includes within each other; more is a circle."""

Requirement = str | dict[str, list[str]]
Node = dict[str, Any]


class BrokenTemplate(ValueError):
    """The template cannot be read, or not as one."""


def requirement(value: Any) -> Requirement | None:
    """One variable name or a group of them; names that are none are dropped, and so is what is left empty."""
    if isinstance(value, str):
        return value if NAME.fullmatch(value) else None
    group = [name for name in array(text)(mapping(value).get("any_of") or []) if NAME.fullmatch(name)]
    return {"any_of": group} if group else None


MEMORY = struct({"content": text, "scope": text})
PLAIN = (
    "role",
    "runtime",
    "model",
    "template",
    "files_dir",
    "system_prompt",
    "workspace_dir",
    "workspace_access",
    "url",
)
PROMPTS = ("initial_prompt", "initial_prompt_file", "idle_prompt", "idle_prompt_file")
DEFAULTS: dict[str, Kind] = {
    **dict.fromkeys(("runtime", "model", *PROMPTS), text),
    **dict.fromkeys(("tier", "idle_interval_seconds"), integer),
    "plugins": array(text),
    "category_routing": mapping,
    "initial_memories": array(MEMORY),
}
SCHEDULE: dict[str, Kind] = {
    **dict.fromkeys(("name", "cron_expr", "timezone", "prompt", "prompt_file"), text),
    "enabled": boolean,
}
CHANNEL: dict[str, Kind] = {"type": text, "config": texts, "allowed_users": array(text), "enabled": boolean}


def node(value: Any) -> Node:
    """One workspace of a template, and those below it."""
    kinds: dict[str, Kind] = {
        **DEFAULTS,
        **dict.fromkeys(("name", *PLAIN), text),
        "max_concurrent_tasks": integer,
        "schedules": array(struct(SCHEDULE)),
        "channels": array(struct(CHANNEL)),
        "external": boolean,
        "canvas": struct({"x": number, "y": number}),
        "required_env": array(requirement),
        "recommended_env": array(requirement),
        "children": array(node),
    }
    return struct(kinds)(value)


TEMPLATE: dict[str, Kind] = {
    "name": text,
    "description": text,
    "defaults": struct(DEFAULTS),
    "workspaces": array(node),
    "global_memories": array(MEMORY),
    "required_env": array(requirement),
    "recommended_env": array(requirement),
}
template = struct(TEMPLATE)
"""A whole template, as a body or a file holds it."""


def stored(db: Database, folder: str, file: str = "org.yaml") -> dict[str, Any]:
    """The template of a folder, includes expanded.

    Raises:
        BrokenTemplate: It cannot be read.
        KeyError: There is no such folder, or no such file in it.
    """
    found = folders.files(db, "org", folder)
    try:
        return template(_expanded(_loaded(found[file]), found, 0))
    except (BadBody, RecursionError) as wrong:
        raise BrokenTemplate(folder) from wrong


def _loaded(content: str) -> Any:
    try:
        return load(content)
    except BadYaml as wrong:
        raise BrokenTemplate("no YAML") from wrong


def _expanded(value: Any, found: Mapping[str, str], depth: int) -> Any:
    if isinstance(value, list):
        return [_expanded(each, found, depth) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _expanded(each, found, depth) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, str) and value.startswith(INCLUDE):
        content = found.get(value.removeprefix(INCLUDE).strip())
        if content is None or depth >= DEEPEST:
            raise BrokenTemplate("include")
        return _expanded(_loaded(content), found, depth + 1)
    return value


def nodes(given: Iterable[Node]) -> Iterator[Node]:
    """Every workspace of a tree, parents before children."""
    for each in given:
        yield each
        yield from nodes(each.get("children", []))


def needed(given: Mapping[str, Any], field: str) -> list[Requirement]:
    """The union of a list of variables over the whole tree: single names first, then groups, sorted."""
    every = [given, *nodes(given.get("workspaces", []))]
    found = [each for part in every for each in part.get(field, []) if each is not None]
    single = sorted({each for each in found if isinstance(each, str)})
    groups = sorted({tuple(each["any_of"]) for each in found if not isinstance(each, str)})
    return [*single, *({"any_of": list(group)} for group in groups)]


def listed(db: Database) -> list[dict[str, Any]]:
    """One row per folder that holds a template; a broken one is left out."""
    return [row for folder in folders.folders(db, "org") if (row := _row(db, folder)) is not None]


def _row(db: Database, folder: str) -> dict[str, Any] | None:
    for file in ("org.yaml", "org.yml"):
        try:
            given = stored(db, folder, file)
        except KeyError:
            continue
        except BrokenTemplate:
            return None
        return {
            "dir": folder,
            "name": given.get("name", ""),
            "description": given.get("description", ""),
            "workspaces": sum(1 for _ in nodes(given.get("workspaces", []))),
            "required_env": needed(given, "required_env"),
            "recommended_env": needed(given, "recommended_env"),
        }
    return None
