"""Strict arguments: a tool's signature is its schema, unknown names are refused by naming the known ones.

Forgiving in shape, since hosts send "3" for 3, "true" for true and JSON text for an object; strict in names and kinds.
Refusals name fields and rules, never values: a rejected value may be a secret in the wrong place.
"""

import difflib
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, cast, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from molecule_mcp.capability import UUID, Capability, FromPerson, Workspace
from molecule_mcp.errors import ArgumentError

INJECTED = frozenset({"tenant", "secrets", "outputs", "progress", "wait", "run"})
"""Parameters that the road fills in: no caller can give them."""

RULES = {
    "json_invalid": "are not JSON, or nested too deep",
    "missing": "is required",
    "extra_forbidden": "has a field that is not known",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "datetime_type": "must be a date and time with its zone, without quotes: 2027-01-31T00:00:00Z",
    "timezone_aware": "must say its zone: 2027-01-31T00:00:00Z",
    "too_short": "has too few entries: at least {min_length}",
    "literal_error": "must be one of {expected}{description}",
    "value_error": "is not what its description asks for{description}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_long": "has more than {max_length} entries",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "has too few characters: at least {min_length}",
    "string_pattern_mismatch": "does not have the form its description asks for{description}",
}
"""Pydantic's kinds of error in words; only limits from our own schemas are filled in, never the caller's data."""

TOLD = 10
"""How many problems one refusal tells; a list of a thousand wrong entries is one mistake."""

LONGEST = 64
"""Characters of an unknown name that is compared with the known ones."""

ALIKE = (frozenset({"text", "message", "content", "prompt"}), frozenset({"workspace", "workspace_id", "agent", "id"}))
"""Names that callers take for one another, beside those that differ by a few letters."""

ELSEWHERE = dict.fromkeys(("budget", "budget_limit", "budget_limit_cents", "limit_cents"), "set_budget changes a limit")
"""Arguments that callers look for where another tool takes them."""

WHOLE = re.compile(r"-?[0-9]{1,18}")

Tool = Callable[..., Awaitable[Any]]
Schema = dict[str, Any]


class Options(BaseModel):
    """What every changing call takes besides its tool's own arguments; the road acts on it, the tool never sees it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    dry_run: Annotated[bool, Field(description="Preview.")] = False
    client_token: Annotated[str, Field(max_length=64, description="One token, one send.")] = ""


NO_OPTIONS = Options()


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


def renamed(function: Tool, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of a read with its one workspace under the name it has there, `workspace` or `workspace_id`."""
    known = model(function).model_fields
    for wrong, right in (("workspace", "workspace_id"), ("workspace_id", "workspace")):
        if wrong in given and wrong not in known and right in known and right not in given:
            return {right if name == wrong else name: value for name, value in given.items()}
    return given


def marked(hint: Any, marker: type) -> bool:
    """Whether an annotation carries a marker such as `FromPerson`."""
    return any(extra is marker or isinstance(extra, marker) for extra in getattr(hint, "__metadata__", ()))


def holds(hint: Any, marker: type) -> bool:
    """Whether an annotation, or any part of it, carries a marker."""
    return marked(hint, marker) or any(holds(part, marker) for part in get_args(hint))


@cache
def parameters(function: Tool, marker: type) -> frozenset[str]:
    """The parameters that carry a marker, however deep in lists and objects."""
    hints = get_type_hints(function, include_extras=True)
    return frozenset(name for name in inspect.signature(function).parameters if holds(hints[name], marker))


@cache
def workspace_parameters(function: Tool) -> frozenset[str]:
    """The parameters that hold workspace ids, however deep in lists and objects."""
    return parameters(function, Workspace)


def options(capability: Capability) -> Schema:
    """The schemas of the options that a tool takes, by name."""
    return {name: schema for name, schema in every_option().items() if name in capability.options}


@cache
def every_option() -> Schema:
    """The schemas of all options."""
    return slim(Options.model_json_schema(), terse)["properties"]


def taken(capability: Capability, given: Mapping[str, Any]) -> tuple[Options, dict[str, Any]]:
    """A call's options, and the arguments for its tool as `read` returns them.

    Raises: ArgumentError as `read`.
    """
    if given.keys().isdisjoint(capability.options):
        return NO_OPTIONS, read(capability.function, given, capability.options)
    own = {name: reshaped(given[name], kinds(schema)) for name, schema in options(capability).items() if name in given}
    try:
        found = Options.model_validate(own)
    except ValidationError as error:
        raise refusal(said(error.errors(include_input=False), frozenset(own)), [], []) from None
    rest = {name: value for name, value in given.items() if name not in own}
    return found, read(capability.function, rest, capability.options)


