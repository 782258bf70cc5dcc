"""What the contract and the stated risks demand of the tools; checks return complaints, as in `risks.py`.

A tool is rated at least as what it sends: a change that it always or only sometimes sends, an argument of the same
name as a field, a live fact. What it does with a value of its own choosing shows in tests of whole calls, not here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from inspect import signature
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError
from tests.contract.contract import Operation
from tests.contract.risks import Operations, Risks, Stated, highest

from molecule_mcp.arguments import INJECTED
from molecule_mcp.capability import Capability, Risk

Catalogue = Mapping[str, Capability]
OfField = Risk | Mapping[str, Risk]

PROBES: Mapping[str, tuple[Any, ...]] = {
    "string": ("x", ""),
    "boolean": (True, False),
    "integer": (1, 0),
    "number": (1, 0),
    "array": (["x"], []),
    "object": ({"x": "x"}, {}),
    "null": (None,),
}
"""Values that a parameter of a kind may take, one that Python calls true and one that it calls false."""

SWITCHES = {"yes": "true", "no": "false"}
"""What a tool that may also keep a switch as it is calls the two values of a field."""


def complaints(catalogue: Catalogue, operations: Operations, risks: Risks) -> list[str]:
    """Everything in which a tool disagrees with the contract or its risks."""
    routes = {operation.route: operation for operation in operations.values()}
    return [each for tool in catalogue.values() for each in faults(tool, routes, risks)]


def uncovered(catalogue: Catalogue, operations: Operations, risks: Risks) -> list[str]:
    """The operations that no tool sends and that are no omission either, in the contract's order."""
    sent = {route for tool in catalogue.values() for route in tool.sends}
    return [name for name, each in operations.items() if each.route not in sent and risks[name].omitted is None]


def faults(tool: Capability, routes: Mapping[str, Operation], risks: Risks) -> Iterator[str]:
    """What is wrong with one tool."""
    yield from (f"{tool.name}: {route} is no operation" for route in sorted(tool.sends - routes.keys()))
    for route in sorted(tool.sends & routes.keys()):
        operation = routes[route]
        says = risks[operation.id]
        if says.omitted is not None:
            yield f"{tool.name}: {operation.id} is omitted: {says.omitted}"
        elif says.risk > Risk.READ:
            found = (*too_low(tool, says), *argument_faults(tool, says), *fact_faults(tool, says))
            yield from (f"{tool.name}: {each}, by {operation.id}" for each in found)
        if "output" in says.secret_out.values() and not signature(tool.function).parameters.keys() & {
            "secrets",
            "outputs",
        }:
            yield f"{tool.name}: cannot put what {operation.id} answers into an output"


def too_low(tool: Capability, says: Stated) -> Iterator[str]:
    """A change is sent only at its own risk or above; an overwrite below destroy only after a read."""
    if tool.risk < says.risk and all(highest(by, tool.risk) < says.risk for by in switches(tool, says)):
        yield f"is {says.risk.label}"
    if says.former and tool.risk < Risk.DESTROY and not tool.sends & set(says.former):
        yield "stores no former value, so it is destroy"


def switches(tool: Capability, says: Stated) -> Iterator[OfField]:
    """What arguments raise a tool to that are no fields of an operation, so that they may decide whether it is sent."""
    named = {name for field in says.fields for name in ends(field)}
    return (by for name, by in tool.raised_by.items() if plain(name) not in named)


def fact_faults(tool: Capability, says: Stated) -> Iterator[str]:
    """A live fact that raises the operation raises the tool."""
    for fact, risk in says.facts.items():
        if max(tool.risk, tool.raised_by_fact.get(fact, tool.risk)) < risk:
            yield f"the fact {fact} is {risk.label}"


def argument_faults(tool: Capability, says: Stated) -> Iterator[str]:
    """A parameter named like a field, or like the field that this one stands in, raises the tool as it does."""
    for name in signature(tool.function).parameters.keys() - INJECTED:
        for field, of in says.fields.items():
            outer, inner = ends(field)
            if plain(name) == inner and of is None:
                yield f"{name} may not be given"
            elif plain(name) in {outer, inner} and of is not None:
                yield from value_faults(tool, says, name, of, whole=plain(name) == inner)


def value_faults(tool: Capability, says: Stated, name: str, of: OfField, *, whole: bool) -> Iterator[str]:
    """Every value of a parameter raises the tool as far as the field does; `whole`: the parameter is that field."""
    for value in values(tool, name, () if isinstance(of, Risk) else spellings(of)):
        if whole:
            needed = of if isinstance(of, Risk) else rated(of, value)
        else:
            needed = highest(of, says.risk) if value else None
        if needed is not None and tool.raised({name: value}) < needed:
            yield f"{name}={value!r} is {needed.label}"


def spellings(of: Mapping[str, Risk]) -> Iterator[str]:
    """The values that a field is rated by, also in letters and blanks that the tenant may not tell apart."""
    for value in of:
        yield from (value, value.upper(), value.title(), f" {value}", f"{value}\t")


def rated(of: Mapping[str, Risk], value: Any) -> Risk | None:
    """The risk of a value, or of the highest in a list, whatever its letters; None: none is stated."""
    entries = cast("list[Any]", value) if isinstance(value, list) else [value]
    by = {plain(written): risk for written, risk in of.items()}
    found = [by.get(SWITCHES.get(text, text)) for text in (plain(str(each)) for each in entries)]
    return max((risk for risk in found if risk is not None), default=None)


def ends(field: str) -> tuple[str, str]:
    """The first and the last name of a field's path, in plain letters; empty when the body itself is free."""
    names = [plain(part) for part in field.split(".")[1:] if plain(part)]
    return (names[0], names[-1]) if names else ("", "")


def plain(name: str) -> str:
    """A name without case and separators: workspace_id, workspaceId and Workspace-ID are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def values(tool: Capability, name: str, texts: Iterable[str]) -> Iterator[Any]:
    """Values that a parameter takes, apart from its default: that one stands for "not given".

    Args:
        texts: Further ones, where it takes any text or a list of any texts; they come as the tool gets them.
    """
    default = signature(tool.function).parameters[name].default
    adapter = TypeAdapter[Any](get_type_hints(tool.function, include_extras=True)[name])
    schema = adapter.json_schema()
    for one in schema.get("anyOf", [schema]):
        probes = one.get("enum") or ([one["const"]] if "const" in one else PROBES[one.get("type", "object")])
        yield from (each for each in probes if fits(each, one) and not same(each, default))
        for text in texts if probes is PROBES["string"] or probes is PROBES["array"] else ():
            with suppress(ValidationError):  # the tool does not take it
                yield adapter.validate_python(text if probes is PROBES["string"] else [text])


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a probe is within the bounds of a schema."""
    if type(value) in (str, list, dict):
        return bool(value) or not (schema.get("minLength") or schema.get("minItems") or schema.get("pattern"))
    return type(value) is not int or value >= schema.get("minimum", 0)


def same(value: Any, default: Any) -> bool:
    """Whether a value is the default, 0 and False being two."""
    return type(value) is type(default) and value == default
