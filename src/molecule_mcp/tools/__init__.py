"""The tools: a family is one or two modules, loaded at the first call of one of its tools."""

from functools import cache
from importlib import import_module

from molecule_mcp.capability import Capability, Family

MODULES = {
    "workspaces": ("workspaces", "lifecycle", "creation"),
    "secrets": ("secrets", "global_secrets"),
    "approvals": ("approvals",),
    "access": ("access",),
    "channels": ("channels", "channel_messages"),
    "memory": ("memory", "memories", "memory_transfer"),
    "instructions": ("instructions",),
    "checkpoints": ("checkpoints",),
    "artifacts": ("artifacts",),
    "messages": ("messages", "delegations"),
    "schedules": ("schedules",),
    "plugins": ("plugins", "allowlist"),
    "files": ("files", "chat_files"),
    "admin": ("admin", "images", "queue"),
    "activity": ("activity", "events", "watching"),
    "budgets": ("budgets",),
    "teams": ("teams", "agent_records"),
    "config": ("config", "console"),
    "org": ("org",),
    "bundles": ("bundles",),
    "templates": ("templates",),
    "plans": ("plans",),
    "questions": ("questions", "overview", "diagnosis", "holders"),
}
"""Family (toolset) -> modules under this package; each has a `family` of that name."""


@cache
def family(name: str) -> dict[str, Capability]:
    """Load one family: its tools by name.

    Raises: TypeError when a tool is recorded twice or in a module of another family.
    """
    found: dict[str, Capability] = {}
    for module in MODULES[name]:
        part: Family = import_module(f"{__name__}.{module}").family
        if part.name != name or found.keys() & part.capabilities.keys():
            raise TypeError(f"{module} is not a part of {name}, or records a tool again")
        found |= part.capabilities
    return found


def catalogue() -> dict[str, Capability]:
    """Every tool by name, sorted; loads all families.

    Raises: TypeError when two families record a tool of the same name.
    """
    found: dict[str, Capability] = {}
    for name in MODULES:
        tools = family(name)
        if found.keys() & tools.keys():
            raise TypeError(f"{name} records a tool of another family")
        found |= tools
    return dict(sorted(found.items()))
