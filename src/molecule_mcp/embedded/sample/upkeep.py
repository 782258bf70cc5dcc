"""What the sample organization's operator looks at: the tokens that agents used today."""

from molecule_mcp.embedded.sample.plant import Planter, sample_id

USAGE = (
    ("chief", 8000, 1600, 2),
    ("chief", 5200, 900, 30),
    ("backend", 41_000, 7_300, 7),
    ("triage", 12_500, 2_100, 1),
    ("researcher", 96_000, 11_400, 2 * 24 * 60),
)
"""Workspace, tokens in, tokens out, minutes ago."""


def upkeep(planter: Planter) -> None:
    """Write everything of this module."""
    for owner, given, got, ago in USAGE:
        planter.instance.db.insert(
            "token_usage",
            workspace_id=sample_id("workspaces", owner),
            input_tokens=given,
            output_tokens=got,
            created_at=planter.at(ago),
        )
