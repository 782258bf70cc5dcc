"""A name where a workspace's id is wanted: the call stays refused, and the refusal says which ids the name may mean.

The name itself never leaves: the list of all workspaces is read, and compared here. Nothing is chosen, not even the
only candidate, since a name is whatever somebody wrote.
"""

import re
from collections.abc import Mapping
from typing import Any

import anyio

from molecule_mcp.arguments import workspace_parameters
from molecule_mcp.capability import UUID, Capability
from molecule_mcp.errors import ArgumentError, MoleculeError
from molecule_mcp.road.context import Context
from molecule_mcp.tenant import Permit, Tenant
from molecule_mcp.tenant.paths import LABEL
from molecule_mcp.tools.naming import LIST, Known, candidates, near

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


async def suggested(context: Context, names: Mapping[str, str], error: ArgumentError) -> ArgumentError:
    """The refusal with the candidates for each name; the same one when the workspaces cannot be read.

    Args:
        names: As `named` returns them.
    """
    if context.profile.workspace_token:
        return error  # such a key reads no list
    rows = list[Known]()
    try:
        with anyio.move_on_after(SECONDS) as scope:
            permit = Permit(frozenset({LIST}), bound=context.profile.bound, redactor=context.redactor, masked=True)
            rows = await Tenant(context.wire(), permit).read("/workspaces", list[Known])
    except MoleculeError:
        return error  # the caller asked for no read, so that it failed, or no connection was made, is no answer
    if scope.cancelled_caught:
        return error
    found = [
        {"for": parameter, **each.model_dump()}
        for parameter, name in names.items()
        for each in candidates(rows, near(rows, name)[:EACH])
    ]
    advice = "Call again with the id of the one that is meant; a person knows which." if found else NOBODY
    return ArgumentError(error.message, advice=advice, details={**error.details, "candidates": found})


NOBODY = "No workspace is called anything like that; list_workspaces shows all names."
