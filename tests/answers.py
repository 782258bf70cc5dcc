"""What every answer is held to: the whole model of its tool, where the schema that hosts are sent says less.

A field that may be null is left out of an answer when it is; every other one is there, and no field besides.
"""

from functools import cache
from typing import Any, cast, get_type_hints

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from molecule_mcp.capability import Capability, Risk

Schema = dict[str, Any]

ABOUT = frozenset({"tenant", "sent", "grant", "deduplicated"})
"""What the road says of any call beside its tool's own answer."""

DRY = ABOUT | {"items", "dry_run", "risk", "asks", "advice", "would", "requests", "body"}
"""All that the answer of a dry run says."""


def complaints(capability: Capability, answer: dict[str, Any]) -> list[str]:
    """What of an answer is not as its tool's model has it."""
    if "dry_run" in answer:
        return [f"a dry run says {name}" for name in answer.keys() - DRY]
    whole = model(capability)
    own = {name: value for name, value in answer.items() if name not in ABOUT or name in whole["properties"]}
    if capability.risk is Risk.READ:
        found = wrong(whole, own)
    else:
        missing = [f"no {name}" for name in ("items", "sent") if name not in answer]
        found = missing + [f"items[{at}]{each}" for at, item in enumerate(own.pop("items", []))
                           for each in wrong(whole, item)]  # fmt: skip
        found += [f"says {name} beside its items" for name in own.keys() - ABOUT]
    return found


def wrong(schema: Schema, value: Any) -> list[str]:
    """What of a value does not fit a schema."""
    errors = Draft202012Validator(schema).iter_errors(value)  # pyright: ignore[reportUnknownMemberType]
    return [f"{each.json_path[1:]}: {each.message}" for each in errors]


def model(capability: Capability) -> Schema:
    """The schema of a tool's own answer, of one item where it changes something."""
    return of_type(get_type_hints(capability.function)["return"])


@cache
def of_type(kind: Any) -> Schema:
    """The strict schema of a model as it is dumped."""
    return strict(TypeAdapter(kind).json_schema(mode="serialization"))


def strict(schema: Schema) -> Schema:
    """A schema whose models take exactly their own fields, and miss none but those that may be null."""
    found: Schema = {name: within(name, part) for name, part in schema.items()}
    if "properties" in found:
        found["required"] = [name for name, part in found["properties"].items() if not nullable(part)]
        found["additionalProperties"] = False
    return found


def within(key: str, part: Any) -> Any:
    """The same for what stands under a keyword of a schema."""
    if key in {"properties", "$defs"}:
        return {name: strict(each) for name, each in part.items()}
    if key in {"items", "additionalProperties"} and isinstance(part, dict):
        return strict(cast("Schema", part))
    if key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
        return [strict(each) for each in part]
    return part


def nullable(schema: Schema) -> bool:
    """Whether a field may be null: one of anything says nothing of its kind."""
    kinds = schema.get("anyOf", [])
    return schema.keys() <= {"title", "description", "default"} or schema.get("type") == "null" or any(
        map(nullable, kinds)
    )  # fmt: skip
