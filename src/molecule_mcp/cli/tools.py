"""`molecule-mcp tools`: what this profile can use."""

import json
from argparse import Namespace
from typing import Any

from molecule_mcp.cli.profile import in_force, offered
from molecule_mcp.gate import policy
from molecule_mcp.prepared import Entry


def run(arguments: Namespace) -> int:
    """Print a line per tool, or everything as JSON."""
    found = in_force(arguments)
    offers = offered(found.settings).values()
    shown = [entry for entry in offers if policy.refusal(found.profile, entry.ability) is None]
    if arguments.json:
        print(json.dumps([row(entry) for entry in shown], indent=2))
        return 0
    for entry in shown:
        what = str(entry.tool["description"]).splitlines()[0]
        print(f"{entry.ability.name:28} {entry.ability.risk.label:9} {what}")
    return 0


def row(entry: Entry) -> dict[str, Any]:
    """One tool, with everything a reviewer of an installation wants to know."""
    return {
        "name": entry.ability.name,
        "family": entry.family,
        **entry.facts,
        "title": entry.tool.get("title", entry.ability.name),
        "description": entry.tool["description"],
        "annotations": entry.tool["annotations"],
        "input_schema": entry.tool["inputSchema"],
        "output_schema": entry.tool["outputSchema"],
    }
