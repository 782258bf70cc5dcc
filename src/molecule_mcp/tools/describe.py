"""A capability as the catalogue states it: the schemas and hints that hosts see, and the facts that policy reads."""

import inspect
from typing import Any, get_type_hints

from molecule_mcp.arguments import Schema, input_schema, options, output_schema, workspace_parameters
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.tools.naming import LIST


def described(capability: Capability) -> dict[str, Any]:
    """One row of catalogue.json.

    Where a workspace's id is wanted, the call may read the list of all besides, to refuse a name with candidates.
    """
    looked_up = {LIST} if workspace_parameters(capability.function) else set[str]()
    optional = capability.optional | looked_up - capability.sends
    return {
        "family": capability.family,
        "risk": capability.risk.label,
        "raised_by": {
            name: by.label if isinstance(by, Risk) else {value: risk.label for value, risk in by.items()}
            for name, by in capability.raised_by.items()
        },
        "raised_by_fact": {name: by.label for name, by in capability.raised_by_fact.items()},
        "sends": sorted(capability.sends | looked_up),
        **({"optional": sorted(optional)} if optional else {}),
        "tool": {
            "name": capability.name,
            **({"title": capability.title} if tells_more(capability) else {}),
            "description": inspect.cleandoc(capability.function.__doc__ or ""),
            "inputSchema": asked_schema(capability),
            "outputSchema": answer_schema(capability),
            "annotations": hints(capability),
        },
    }


ARTICLES = frozenset({"a", "an", "the"})


def tells_more(capability: Capability) -> bool:
    """Whether a title is worth its place in the list: of a change, and not the name in other letters."""
    words = capability.title.lower().replace("'s", "").split()
    spoken = "_".join(word for word in words if word not in ARTICLES)
    return capability.highest > Risk.READ and spoken != capability.name


def hints(capability: Capability) -> dict[str, bool]:
    """The four hints, by the highest risk a call can reach: a host must not take a possible change for a read."""
    return {
        "readOnlyHint": capability.highest is Risk.READ,
        "destructiveHint": capability.highest >= Risk.DISRUPT,
        "idempotentHint": capability.idempotent,
        "openWorldHint": capability.open_world,
    }


def asked_schema(capability: Capability) -> Schema:
    """The schema of a call: the tool's own arguments, then the options that the road takes."""
    schema = input_schema(capability.function)
    return {**schema, "properties": {**schema["properties"], **options(capability)}}


def answer_schema(capability: Capability) -> Schema:
    """The schema of a tool's whole answer; changing tools answer one result per item sent.

    What besides may stand in every answer (`tenant`, `grant`, `deduplicated`, the requests in `sent`) is explained in
    the server's instructions: here it would be repeated in every tool of the list that a model reads.
    """
    result = output_schema(get_type_hints(capability.function)["return"])
    result.pop("description", None)
    if capability.highest is Risk.READ:
        return result
    # Nothing of it is required: a dry run answers what would be sent, and no rows; an item says only what it is.
    result.pop("required", None)
    if capability.risk is Risk.READ:
        return result
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": result}},
        "required": ["items", "sent"],
    }
