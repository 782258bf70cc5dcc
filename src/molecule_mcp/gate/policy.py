"""What a profile may do: expiry, role, tools, bound workspaces. The first refusal wins, and any doubt refuses.

Roles: READ reads; WORKSPACE-WRITE changes single workspaces; ORG-ADMIN does everything, still gated.
A profile bound to workspaces touches no other id, wherever in the arguments it stands. Deny beats allow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from molecule_mcp.capability import Risk, changing, within_workspaces
from molecule_mcp.errors import PolicyRefusal
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.settings import ROLES, Role

REFUSES_WORKSPACE_TOKENS = frozenset(
    {
        "DELETE /workspaces/{id}",
        "GET /workspaces/{id}/console",
        "PATCH /workspaces/{id}/budget",
    }
)
"""Routes of one workspace that want more than its own token, as the contract's `x-auth` has it."""

BEYOND = "this profile is bound to workspaces; the tool reads beyond them"

TAKES_ANYBODY = frozenset({"GET /channels/adapters", "GET /health", "GET /plugins", "GET /plugins/sources"})
"""Routes without a check, besides."""


@dataclass(frozen=True)
class Profile:
    """What is in force for this process.

    Args:
        name: As shown in the audit.
        role: What it may do at most.
        bound: Workspace ids (lower case) this profile may touch; None means all.
        allow: The only tools; None means all.
        deny: Tools that are never used, whatever else is said.
        ask_from: The lowest risk that a person is asked about.
        strict: Whether a critical call is allowed outside of the client only.
        expires: Seconds since the epoch from which on nothing is allowed; None: never.
        ahead: The calls that an operator allowed beforehand.
        two_step: Whether, where no person can be asked in the client, a call below critical is allowed by being
            repeated.
        workspace_token: Whether the key is the token of its one workspace, which the tenant lets in nowhere else.
    """

    name: str = "default"
    role: Role = "ORG-ADMIN"
    bound: frozenset[str] | None = None
    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()
    ask_from: Risk = Risk.DESTROY
    strict: bool = False
    expires: float | None = None
    ahead: tuple[Ahead, ...] = ()
    two_step: bool = False
    workspace_token: bool = False

    def narrowed(self, role: Role | None = None, bound: frozenset[str] | None = None) -> "Profile":
        """This profile under an overlay: the lesser of two roles, and the ids in both."""
        role = ROLES[min(ROLES.index(role or self.role), ROLES.index(self.role))]
        if bound is None or self.bound is None:
            return replace(self, role=role, bound=self.bound if bound is None else bound)
        return replace(self, role=role, bound=self.bound & bound)

    def asks(self, risk: Risk) -> bool:
        """Whether a person is asked about a call of this risk."""
        return risk >= min(self.ask_from, Risk.DESTROY) and risk > Risk.READ


@dataclass(frozen=True)
class Ability:
    """The facts about a tool that policy reads; known without importing the tool.

    Args:
        risk: Its floor.
        sends: The routes it may use, as the contract writes them.
        optional: Those of them that only some arguments lead to.
    """

    name: str
    risk: Risk
    sends: frozenset[str]
    optional: frozenset[str] = frozenset()

    @property
    def organization_wide(self) -> bool:
        """Whether it can change something through a route that does not name one workspace."""
        return any(not f"{route}/".split()[1].startswith("/workspaces/{id}/") for route in filter(changing, self.sends))

    @property
    def beyond_workspaces(self) -> bool:
        """Whether it always uses a route that no profile bound to workspaces can."""
        return not all(map(within_workspaces, self.sends - self.optional))

    @property
    def takes_workspace_token(self) -> bool:
        """Whether the tenant lets a workspace's own token over every route that this tool may use."""
        needed = self.sends - self.optional
        own = {route for route in needed if route.split()[1].startswith("/workspaces/{id}")}
        return not needed - own - TAKES_ANYBODY and not own & REFUSES_WORKSPACE_TOKENS


def refusal(profile: Profile, ability: Ability) -> str | None:
    """Why this profile can never use a tool, or None when it can, given the right arguments."""
    return unlisted(profile, ability) or incapable(profile, ability)


def unlisted(profile: Profile, ability: Ability) -> str | None:
    """Why a profile's own lists leave a tool out, or None."""
    if ability.name in profile.deny:
        return "`deny` of this profile names it, or its toolset"
    if profile.allow is not None and ability.name not in profile.allow:
        return "`allow` of this profile names neither it nor its toolset"
    return None


def incapable(profile: Profile, ability: Ability) -> str | None:
    """Why a profile's key, role or binding can never do what a tool does, or None."""
    if profile.workspace_token and not ability.takes_workspace_token:
        return "the key of this profile is a workspace's own token; the tool needs an organization key"
    beyond = profile.bound is not None and ability.beyond_workspaces
    if ability.risk is Risk.READ:
        return BEYOND if beyond else None
    if profile.role == "READ":
        return "this profile only reads"
    if ability.organization_wide and profile.role != "ORG-ADMIN":
        return "this profile changes single workspaces only; the tool changes the organization"
    if ability.organization_wide and profile.bound is not None:
        return "this profile is bound to workspaces; the tool changes the organization"
    return BEYOND if beyond else None


def expired(profile: Profile, now: float) -> PolicyRefusal | None:
    """The refusal of everything once a profile has expired, else None."""
    if profile.expires is None or now < profile.expires:
        return None
    return PolicyRefusal(
        f"Profile {profile.name!r} has expired; nothing was sent.",
        advice="A person sets a later `expires` in the policy file and restarts the server.",
    )


def check(profile: Profile, ability: Ability, risk: Risk, workspaces: Iterable[str]) -> None:
    """Let a call with these workspace ids and this risk pass.

    Raises: PolicyRefusal, with nothing sent.
    """
    touched = list(workspaces)
    why = refusal(profile, ability) or misfit(profile, ability, risk, touched)
    if why is not None:
        unbound = replace(profile, bound=None)
        binding = profile.bound is not None and not (
            refusal(unbound, ability) or misfit(unbound, ability, risk, touched)
        )
        what = BINDING if binding else UNLISTED if unlisted(profile, ability) else narrowness(profile)
        raise PolicyRefusal(
            f"{ability.name}: {why}",
            advice=f"Profile {profile.name!r} {what}; a person widens it and restarts the server.",
        )


BINDING = "is bound by --workspace, MOLECULE_MCP_WORKSPACES or the policy file"
UNLISTED = "leaves the tool out in the policy file"


def narrowness(profile: Profile) -> str:
    """What of a profile other than its binding and its lists holds a call back, and where it is set."""
    if profile.workspace_token:
        return "holds a workspace's own token"
    reads = "--read-only, MOLECULE_MCP_READ_ONLY, " if profile.role == "READ" else ""
    return f"has role {profile.role}, by {reads}--role, MOLECULE_MCP_ROLE or the policy file"


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
