"""What the sample organization's agents go by: instructions, checkpoints, a ledger, and one Git repository."""

import json
from hashlib import sha256
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

LEDGER: tuple[tuple[str, str | None, bool, bool, float], ...] = (
    ("task_start", None, False, False, 910),
    ("llm_call", "claude-sonnet-4", False, False, 905),
    ("tool_call", None, False, True, 880),
    ("task_end", None, True, False, 860),
)
"""What the Bookkeeper wrote into the audit ledger: operation, model, seen by a person, risky, minutes ago."""

PLUGINS = (
    ("backend", "superpowers"),
    ("backend", "molecule-careful-bash"),
    ("code-review", "superpowers"),
    ("books", "invoice-tools"),
    ("qa", "research-notes"),
)
"""Workspace, plugin; that of an offline workspace does not show."""


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
    former: str | None = None
    for place, (operation, model, overseen, risky, ago) in enumerate(LEDGER):
        digest = sha256(f"{former}:{operation}".encode()).hexdigest()
        planter.add(
            "audit",
            f"books:{place}",
            workspace_id=sample_id("workspaces", "books"),
            timestamp=planter.at(ago),
            agent_id="bookkeeper",
            session_id="month-end-2026-10",
            operation=operation,
            model_used=model,
            human_oversight_flag=overseen,
            risk_flag=risky,
            prev_hmac=former,
            hmac=digest,
        )
        former = digest
    owner, name, description, objects = REPOSITORY
    times = {"created_at": planter.at(15 * DAY), "updated_at": planter.at(2 * DAY)}
    planter.add("artifact_repos", name, name=name, description=description, objects=objects, **times)
    planter.add("artifact_links", name, workspace_id=sample_id("workspaces", owner), repo=name, **times)
    for owner, name in PLUGINS:
        workspace_id = sample_id("workspaces", owner)
        row = {"workspace_id": workspace_id, "name": name, "source": f"local://{name}"}
        planter.instance.db.insert("installed_plugins", **row)
