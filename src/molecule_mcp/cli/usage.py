"""`molecule-mcp call TOOL --help`: what one tool takes, from the shipped catalogue; nothing is read or called."""

import textwrap
from collections.abc import Mapping
from typing import Any

from molecule_mcp import tools
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.prepared import Entry

WIDTH = 100


def usage(entry: Entry) -> str:
    """The tool's description, its risk, and a line per argument: name, kind, whether it is required, what it is."""
    name, schema = entry.ability.name, entry.tool["inputSchema"]
    capability = tools.family(entry.family)[name]
    risk = "; ".join([capability.risk.label, *rising(capability, capability.risk, None)])
    head = [f"usage: molecule-mcp call {name} JSON", "", str(entry.tool["description"]), "", f"risk: {risk}", ""]
    required: list[str] = schema.get("required", [])
    properties: dict[str, dict[str, Any]] = schema["properties"]
    width = max(map(len, properties), default=0)
    rows = [argument(each, properties[each], each in required, width) for each in properties]
    return "\n".join([*head, *(["arguments:", *rows] if rows else ["It takes no arguments."])])


def argument(name: str, schema: dict[str, Any], required: bool, width: int) -> str:
    """One argument, wrapped behind its name."""
    told = [kind(schema), "required" if required else given_as(schema.get("default"))]
    text = f"{', '.join(filter(None, told))}. {schema.get('description', '')}".strip()
    margin = " " * (width + 4)
    return textwrap.fill(text, WIDTH, initial_indent=f"  {name:{width}}  ", subsequent_indent=margin)


def given_as(default: Any) -> str:
    """What counts when it is not given; "" when the tool says nothing of it."""
    shown = ", ".join(default) if isinstance(default, list) else default  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "" if shown in (None, "", {}) else f"{shown} unless given"


def kind(schema: dict[str, Any]) -> str:
    """What kind of value an argument takes, in JSON's words."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any value")


def rising(capability: Capability, risk: Risk, given: Mapping[str, Any] | None) -> list[str]:
    """What would raise the risk further: live facts, and arguments as long as none are given."""
    found = [
        f"{by.label} when {fact} (read at the call)" for fact, by in capability.raised_by_fact.items() if by > risk
    ]
    if given is not None:
        return found
    for name, by in capability.raised_by.items():
        values = {name: by} if isinstance(by, Risk) else {f"{name} is {value}": each for value, each in by.items()}
        found += [f"{each.label} when {what}" for what, each in values.items() if each > risk]
    return found