def read(function: Tool, given: Mapping[str, Any], also: Iterable[str] = ()) -> dict[str, Any]:
    """Check and complete the arguments of one call.

    Args:
        also: Names that the call takes besides; a refusal lists them with the known ones.
    Returns: Python values by parameter name, defaults filled in.
    Raises: ArgumentError naming every field that does not fit and its rule.
    """
    wanted = model(function)
    known = set(wanted.model_fields)
    unknown = sorted(set(given) - known)
    shaped = {name: reshaped(value, kinds_of(function)[name]) for name, value in given.items() if name in known}
    try:
        # JSON mode is deep strict: a list of texts takes no tuple and no number.
        checked = wanted.model_validate_json(json.dumps(shaped, allow_nan=False))
    except ValidationError as error:
        problems = said(error.errors(include_input=False), names(function), descriptions(function))
        raise refusal(problems, unknown, [*wanted.model_fields, *also], given) from None
    except (ValueError, RecursionError):
        problems = [f"arguments {RULES['json_invalid']}"]
        raise refusal(problems, unknown, [*wanted.model_fields, *also], given) from None
    if unknown:
        raise refusal([], unknown, [*wanted.model_fields, *also], given)
    return {name: getattr(checked, name) for name in wanted.model_fields}


def refusal(
    problems: list[str], unknown: Sequence[str], known: Sequence[str], given: Container[str] = ()
) -> ArgumentError:
    """One error for everything wrong with a call's arguments."""
    if unknown:
        meant = dict.fromkeys(name for each in unknown[:TOLD] for name in near(each, known) if name not in given)
        hint = f" (did you mean {', '.join(meant)}?)" if meant else ""
        many = f"{len(unknown)} unknown argument{'s' if len(unknown) > 1 else ''}{hint}"
        problems = [*problems, f"{many}; known are: {', '.join(known) or 'none'}"]
        if not meant:
            problems += dict.fromkeys(ELSEWHERE[each] for each in unknown if each in ELSEWHERE)
    return ArgumentError("; ".join(problems), advice="Correct the arguments and call again; nothing was sent.")


def near(unknown: str, known: Sequence[str]) -> list[str]:
    """The known name that an unknown one stands for, if that can be told; the unknown one is never repeated."""
    if len(unknown) > LONGEST:
        return []
    spelled = difflib.get_close_matches(unknown, known, n=1, cutoff=0.6)
    return spelled or [name for name in known if any({unknown, name} <= group for group in ALIKE)][:1]


def said(details: Iterable[Any], ours: frozenset[str], asked: Mapping[str, str] | None = None) -> list[str]:
    """Validation errors in words, one per place, without the rejected values.

    Args:
        details: As pydantic lists them; a place that takes one of several kinds has an error for each.
        ours: The names a place may show: a key of an object of the caller's is the caller's own text.
        asked: The descriptions of the parameters, for a text that does not have the form they ask for.
    """
    found: dict[str, list[str]] = {}
    for detail in details:
        place = ".".join(str(part) for part in detail["loc"] if isinstance(part, int) or part in ours)
        description = (asked or {}).get(place, "")
        filled = {**detail.get("ctx", {}), "description": description and f": {description}"}
        rule = RULES.get(detail["type"], "is not acceptable").format(**filled)
        rules = found.setdefault(place or "arguments", [])
        rules += [rule] if rule not in rules else []
    told = [f"{place} {' or '.join(rules)}" for place, rules in found.items()]
    return told if len(told) <= TOLD else [*told[:TOLD], f"{len(told) - TOLD} more places do not fit"]


@cache
def descriptions(function: Tool) -> dict[str, str]:
    """What a tool's schema says of each parameter, in words."""
    properties: Schema = model(function).model_json_schema().get("properties", {})
    # An id that may be left out has no `format` in the list: the empty text is none.
    return {
        name: schema["description"] + (" A UUID, not a name." if schema.get("pattern", "").endswith(UUID) else "")
        for name, schema in properties.items()
        if "description" in schema
    }


