"""Names that workspaces lost through this server lately: who is asked about one may know it by such a name."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from molecule_mcp.capability import Fact, Own, exactly
from molecule_mcp.road.context import Context
from molecule_mcp.store.records import KEPT

RENAMES = "update_workspace"
"""The tool that changes a name (operation updateWorkspace); its recorded answer holds the former one."""


def renamed(context: Context, workspaces: Set[str]) -> tuple[Fact, ...]:
    """Every name that one of these workspaces had in the last `KEPT` seconds, the oldest first; else nothing.

    Raises: StoreError.
    """
    now = context.clock()
    lines = tuple(
        Own(f"{exactly(name)} until {int((now - ended) // 60)} min ago: {workspace}")
        for ended, answer in context.store().answers(RENAMES, context.origin, now - KEPT)
        for workspace, name in former(answer)
        if workspace in workspaces
    )
    return (Fact("Other names within the last 24 hours", lines),) if lines else ()


def former(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The workspace and its former name in a recorded answer, if that changed a name, or may have."""
    for each in answer["done"]["items"] if "done" in answer else [answer.get("failed", {})]:
        if "name" in each.get("before", {}):
            yield each["id"], each["before"]["name"]
