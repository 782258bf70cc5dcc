"""Pre-authorisations as a profile writes them: checked against the tool itself, so that each means one exact call."""

from collections.abc import Iterator, Mapping
from typing import Any

from molecule_mcp import arguments as strict
from molecule_mcp import tools
from molecule_mcp.capability import Capability, FromPerson, Risk
from molecule_mcp.errors import ArgumentError, ConfigurationError
from molecule_mcp.gate import policy
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import Entry
from molecule_mcp.store.forms import canonical

WILDCARDS = frozenset({"*", "**", "?", ".*"})


def ahead(
    tool: str,
    given: Mapping[str, Any],
    max_uses: int,
    expires: float,
    *,
    place: str,
    profile: Profile,
    entries: Mapping[str, Entry],
) -> Ahead:
    """One pre-authorisation of a profile.

    Args:
        given: The arguments as written.
        place: Where it stands, for the error.
        profile: What it stands in; nothing is allowed beforehand that this could never do.
    Raises: ConfigurationError.
    """
    if tool not in entries:
        raise ConfigurationError(f"{place}.tool is no tool.", advice="`molecule-mcp tools --toolsets all` lists them.")
    entry = entries[tool]
    capability = tools.family(entry.family)[tool]
    if not WILDCARDS.isdisjoint(policy.texts(given)):
        raise ConfigurationError(f"{place}.arguments holds a wildcard.", advice="Write one entry per exact call.")
    try:
        arguments = strict.read(capability.function, given)
    except ArgumentError as error:
        raise ConfigurationError(f"{place}.arguments: {error.message}") from None
    problem = next(problems(profile, entry, capability, arguments, expires), None)
    if problem:
        raise ConfigurationError(f"{place}: {problem}.")
    return Ahead(tool, canonical(arguments), max_uses, expires)


def problems(
    profile: Profile, entry: Entry, capability: Capability, arguments: Mapping[str, Any], expires: float
) -> Iterator[str]:
    """Why a pre-authorisation could never be used, or says more than its profile."""
    risk = capability.raised(arguments)
    touched = policy.workspaces_in(arguments, strict.workspace_parameters(capability.function))
    why = policy.refusal(profile, entry.ability) or policy.misfit(profile, entry.ability, risk, touched)
    if why:
        yield f"the profile itself refuses this call: {why}"
    if capability.combines:
        yield "it is made of other calls; write one entry for each of those"
    if strict.parameters(capability.function, FromPerson):
        yield "a person's choice is what it does"
    if capability.highest is Risk.READ:
        yield "the tool only reads, and needs no yes"
    if profile.strict and risk is Risk.CRITICAL:
        yield "confirm = strict wants a person's signature for every critical call"
    if profile.expires is not None and expires > profile.expires:
        yield "expires is later than the profile's"
