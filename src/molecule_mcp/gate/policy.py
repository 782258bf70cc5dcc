"""What a profile may do: role, read-only, bound workspaces. The first refusal wins, and any doubt refuses.

Roles: READ reads; WORKSPACE-WRITE changes single workspaces; ORG-ADMIN does everything, still gated.
A profile bound to workspaces touches no other id, wherever in the arguments it stands.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from molecule_mcp.capability import Risk, changing
from molecule_mcp.errors import PolicyRefusal

Role = Literal["READ", "WORKSPACE-WRITE", "ORG-ADMIN"]


@dataclass(frozen=True)
class Profile:
    """What is in force for this process.

    Args:
        name: As shown in the audit.
        role: What it may do at most.
        bound: Workspace ids (lower case) this profile may touch; None means all.
    """

    name: str = "default"
    role: Role = "ORG-ADMIN"
    bound: frozenset[str] | None = None


@dataclass(frozen=True)
class Ability:
    """The facts about a tool that policy reads; known without importing the tool.

    Args:
        risk: Its floor.
        sends: The routes it may use, as the contract writes them.
    """

    name: str
    risk: Risk
    sends: frozenset[str]

    @property
    def organization_wide(self) -> bool:
        """Whether it can change something through a route that does not name one workspace."""
        return any(
            not f"{route}/".split(" ", 1)[1].startswith("/workspaces/{id}/") for route in filter(changing, self.sends)
        )


def refusal(profile: Profile, ability: Ability) -> str | None:
    """Why this profile can never use a tool, or None when it can, given the right arguments."""
    if ability.risk is Risk.READ:
        return None
    if profile.role == "READ":
        return "this profile only reads"
    if ability.organization_wide and profile.role != "ORG-ADMIN":
        return "this profile changes single workspaces only; the tool changes the organization"
    if ability.organization_wide and profile.bound is not None:
        return "this profile is bound to workspaces; the tool changes the organization"
    return None


def check(profile: Profile, ability: Ability, risk: Risk, workspaces: Iterable[str]) -> None:
    """Let a call with these workspace ids and this risk pass.

    Raises: PolicyRefusal, with nothing sent.
    """
    why = refusal(profile, ability) or misfit(profile, ability, risk, list(workspaces))
    if why is not None:
        raise PolicyRefusal(
            f"{ability.name}: {why}",
            advice=f"Profile {profile.name!r} has role {profile.role}; a person widens it by restarting the server.",
        )


def misfit(profile: Profile, ability: Ability, risk: Risk, workspaces: list[str]) -> str | None:
    """Why these arguments do not go with this profile, or None when they do."""
    whole = profile.role == "ORG-ADMIN" and profile.bound is None
    if ability.risk is Risk.READ and risk > Risk.READ and not whole:
        return "this read would change something; only an unbound ORG-ADMIN may do that"
    if not within(profile, workspaces):
        return "a workspace id in the arguments is outside the workspaces this profile is bound to"
    if profile.bound is not None and risk > Risk.READ and not workspaces:
        return "this profile is bound to workspaces; the arguments name none"
    return None


def within(profile: Profile, workspaces: Iterable[str]) -> bool:
    """Whether every id is one this profile may touch."""
    return profile.bound is None or {each.lower() for each in workspaces} <= profile.bound


def workspaces_in(arguments: Mapping[str, Any], parameters: Iterable[str]) -> list[str]:
    """Every text in the parameters that hold workspace ids, however deep; any of them may be one."""
    return [text for name in parameters for text in texts(arguments.get(name))]


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value but empty ones, keys included."""
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        yield from texts([*pairs.keys(), *pairs.values()])
    elif isinstance(value, Iterable):
        for part in cast("Iterable[Any]", value):
            yield from texts(part)
