"""A name where an id is wanted: a change stays refused, and the refusal says which ids the name may mean.

The name itself never leaves: the list of all workspaces, or keys, is read and compared here. For a change nothing is
chosen, not even the only candidate, since a name is whatever somebody wrote; a read takes a workspace's very name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import anyio

from molecule_mcp.arguments import workspace_parameters
from molecule_mcp.capability import UUID, Capability, Risk
from molecule_mcp.errors import ArgumentError, MoleculeError
from molecule_mcp.road.context import Context
from molecule_mcp.tenant import Permit, Tenant
from molecule_mcp.tenant.paths import LABEL
from molecule_mcp.tools.naming import KEYS, LIST, SHOWN, Known, KnownKeys, called, candidates, near

Found = TypeVar("Found")

LONGEST = 100
"""Characters of the longest name that is looked up."""

NAMES, EACH = 4, 5
"""Names of one call that are looked up, and candidates that are told for each."""

SECONDS = 5.0
"""How long the list may take: the refusal stands without it."""


def named(capability: Capability, given: Mapping[str, Any]) -> dict[str, str]:
    """The names that stand where ids of workspaces are wanted, by parameter.

    What is no likely name (a path, a control character, a mark that a server reads) is left to the plain refusal, and
    so is what is no text: raw arguments may be nested deeper than anything walks.
    """
    places = sorted(workspace_parameters(capability.function) & given.keys())
    found = {place: text for place in places if isinstance(text := given[place], str) and likely(text)}
    return dict(list(found.items())[:NAMES])


def likely(text: str) -> bool:
    """Whether a text that is no id looks like a name that somebody gave a workspace."""
    labels = len(text) <= LONGEST and re.fullmatch(LABEL.form, text) is not None
    return labels and any(map(str.isalnum, text)) and re.fullmatch(UUID, text) is None


async def resolved(
    context: Context, capability: Capability, given: Mapping[str, Any], error: ArgumentError
) -> dict[str, str]:
    """The ids that the names in a read's arguments mean: each is the very name, in any case, of exactly one workspace.

    Raises: the refusal, with the candidates for each name; as it is when they cannot be read.
    """
    if (label := labelled(capability, given)) is not None:
        raise of_keys(await read(context, KEYS, KnownKeys), label, error)
    names = named(capability, given)
    rows = await read(context, LIST, list[Known]) if names else None
    if rows is None:
        raise error
    if capability.highest is Risk.READ and len(names) < NAMES:  # of more, some may not have been looked up
        exact = {place: called(rows, name) for place, name in names.items()}
        if all(len(found) == 1 for found in exact.values()):
            return {place: found[0].id for place, found in exact.items()}
    raise suggested(rows, names, error)


def labelled(capability: Capability, given: Mapping[str, Any]) -> str | None:
    """What stands where the id of an organization key is wanted and may be its label or prefix, or None."""
    text = given.get("token_id") if KEYS in capability.sends else None
    return text if isinstance(text, str) and likely(text) else None


async def read(context: Context, route: str, kind: type[Found]) -> Found | None:
    """A list that tells names from ids, or None: the caller asked for no read, so that it failed is no answer."""
    if context.profile.workspace_token:
        return None  # such a key reads no list
    try:
        with anyio.move_on_after(SECONDS):
            permit = Permit(frozenset({route}), bound=context.profile.bound, redactor=context.redactor, masked=True)
            return await Tenant(context.wire(), permit).read(route.split()[1], kind)
    except MoleculeError:
        return None
    return None  # it took too long


def suggested(rows: Sequence[Known], names: Mapping[str, str], error: ArgumentError) -> ArgumentError:
    """The refusal with the candidates for each name.

    Args:
        names: As `named` returns them.
    """
    found = [
        {"for": parameter, **each.model_dump()}
        for parameter, name in names.items()
        for each in candidates(rows, near(rows, name)[:EACH])
    ]
    advice = "Call again with the id of the one that is meant; a person knows which." if found else NOBODY
    return ArgumentError(error.message, advice=advice, details={**error.details, "candidates": found})


NOBODY = "No workspace is called anything like that; list_workspaces shows all names."


def of_keys(known: KnownKeys | None, label: str, error: ArgumentError) -> ArgumentError:
    """The refusal with the organization keys whose label or prefix holds this."""
    if known is None:
        return error
    wanted = label.casefold()
    like = [key for key in known.tokens if wanted in key.name.casefold() or wanted in key.prefix.casefold()][:EACH]
    found = [{"for": "token_id", **key.model_dump(), "name": key.name[:SHOWN]} for key in like]
    advice = "Call again with the `id` of the one that is meant; a person knows which." if found else NO_KEY
    return ArgumentError(error.message, advice=advice, details={**error.details, "candidates": found})


NO_KEY = "Give the `id` from list_org_tokens: no key has a label or prefix like that."