@cache
def names(function: Tool) -> frozenset[str]:
    """Every name that a tool's schema gives to a parameter or to a field inside one."""

    def within(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from cast("Schema", node).get("properties", {})
            node = [*cast("Schema", node).values()]
        if isinstance(node, list):
            for part in cast("list[Any]", node):
                yield from within(part)

    return frozenset(within(input_schema(function)))


def reshaped(value: Any, kinds: frozenset[str]) -> Any:
    """A text turned into what the parameter wants, when it wants no text and the text says exactly one such thing."""
    if not isinstance(value, str) or "string" in kinds:
        return value
    if "integer" in kinds and WHOLE.fullmatch(value):
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
    return value if type(value) in (dict, list) else text


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
    schema = slim(model(function).model_json_schema(), terse)
    schema.setdefault("properties", {})
    return schema


def output_schema(kind: Any) -> Schema:
    """The JSON schema of a result type; None-valued fields are left out of results, so they are optional here.

    Raises: TypeError when the result is no object with fields; hosts refuse other roots.
    """
    whole = TypeAdapter(kind).json_schema(mode="validation")
    schema = slim(whole, undescribed)
    if "properties" not in schema:
        raise TypeError(f"{kind} is no model")
    return {**schema, "required": whole["required"]} if "required" in whole else schema


CHECKED = frozenset(
    {
        *("minLength", "maxLength", "minimum", "maximum", "exclusiveMaximum", "minItems", "maxItems"),
        *("minProperties", "maxProperties", "pattern", "patternProperties", "propertyNames"),
    }
)
"""What a call is held to without its schema saying so."""


def terse(node: Schema) -> Schema:
    """An argument's schema without what a list repeats a hundred times: sizes, forms, defaults that say nothing.

    All of them are still checked, and a refusal names the rule; `format` says that of an id in a tenth of the letters.
    """
    found = {key: part for key, part in node.items() if key not in CHECKED}
    if node.get("pattern") == UUID:
        found["format"] = "uuid"
    for values in node.get("patternProperties", {}).values():
        found["additionalProperties"] = {"type": values["type"]}
    if not found.get("default", True):
        del found["default"]
    return found


def undescribed(node: Schema) -> Schema:
    """A result's schema without descriptions and defaults: names and types are what a host checks a result by.

    What is always there is said of the result itself, not of each row in it.
    """
    return {key: part for key, part in node.items() if key not in {"description", "default", "required"}}


def slim(schema: Schema, cut: Callable[[Schema], Schema] = dict) -> Schema:
    """A schema without references, titles, sub-schemas that say nothing, null defaults and properties that may be null.

    Args:
        cut: What else goes, from each sub-schema.
    Limit: a type that contains itself has no such schema (RecursionError).
    """
    definitions = schema.get("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(part) for part in node]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(node, dict):
            return node
        found: Schema = dict(node)  # pyright: ignore[reportUnknownArgumentType]
        if "$ref" in found:
            # The description of a model is for its readers here; what a host needs stands at the field.
            inner = definitions[found.pop("$ref").rsplit("/", 1)[1]]
            return walk({**{key: part for key, part in inner.items() if key != "description"}, **found})
        if "const" in found:
            found.setdefault("enum", [found.pop("const")])
        if found.get("default", 0) is None:
            del found["default"]
        for part in ("additionalProperties", "items"):
            if found.get(part) in (True, {}):
                del found[part]
        if "properties" in found:
            found["properties"] = {name: walk(given(part)) for name, part in found["properties"].items()}
        return cut(
            chosen({key: part if key in FINAL else walk(part) for key, part in found.items() if key not in NOISE})
        )

    return walk(schema)


NOISE = frozenset({"title", "$defs", "discriminator"})
FINAL = frozenset({"properties", "default", "enum", "examples"})
"""Keys whose values are no schemas, or were walked already."""


def chosen(schema: Schema) -> Schema:
    """A schema whose alternatives are all texts of a list, as one list."""
    parts = schema.get("anyOf", [])
    if not parts or any(part.keys() != {"type", "enum"} or part["type"] != "string" for part in parts):
        return schema
    rest = {key: part for key, part in schema.items() if key != "anyOf"}
    return {**rest, "type": "string", "enum": [value for part in parts for value in part["enum"]]}


def given(schema: Schema) -> Schema:
    """A property's schema when it is there at all: not null."""
    kinds = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    rest = {key: part for key, part in schema.items() if key != "anyOf"}
    if not kinds:
        return schema
    return {**kinds[0], **rest} if len(kinds) == 1 else {**rest, "anyOf": kinds}
