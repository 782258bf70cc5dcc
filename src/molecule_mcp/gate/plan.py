"""Plans as data: what binds a plan to a call, and whether a later reading still shows the same.

A plan's stable part is its steps: arguments, exact request, stable facts. Status and counts are shown but not bound,
because they change by themselves; names, ids, parents, secret key names, schedule and channel ids are bound.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from molecule_mcp.capability import Item
from molecule_mcp.store.records import Step

LIFETIME = 600.0
"""Seconds a plan, and a yes to it, stay good."""


def canonical(value: Any) -> str:
    """One text per value: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def bound_text(principal: str, profile: str, origin: str, tool: str, arguments: Mapping[str, Any]) -> str:
    """What makes a repeated call the same call."""
    return canonical([principal, profile, origin, tool, dict(arguments)])


def fingerprint(steps: Sequence[Step]) -> str:
    """The stable part of a plan as text; equal texts mean that everything shown is still so."""
    return canonical(
        [
            [step.answer, step.index, step.arguments, step.method, step.path, step.body_digest, step.facts]
            for step in steps
        ]
    )


def still(step: Step, items: Sequence[Item]) -> bool:
    """Whether a fresh preview of one step's own arguments shows exactly that step and nothing else."""
    return len(items) == 1 and canonical([items[0].arguments, items[0].facts]) == canonical(
        [
            {name: value for name, value in step.arguments.items() if name in items[0].arguments},
            step.facts,
        ]
    )
