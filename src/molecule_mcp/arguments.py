"""Strict arguments: a tool's signature is its schema, unknown names are refused by naming the known ones.

Forgiving in shape, since hosts send "3" for 3, "true" for true and JSON text for an object; strict in names and kinds.
Refusals name fields and rules, never values: a rejected value may be a secret in the wrong place.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from molecule_mcp.capability import FromPerson, Workspace
from molecule_mcp.errors import ArgumentError

INJECTED = frozenset({"tenant", "secrets", "outputs"})
"""Parameters that the road fills in: no caller can give them."""

RULES = {
    "missing": "is required",
    "extra_forbidden": "has a field that is not known",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "literal_error": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_long": "has more than {max_length} entries",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is shorter than {min_length} characters",
    "string_pattern_mismatch": "does not have the form its description asks for",
}
"""Pydantic's kinds of error in words; only limits from our own schemas are filled in, never the caller's data."""

Tool = Callable[..., Awaitable[Any]]
Schema = dict[str, Any]


@cache
def model(function: Tool) -> type[BaseModel]:
    """The arguments of a tool as a strict pydantic model."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in INJECTED or marked(hints[name], FromPerson):
            continue
        fields[name] = (hints[name], ... if parameter.default is parameter.empty else parameter.default)
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    return create_model(function.__name__, __config__=config, **fields)


def marked(hint: Any, marker: type) -> bool:
    """Whether an annotation carries a marker such as `FromPerson`."""
    return any(extra is marker or isinstance(extra, marker) for extra in getattr(hint, "__metadata__", ()))


@cache
def workspace_parameters(function: Tool) -> frozenset[str]:
    """The parameters that hold workspace ids, singly or in lists."""
    hints = get_type_hints(function, include_extras=True)
    return frozenset(
        name
        for name, hint in hints.items()
        if marked(hint, Workspace) or any(marked(inner, Workspace) for inner in get_args(hint))
    )


def read(function: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check and complete the arguments of one call.

    Returns: Python values by parameter name, defaults filled in.
    Raises: ArgumentError naming every field that does not fit and its rule.
    """
    wanted = model(function)
    known = set(wanted.model_fields)
    unknown = len(set(given) - known)
    shaped = {name: reshaped(value, kinds_of(function)[name]) for name, value in given.items() if name in known}
    try:
        # JSON mode is deep strict, and still takes enum, date and UUID texts.
        checked = wanted.model_validate_json(json.dumps(shaped), strict=True)
    except ValidationError as error:
        raise refusal([said(detail) for detail in error.errors(include_input=False)], unknown, wanted) from None
    if unknown:
        raise refusal([], unknown, wanted)
    return {name: getattr(checked, name) for name in wanted.model_fields}


def refusal(problems: list[str], unknown: int, wanted: type[BaseModel]) -> ArgumentError:
    """One error for everything wrong with a call's arguments."""
    if unknown:
        names = ", ".join(wanted.model_fields) or "none"
        problems = [*problems, f"{unknown} unknown argument{'s' if unknown > 1 else ''}; known are: {names}"]
    return ArgumentError("; ".join(problems), advice="Correct the arguments and call again; nothing was sent.")


def said(detail: Any) -> str:
    """One validation error in words, without the rejected value."""
    # The last part of an unknown field's place is the caller's own text.
    place = detail["loc"][:-1] if detail["type"] == "extra_forbidden" else detail["loc"]
    path = ".".join(str(part) for part in place if isinstance(part, int) or str(part).isidentifier())[:80]
    rule = RULES.get(detail["type"])
    return f"{path or 'arguments'} {rule.format(**detail.get('ctx', {})) if rule else 'is not acceptable'}"


def reshaped(value: Any, kinds: frozenset[str]) -> Any:
    """A text turned into what the parameter wants, when it wants no text and the text says exactly one such thing."""
    if not isinstance(value, str) or "string" in kinds:
        return value
    if "integer" in kinds and value.lstrip("-").isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    if "boolean" in kinds and value in {"true", "false"}:
        return value == "true"
    if kinds & {"object", "array"}:
        return unwrapped(value)
    return value


def unwrapped(text: str) -> Any:
    """The object or array that a text holds, else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


@cache
def kinds_of(function: Tool) -> dict[str, frozenset[str]]:
    """The JSON types that each parameter takes."""
    return {name: kinds(schema) for name, schema in input_schema(function)["properties"].items()}


def kinds(schema: Schema) -> frozenset[str]:
    """The JSON types of a slim schema."""
    own = {schema["type"]} if "type" in schema else {"string"} if "enum" in schema else set[str]()
    return frozenset(own | {kind for part in schema.get("anyOf", []) for kind in kinds(part)})


@cache
def input_schema(function: Tool) -> Schema:
    """The JSON schema of a tool's arguments, in the form every host takes."""
    schema = slim(model(function).model_json_schema())
    schema.setdefault("properties", {})
    schema["additionalProperties"] = False
    return schema


def output_schema(kind: Any) -> Schema:
    """The JSON schema of a result type; None-valued fields are left out of results, so they are optional here."""
    return slim(TypeAdapter(kind).json_schema(mode="validation"))


def slim(schema: Schema) -> Schema:
    """A schema without references, titles, null unions and null defaults."""
    definitions = schema.get("$defs", {})

    def walk(node: Any, names: bool = False) -> Any:
        if isinstance(node, list):
            return [walk(part) for part in node]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(node, dict):
            return node
        found: Schema = dict(node)  # pyright: ignore[reportUnknownArgumentType]
        if names:
            return {name: walk(part) for name, part in found.items()}
        if "$ref" in found:
            found = {**definitions[found.pop("$ref").rsplit("/", 1)[1]], **found}
        unions = [part for part in found.get("anyOf", []) if part != {"type": "null"}]
        if len(unions) == 1:
            del found["anyOf"]
            found = {**unions[0], **found}
            return walk(found)
        for noise in ("title", "$defs"):
            found.pop(noise, None)
        if found.get("default", 0) is None:
            del found["default"]
        if "const" in found and "enum" not in found:
            found["enum"] = [found.pop("const")]
        return {key: walk(part, names=key == "properties") for key, part in found.items()}

    return walk(schema)
