"""Settings and profile from the command line and the environment; shared by the commands."""

import os
from argparse import Namespace

from molecule_mcp import toolsets
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.settings import Selection, Settings


def settings_of(arguments: Namespace) -> Settings:
    """Read the settings.

    Raises: ConfigurationError, also for a tool or toolset that does not exist.
    """
    given = vars(arguments)
    workspaces = given.get("workspace")
    settings = Settings.load(
        os.environ,
        role=given.get("role"),
        workspaces=",".join(workspaces) if workspaces else None,
        read_only=bool(given.get("read_only")),
        allow_wait=given.get("allow_wait"),
        toolsets=given.get("toolsets"),
        tools=given.get("tools"),
        exclude_tools=given.get("exclude_tools"),
        state=given.get("state"),
        log_level=given.get("log_level"),
    )
    offered(settings)
    return settings


def offered(settings: Settings, otherwise: str = toolsets.SHORT) -> dict[str, Entry]:
    """The tools that these settings offer.

    Args:
        otherwise: The toolset that counts when the settings name none.
    Raises: ConfigurationError for a name that does not exist, or flags that widen what the environment offers.
    """
    return toolsets.offered(entries(), settings.environment, settings.flags, otherwise)


def chosen(settings: Settings, selection: Selection) -> dict[str, Entry]:
    """The tools that one address asks for, of those that these settings offer when they are asked.

    Raises: ConfigurationError for a name that does not exist.
    """
    wide = offered(settings, toolsets.ALL)
    return {name: entry for name, entry in toolsets.chosen(entries(), selection).items() if name in wide}


def profile_of(settings: Settings) -> Profile:
    """What policy reads of the settings."""
    role = "READ" if settings.read_only else settings.role
    return Profile(settings.profile, role, settings.workspaces)
