"""What is in force, from the command line, the environment and the policy file; shared by the commands."""

import os
import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from molecule_mcp import toolsets
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.profiles import files, force
from molecule_mcp.profiles.force import Chosen
from molecule_mcp.profiles.forms import Written
from molecule_mcp.redaction import Redactor
from molecule_mcp.settings import TOKEN, Selection, Settings, folders, policy_file, profile_name


@dataclass(frozen=True)
class InForce:
    """The settings, the profile that policy reads, and where it was written; None when nowhere."""

    settings: Settings
    profile: Profile
    chosen: Chosen | None


def in_force(arguments: Namespace, redactor: Redactor | None = None) -> InForce:
    """Read the policy file and the settings; from then on the key is in no environment of ours.

    Args:
        redactor: Learns the key; None: the tenant is not called, so a profile's key is not fetched either.
    Raises: ConfigurationError, also for a tool or toolset that does not exist.
    """
    environ = dict(os.environ)
    state, _ = folders(environ, vars(arguments).get("state"))
    chosen = chosen_profile(arguments, environ)
    if chosen:
        environ = force.completed(chosen.written, environ, state / "secrets", redactor)
    settings = loaded(arguments, environ)
    offered(settings)
    profile = force.in_force(chosen.written if chosen else None, settings, entries())
    found = InForce(settings, profile, chosen)
    if redactor is not None:
        forget_key(settings, chosen.written if chosen else None, redactor)
    return found


def chosen_profile(arguments: Namespace, environ: Mapping[str, str]) -> Chosen | None:
    """The profile that is named, or the usual one; None without a policy file.

    Raises: ConfigurationError.
    """
    given = vars(arguments)
    _, config = folders(environ, given.get("state"))
    path = files.found(config, policy_file(environ, given.get("policy")))
    return force.chosen(path, profile_name(environ, given.get("profile")), entries(), time.time())


def loaded(arguments: Namespace, environ: Mapping[str, str]) -> Settings:
    """The settings of a command line and an environment. Raises: ConfigurationError."""
    given = vars(arguments)
    workspaces = given.get("workspace")
    names = (
        "role", "allow_wait", "toolsets", "tools", "exclude_tools", "state", "log_level", "policy", "profile"
    )  # fmt: skip
    return Settings.load(
        environ,
        workspaces=",".join(workspaces) if workspaces else None,
        read_only=bool(given.get("read_only")),
        **{name: given.get(name) for name in names},
    )


def forget_key(settings: Settings, written: Written | None, redactor: Redactor) -> None:
    """Make the key unshowable, and keep it from every child of this process."""
    if settings.org_token:
        redactor.learn(settings.org_token, TOKEN)
    os.environ.pop(TOKEN, None)
    where = written.credential if written else None
    if where is not None and where.kind == "env":
        os.environ.pop(where.name, None)


def state_of(arguments: Namespace) -> Path:
    """The folder of everything durable, for commands that need no profile.

    Raises: ConfigurationError.
    """
    return loaded(arguments, os.environ).state


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
