"""What the sample organization's agents go by: instructions, checkpoints of workflows, and one Git repository."""

import json
from typing import Any

from molecule_mcp.embedded.sample.plant import DAY, Planter, sample_id

INSTRUCTIONS: tuple[tuple[str | None, str, str, int, bool], ...] = (
    (None, "House style", "Write dates as 2026-11-24 and amounts with their currency.", 10, True),
    (None, "No promises", "Never promise a refund or a date; ask a person first.", 50, True),
    ("triage", "Tone", "Thank the customer once, then answer in three sentences at most.", 20, True),
    ("newsletter", "Old format", "Use the two-column layout.", 0, False),
)
"""Workspace (None: all), title, content, priority, enabled."""

CHECKPOINTS: tuple[tuple[str, str, str, int, Any, float], ...] = (
    ("books", "month-end-2026-10", "collect", 0, {"invoices": 212}, 900),
    ("books", "month-end-2026-10", "match", 1, {"matched": 187, "open": 25}, 860),
    ("release", "release-4.0.0", "build", 0, None, 400),
)
"""Workspace, workflow, step, its index, payload, minutes ago."""

REPOSITORY = ("backend", "billing-service", "Patches for review.", 340)
"""Workspace, name, description, objects."""


def notes(planter: Planter) -> None:
    """Write everything of this module."""
    for place, (owner, title, content, priority, enabled) in enumerate(INSTRUCTIONS):
        planter.add(
            "instructions",
            title,
            scope="workspace" if owner else "global",
            scope_target=owner and sample_id("workspaces", owner),
            title=title,
            content=content,
            priority=priority,
            enabled=enabled,
            created_at=planter.at((20 - place) * DAY),
            updated_at=planter.at((12 - place) * DAY),
        )
    for owner, workflow, step, index, payload, ago in CHECKPOINTS:
        planter.add(
            "checkpoints",
            f"{workflow}:{step}",
            workspace_id=sample_id("workspaces", owner),
            workflow_id=workflow,
            step_name=step,
            step_index=index,
            payload=json.dumps(payload),
            completed_at=planter.at(ago),
        )
    owner, name, description, objects = REPOSITORY
    times = {"created_at": planter.at(15 * DAY), "updated_at": planter.at(2 * DAY)}
    planter.add("artifact_repos", name, name=name, description=description, objects=objects, **times)
    planter.add("artifact_links", name, workspace_id=sample_id("workspaces", owner), repo=name, **times)
