"""What an operator looks at: tokens used today, stored configs, a model override, recorded agents."""

import json
from typing import Any

from molecule_mcp.embedded.sample.plant import Planter, sample_id

USAGE = (
    ("chief", 8000, 1600, 2),
    ("chief", 5200, 900, 30),
    ("backend", 41_000, 7_300, 7),
    ("triage", 12_500, 2_100, 1),
    ("researcher", 96_000, 11_400, 2 * 24 * 60),
)
"""Workspace, tokens in, tokens out, minutes ago."""

CONFIGS: tuple[tuple[str, Any], ...] = (
    ("partner", {"contact": "ops@partner.example", "limits": {"orders_a_day": 200}}),
    ("bench", {"suites": ["retrieval", "speech"], "nightly": True}),
)
"""Workspace, its stored document."""

MODEL = ("bench", "anthropic:claude-sonnet-4")
"""Workspace, the model that overrides its template's."""

AGENTS = (("chief", "claude-opus-4"), ("backend", "claude-sonnet-4"))
"""Workspace, the model that was noted for it."""


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
    for owner, data in CONFIGS:
        planter.instance.db.insert("configs", workspace_id=sample_id("workspaces", owner), data=json.dumps(data))
    owner, model = MODEL
    planter.instance.db.insert(
        "workspace_secrets",
        workspace_id=sample_id("workspaces", owner),
        key="MODEL_PROVIDER",
        value=planter.instance.vault.seal(model),
        created_at=planter.at(4000),
        updated_at=planter.at(4000),
    )
    for owner, model in AGENTS:
        planter.add("agents", owner, workspace_id=sample_id("workspaces", owner), model=model, status="active")
