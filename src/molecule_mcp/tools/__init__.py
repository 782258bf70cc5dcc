"""The tools: one module per family, loaded at the first call of one of its tools."""

from functools import cache
from importlib import import_module

from molecule_mcp.capability import Capability, Family

FAMILIES = ("workspaces", "secrets", "approvals", "questions")
"""Module names under this package; each has a `family`."""


@cache
def family(name: str) -> Family:
    """Load one family by its module's name."""
    return import_module(f"{__name__}.{name}").family


def catalogue() -> dict[str, Capability]:
    """Every tool by name, sorted; loads all families."""
    found: dict[str, Capability] = {}
    for name in FAMILIES:
        for tool, capability in family(name).capabilities.items():
            if tool in found:
                raise TypeError(f"{tool} is recorded in two families")
            found[tool] = capability
    return dict(sorted(found.items()))
