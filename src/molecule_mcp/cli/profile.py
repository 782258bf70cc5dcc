"""Settings and profile from the command line and the environment; shared by the commands."""

import os
from argparse import Namespace

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.settings import Settings


def settings_of(arguments: Namespace) -> Settings:
    """Read the settings.

    Raises: ConfigurationError, also for a toolset that does not exist.
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
        state=given.get("state"),
        log_level=given.get("log_level"),
    )
    known = sorted({entry.family for entry in entries().values()})
    if settings.toolsets and not set(settings.toolsets) <= set(known):
        raise ConfigurationError("A toolset does not exist.", advice=f"Toolsets are: {', '.join(known)}")
    return settings


def profile_of(settings: Settings) -> Profile:
    """What policy reads of the settings."""
    role = "READ" if settings.read_only else settings.role
    return Profile(settings.profile, role, settings.workspaces)
