"""`molecule-mcp policy`: the policy file checked, a decision explained, roots resolved, what is in force shown.

Exit codes: 0 well, allowed or asked; 1 refused, or a profile that cannot be used as it is; 2 the file is broken.
"""

import json
import os
import time
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from molecule_mcp import toolsets
from molecule_mcp.cli import explain, refresh
from molecule_mcp.cli.profile import InForce, in_force, offered
from molecule_mcp.gate import policy
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import files, force, forms
from molecule_mcp.profiles.forms import Written
from molecule_mcp.settings import Selection, Settings, folders, policy_file

NAMED = 8
"""How many tools are named rather than counted."""


def run(arguments: Namespace) -> int:
    """Run one of the four."""
    actions = {"check": check, "explain": explain.run, "refresh": refresh.run, "show": show}
    return actions[arguments.action](arguments)


def check(arguments: Namespace) -> int:
    """Read a file as a start would, and say of each profile whether it can be used.

    Raises: ConfigurationError when the file would stop the start.
    """
    path = path_of(arguments)
    if path is None:
        print("No policy file: profile default, role ORG-ADMIN with every gate on.")
        return 0
    now = time.time()
    known = forms.profiles(files.read(path), str(path), entries(), now)
    for written in known.values():
        print(f"{written.name}: {summary(written)}{unusable(written, now)}")
    return 1 if any(unusable(written, now) for written in known.values()) else 0


def path_of(arguments: Namespace) -> Path | None:
    """The file that is meant. Raises: ConfigurationError when a named one does not exist."""
    named = getattr(arguments, "file", None) or arguments.policy
    _, config = folders(os.environ, arguments.state)
    return files.found(config, policy_file(os.environ, named))


def summary(written: Written) -> str:
    """A profile on one line."""
    profile = force.effective(written, entries())
    bound = "" if written.workspaces is None else f", {len(written.workspaces)} workspaces"
    ways = [f"{len(written.preauth)} calls allowed beforehand"] if written.preauth else []
    ways += ["calls below critical allowed by REPEATING THEM: no person sees them"] if written.two_step else []
    key = f", key from {written.credential}" if written.credential else ""
    where = f", only {written.origin}" if written.origin else ""
    until = f"until {moment(written.expires)}; permits {reach(profile)}"
    return ", ".join([f"{written.role}{bound}{where}{key}", *ways, until])


def reach(profile: Profile, settings: Settings | None = None) -> str:
    """How many tools a profile permits, how many of them a host is offered, and what offers the others.

    Args:
        settings: What is in force; None: nothing is said about toolsets.
    """
    offers = offered(settings) if settings else toolsets.chosen(entries(), Selection())
    without = (*settings.environment.without, *settings.flags.without) if settings else ()
    permitted = [name for name, entry in entries().items() if policy.refusal(profile, entry.ability) is None]
    rest = [name for name in permitted if name not in offers]
    text = f"{len(permitted)} of {len(entries())} tools, {len(permitted) - len(rest)} of them offered "
    text += "here" if settings else "by default"
    more = [name for name in rest if name not in without]
    # Flags only tighten what the environment says.
    how = "MOLECULE_MCP_TOOLSETS=all" if settings and settings.environment.said else "--toolsets all"
    return f"{text}; {how} adds {', '.join(more) if len(more) <= NAMED else f'the other {len(more)}'}" if more else text


def unusable(written: Written, now: float) -> str:
    """Why a well-written profile stops the start all the same; "" when it does not."""
    if now >= written.expires:
        return "; EXPIRED"
    return "; UNRESOLVED: run molecule-mcp policy refresh" if written.workspaces == frozenset() else ""


def show(arguments: Namespace) -> int:
    """Print what is in force with these flags, this environment and this file."""
    found = in_force(arguments)
    told = effective(found)
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        for name, value in told.items():
            print(f"{name:11} {', '.join(value) if isinstance(value, list) else value}")  # pyright: ignore[reportUnknownArgumentType]
    return 0


def effective(found: InForce) -> dict[str, Any]:
    """What is in force, as JSON values."""
    profile, written = found.profile, found.chosen.written if found.chosen else None
    offers = offered(found.settings)
    return {
        "profile": profile.name,
        "file": str(found.chosen.path) if found.chosen else "none",
        "role": profile.role,
        "workspaces": "all" if profile.bound is None else sorted(profile.bound),
        "ask_from": profile.ask_from.label,
        "confirm": "strict" if profile.strict else "usual",
        "unattended": "two-step: no person sees it" if profile.two_step else "never",
        "preauth": [
            f"{each.tool} {each.arguments}, {each.max_uses} times until {moment(each.expires)}"
            for each in profile.ahead
        ],
        "origin": (written.origin if written else None) or found.settings.api_url or "any",
        "credential": str(written.credential) if written and written.credential else "the environment",
        "expires": "never" if profile.expires is None else moment(profile.expires),
        "permits": reach(profile, found.settings),
        "tools": [name for name, entry in offers.items() if policy.refusal(profile, entry.ability) is None],
    }


def moment(at: float) -> str:
    """A time as a person reads it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
