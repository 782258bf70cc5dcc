"""The prepared catalogue: every tool as data, generated and shipped, so that a start builds nothing."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from molecule_mcp.capability import Risk
from molecule_mcp.gate.policy import Ability


@dataclass(frozen=True)
class Entry:
    """One tool of the catalogue.

    Args:
        ability: What policy reads.
        family: Its toolset.
        tool: The tool as MCP lists it: name, title, description, inputSchema, outputSchema, annotations.
        facts: risk, raised_by, raised_by_fact and sends as written in catalogue.json.
    """

    ability: Ability
    family: str
    tool: dict[str, Any]
    facts: dict[str, Any]


@cache
def entries() -> dict[str, Entry]:
    """Every tool by name, in the catalogue's order."""
    loaded = json.loads(files("molecule_mcp").joinpath("catalogue.json").read_bytes())
    return {row["tool"]["name"]: entry(row) for row in loaded}


@cache
def omitted() -> dict[str, str]:
    """Operations of the tenant that no tool sends, by the contract's name, each with why."""
    return json.loads(files("molecule_mcp").joinpath("omitted.json").read_bytes())


def entry(row: dict[str, Any]) -> Entry:
    """One row of catalogue.json."""
    ability = Ability(
        row["tool"]["name"], Risk[row["risk"].upper()], frozenset(row["sends"]), frozenset(row.get("optional", ()))
    )
    facts = {name: row[name] for name in ("risk", "raised_by", "raised_by_fact", "sends")}
    return Entry(ability, row["family"], row["tool"], facts)
