"""Plans as data: what binds a plan to a call, and whether a later reading still shows the same.

A plan's stable part is its steps: arguments, exact request, stable facts. Status and counts are shown but not bound,
because they change by themselves; names, ids, parents, secret key names, schedule and channel ids are bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from molecule_mcp.capability import Preview
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Step

LIFETIME = 600.0
"""Seconds a plan, and a yes to it, stay good."""


def bound_text(principal: str, profile: str, origin: str, tool: str, arguments: Mapping[str, Any]) -> str:
    """What makes a repeated call the same call."""
    return canonical([principal, profile, origin, tool, dict(arguments)])


def fingerprint(steps: Sequence[Step]) -> str:
    """The stable part of a plan as text; equal texts mean that everything shown is still so."""
    return canonical(
        [
            [
                step.answer,
                step.index,
                step.arguments,
                step.method,
                step.path,
                step.body_digest,
                step.facts,
                step.tool,
                step.call,
                step.risk,
            ]
            for step in steps
        ]
    )


def still(step: Step, preview: Preview) -> bool:
    """Whether a fresh preview of one step's own arguments shows exactly that step and nothing else."""
    set_by_answer = preview.choices.get(step.answer, {})
    fresh = [[{**item.arguments, **set_by_answer}, item.facts] for item in preview.items]
    return canonical(fresh) == canonical([[step.arguments, step.facts]])
