"""The tenant's contract as data: its operations, their effects, and everything a request of theirs can carry.

A request field has a path: `query.purge`, `header.X-Timeout`, `body.canvas.x`, `body[].scope` in a list,
`body.secrets.*` under free names. A schema that holds itself is followed once: `body.sub_workspaces` ends there.
Path parameters are not fields: which workspace is meant changes the target, not the risk.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One operation.

    Args:
        id: The contract's operationId.
        route: "DELETE /workspaces/{id}", as permits write it.
        family: The contract's first tag.
        auth: Which credential it takes.
        alias_of: The operation it is another way to, or None.
        effects: The contract's x-effects.
        fields: Path of every request field -> the only values it takes (booleans as "true" and "false"),
            None when the contract names none.
    """

    id: str
    route: str
    family: str
    auth: str
    alias_of: str | None
    effects: Mapping[str, Any]
    fields: Mapping[str, frozenset[str] | None]

    @property
    def read_only(self) -> bool:
        return bool(self.effects["read_only"])

    @property
    def irreversible(self) -> bool:
        """Whether it destroys something that no other call brings back."""
        back = self.effects["reversible"]
        return bool(self.effects["destructive"]) and (back is False or str(back).startswith("no"))


@cache
def document() -> dict[str, Any]:
    """The contract as written."""
    return yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@cache
def operations() -> dict[str, Operation]:
    """Every operation by its id, in the contract's order."""
    found = [
        operation(method, path, entry)
        for path, methods in document()["paths"].items()
        for method, entry in methods.items()
        if method in METHODS
    ]
    return {each.id: each for each in found}


def operation(method: str, path: str, entry: dict[str, Any]) -> Operation:
    """One entry of the contract."""
    return Operation(
        id=entry["operationId"],
        route=f"{method.upper()} {path}",
        family=entry["tags"][0],
        auth=entry["x-auth"],
        alias_of=entry.get("x-alias-of"),
        effects=entry["x-effects"],
        fields=dict(fields(entry)),
    )


def fields(entry: dict[str, Any]) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Every query parameter, header and body field of one operation."""
    for parameter in map(resolved, entry.get("parameters", [])):
        if parameter["in"] != "path":
            yield f"{parameter['in']}.{parameter['name']}", values(resolved(parameter["schema"]))
    for content in resolved(entry.get("requestBody", {})).get("content", {}).values():
        yield from below("body", content["schema"], ())


def below(path: str, schema: dict[str, Any], within: tuple[int, ...]) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Every field inside the value at `path`; `within` holds the schemas around it."""
    schema = resolved(schema)
    if id(schema) in within:
        return
    within = (*within, id(schema))
    for choice in ("oneOf", "anyOf", "allOf"):
        for one in schema.get(choice, []):
            yield from below(path, one, within)
    for name, one in schema.get("properties", {}).items():
        yield f"{path}.{name}", values(resolved(one))
        yield from below(f"{path}.{name}", one, within)
    if others := schema.get("additionalProperties"):
        yield f"{path}.*", None
        yield from below(f"{path}.*", {} if others is True else others, within)
    if "items" in schema:
        yield from below(f"{path}[]", schema["items"], within)


def values(schema: dict[str, Any]) -> frozenset[str] | None:
    """The only values a field takes; an empty text counts as absent."""
    if "const" in schema:
        return frozenset({str(schema["const"])})
    if "enum" in schema:
        return frozenset(str(each) for each in schema["enum"] if each != "")
    return frozenset({"true", "false"}) if schema.get("type") in ("boolean", ["boolean", "null"]) else None


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` stands for."""
    while "$ref" in node:
        target: dict[str, Any] = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node
