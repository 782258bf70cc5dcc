"""`molecule-mcp tools`: what this profile can use."""

import json
from argparse import Namespace
from typing import Any

from molecule_mcp.cli.profile import offered, profile_of, settings_of
from molecule_mcp.gate import policy
from molecule_mcp.prepared import Entry


def run(arguments: Namespace) -> int:
    """Print a line per tool, or everything as JSON."""
    settings = settings_of(arguments)
    profile = profile_of(settings)
    shown = [entry for entry in offered(settings).values() if policy.refusal(profile, entry.ability) is None]
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
        "title": entry.tool["title"],
        "description": entry.tool["description"],
        "annotations": entry.tool["annotations"],
        "input_schema": entry.tool["inputSchema"],
        "output_schema": entry.tool["outputSchema"],
    }
