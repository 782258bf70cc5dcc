"""What a profile may do: role, read-only, bound workspaces. The first refusal wins, and any doubt refuses.

Roles: READ reads; WORKSPACE-WRITE changes single workspaces; ORG-ADMIN does everything, still gated.
A profile bound to workspaces touches no other id, wherever in the arguments it stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from molecule_mcp.capability import Risk
from molecule_mcp.errors import PolicyRefusal

Role = Literal["READ", "WORKSPACE-WRITE", "ORG-ADMIN"]
ROLES: tuple[Role, ...] = ("READ", "WORKSPACE-WRITE", "ORG-ADMIN")


@dataclass(frozen=True)
class Profile:
    """What is in force for this process.

    Args:
        name: As shown in the audit.
        role: One of `ROLES`.
        bound: Workspace ids (lower case) this profile may touch; None means all.
    """

    name: str = "default"
    role: Role = "ORG-ADMIN"
    bound: frozenset[str] | None = None


@dataclass(frozen=True)
class Ability:
    """The facts about a tool that policy reads; known without importing the tool."""

    name: str
    risk: Risk
    sends: frozenset[str]

    @property
    def organization_wide(self) -> bool:
        """Whether it can change something through a route that does not name one workspace."""
        return any(
            not route.split(" ", 1)[1].startswith("/workspaces/{id}")
            for route in self.sends
            if not route.startswith("GET ")
        )


def refusal(profile: Profile, ability: Ability) -> str | None:
    """Why this profile can never use a tool, or None when it can, given the right arguments."""
    if ability.risk > Risk.READ and profile.role == "READ":
        return "this profile only reads"
    if ability.risk > Risk.READ and ability.organization_wide and profile.role != "ORG-ADMIN":
        return "this profile changes single workspaces only; the tool changes the organization"
    if ability.organization_wide and profile.bound is not None:
        return "this profile is bound to workspaces; the tool changes the organization"
    return None


def check(profile: Profile, ability: Ability, risk: Risk, workspaces: Iterable[str]) -> None:
    """Let a call with these workspace ids and this risk pass.

    Raises: PolicyRefusal, with nothing read and nothing sent.
    """
    why = refusal(profile, ability)
    raised = ability.risk is Risk.READ and risk > Risk.READ
    if why is None and raised and (profile.role != "ORG-ADMIN" or profile.bound is not None):
        why = "these arguments make a read change something; only an unbound ORG-ADMIN may do that"
    if why is None and not within(profile, workspaces):
        why = "a workspace id in the arguments is outside the workspaces this profile is bound to"
    if why is not None:
        raise PolicyRefusal(
            f"{ability.name}: {why}",
            advice=f"Profile {profile.name!r} has role {profile.role}; a person widens it by restarting the server.",
        )


def within(profile: Profile, workspaces: Iterable[str]) -> bool:
    """Whether every id is one this profile may touch."""
    return profile.bound is None or {each.lower() for each in workspaces} <= profile.bound


def workspaces_in(arguments: Mapping[str, Any], parameters: Iterable[str]) -> list[str]:
    """Every workspace id in the arguments, from the parameters that hold ids."""
    found: list[str] = []
    for name in parameters:
        value = arguments.get(name)
        found += [value] if isinstance(value, str) and value else []
        found += [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []
    return found
