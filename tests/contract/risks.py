"""The stated risks (`risks.toml`), and what the contract demands of them.

Every check returns complaints, one line each, empty when all is well. What a field or a value means is judged by hand
in `risks.toml`; the checks hold that nothing is left out and that no judgement goes below a floor.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from tests.contract.contract import Operation

from molecule_mcp.capability import Risk

FILE = Path(__file__).parent / "risks.toml"

Secrecy = Literal["output", "withheld", "redacted"]
Operations = Mapping[str, Operation]

ORG_KEY_PASSES = {"open", "admin", "workspace", "workspace-or-peer"}
"""What `auth` says where an org key is good; anything else is an exception told in words."""
BOUND_KEYS_PASS = {"get_plugin_allowlist", "replace_plugin_allowlist"}
"""Told in words, but open to org keys that are bound to the organization."""
BELOW_THE_FLOOR = {"restart_workspace": Risk.DISRUPT, "decide_approval": Risk.DISRUPT}
"""The two named exceptions to "irreversible means destroy"; approving is raised by its value."""
FACTS = {"descendants", "external", "global_scope", "installs_code", "no_container"}
"""Live facts: anything lives below it; its agent runs elsewhere, or will; the stored instruction or memory is GLOBAL;
a written path is one that an agent loads or runs; no container behind a file write."""


@dataclass(frozen=True)
class Stated:
    """What `risks.toml` says of one operation.

    Args:
        route: As in the contract.
        omitted: Why no tool sends it; then nothing below is stated.
        risk: With the least it can be called with.
        fields: Field -> its risk, or value -> risk, or None when no tool may give it.
        facts: Live fact -> the risk it raises to.
        former: Routes that read what this overwrites; a tool below destroy reads one of them first.
        secret_out: Field of the answer -> what becomes of it.
    """

    route: str
    omitted: str | None = None
    risk: Risk = Risk.READ
    fields: Mapping[str, Risk | Mapping[str, Risk] | None] = field(
        default_factory=dict[str, Risk | Mapping[str, Risk] | None]
    )
    facts: Mapping[str, Risk] = field(default_factory=dict[str, Risk])
    former: tuple[str, ...] = ()
    secret_out: Mapping[str, Secrecy] = field(default_factory=dict[str, Secrecy])

    def field_risk(self, name: str) -> Risk:
        """The highest risk that giving a field can raise to; that of the operation when it may not be given."""
        return highest(self.fields[name], self.risk)


Risks = Mapping[str, Stated]


@cache
def stated() -> dict[str, Stated]:
    """Every stated operation by its id, in the file's order."""
    return parsed(tomllib.loads(FILE.read_text(encoding="utf-8")))


def parsed(document: dict[str, dict[str, Any]]) -> dict[str, Stated]:
    """The file's tables as data.

    Raises: ValueError for a word that is none of ours.
    """
    return {name: entry(name, table) for name, table in document.items()}


def entry(name: str, table: dict[str, Any]) -> Stated:
    """One operation's table."""
    if unknown := set(table) - set(Stated.__dataclass_fields__):
        raise ValueError(f"{name}: unknown {sorted(unknown)}")
    if "omitted" in table:
        if set(table) != {"route", "omitted"} or not table["omitted"]:
            raise ValueError(f"{name}: an omission states its route and its reason, nothing else")
        return Stated(table["route"], omitted=table["omitted"])
    for answer, word in table.get("secret_out", {}).items():
        if word not in get_args(Secrecy):
            raise ValueError(f"{name}: {answer} = {word!r} is not one of {get_args(Secrecy)}")
    return Stated(
        route=table["route"],
        risk=risk(name, table["risk"]),
        fields={path: field_entry(f"{name} {path}", value) for path, value in table.get("fields", {}).items()},
        facts={fact: risk(name, label) for fact, label in table.get("facts", {}).items()},
        former=tuple(table.get("former", ())),
        secret_out=table.get("secret_out", {}),
    )


def field_entry(where: str, value: str | dict[str, str]) -> Risk | dict[str, Risk] | None:
    """A field's risk, or the risks of its values, or None for one that no tool may give."""
    if isinstance(value, dict):
        return {each: risk(where, label) for each, label in value.items()}
    return None if value.startswith("omitted: ") else risk(where, value)


def risk(where: str, label: str) -> Risk:
    """A risk by its label."""
    if label not in {each.label for each in Risk}:
        raise ValueError(f"{where}: {label!r} is no risk")
    return Risk[label.upper()]


def highest(of: Risk | Mapping[str, Risk] | None, least: Risk) -> Risk:
    """The highest of a field's risks."""
    if of is None or isinstance(of, Risk):
        return least if of is None else of
    return max([least, *of.values()])


def complaints(operations: Operations, risks: Risks) -> list[str]:
    """Everything that is wrong with the stated risks."""
    if found := list(coverage(operations, risks)):
        return found
    checks = (field_coverage, field_values, omissions, floors, secrets_out, sources)
    return [each for check in checks for each in check(operations, risks)]


def coverage(operations: Operations, risks: Risks) -> Iterator[str]:
    """Every operation is stated under its id and route, and nothing else is."""
    yield from (f"{name}: not stated" for name in operations if name not in risks)
    yield from (f"{name}: no such operation" for name in risks if name not in operations)
    for name in operations.keys() & risks.keys():
        if operations[name].route != risks[name].route:
            yield f"{name}: its route is {operations[name].route}"


def kept(operations: Operations, risks: Risks) -> Iterator[tuple[Operation, Stated]]:
    """The operations that are no omissions, with what is stated of them."""
    return ((each, risks[each.id]) for each in operations.values() if risks[each.id].omitted is None)


def field_coverage(operations: Operations, risks: Risks) -> Iterator[str]:
    """Every field of an operation that tools may send is stated, and nothing else is."""
    for operation, says in kept(operations, risks):
        yield from (f"{operation.id}: {name} is not stated" for name in operation.fields if name not in says.fields)
        yield from (f"{operation.id}: no such field {name}" for name in says.fields if name not in operation.fields)


def field_values(operations: Operations, risks: Risks) -> Iterator[str]:
    """Values stated are those that the field takes, all of them; no field lowers the risk; facts are known ones."""
    for operation, says in kept(operations, risks):
        yield from (f"{operation.id}: no such fact {fact}" for fact in says.facts if fact not in FACTS)
        lower = [name for name, of in (*says.fields.items(), *says.facts.items()) if lowest(of, says.risk) < says.risk]
        yield from (f"{operation.id}: {name} lowers the risk" for name in lower)
        for name, of in says.fields.items():
            takes = operation.fields.get(name)
            if isinstance(of, dict) and takes is not None and of.keys() != takes:
                yield f"{operation.id}: {name} takes {sorted(takes)}"


def lowest(of: Risk | Mapping[str, Risk] | None, otherwise: Risk) -> Risk:
    """The lowest of a field's risks."""
    if of is None or isinstance(of, Risk):
        return otherwise if of is None else of
    return min(of.values())


def omissions(operations: Operations, risks: Risks) -> Iterator[str]:
    """Aliases, and what refuses an org key, are omitted."""
    for operation, _ in kept(operations, risks):
        if operation.alias_of:
            yield f"{operation.id}: an alias of {operation.alias_of} is omitted"
        if operation.auth not in ORG_KEY_PASSES and operation.id not in BOUND_KEYS_PASS:
            yield f"{operation.id}: refuses an org key, so it is omitted"


def floors(operations: Operations, risks: Risks) -> Iterator[str]:
    """No stated risk is below what the contract's effects demand; what only reads is a read."""
    for operation, says in kept(operations, risks):
        if operation.read_only != (says.risk is Risk.READ):
            yield f"{operation.id}: {'only reads' if operation.read_only else 'is no read'}"
        if operation.irreversible and says.risk < BELOW_THE_FLOOR.get(operation.id, Risk.DESTROY):
            yield f"{operation.id}: cannot be undone, so it is destroy"
        if operation.effects["restarts"] and says.risk < Risk.DISRUPT:
            yield f"{operation.id}: restarts, so it is disrupt"
        for name in moved_secrets(operation):
            if says.field_risk(name) < Risk.DESTROY:
                yield f"{operation.id}: {name} moves a secret, so it is destroy"


def moved_secrets(operation: Operation) -> Iterator[str]:
    """The body fields that carry a secret; ones that only may are not named so."""
    for secret in operation.effects["secret_in"]:
        path = f"body.{secret}"
        if "may hold" not in secret:
            yield path if path in operation.fields else f"{path.rsplit('.', 1)[0]}.*"


def secrets_out(operations: Operations, risks: Risks) -> Iterator[str]:
    """A named secret of an answer is never shown; text that may hold one is redacted; nothing else is listed."""
    for operation, says in kept(operations, risks):
        named: set[str] = {each for each in operation.effects["secret_out"] if " may " not in each and "(" not in each}
        shown = {name for name, word in says.secret_out.items() if word == "redacted"}
        yield from (f"{operation.id}: {name} is a secret, not text" for name in sorted(named & shown))
        told = " ".join(operation.effects["secret_out"])
        for name in says.secret_out:
            if name not in told:
                yield f"{operation.id}: the contract names no secret {name}"
        if named - says.secret_out.keys() or bool(told) != bool(says.secret_out):
            yield f"{operation.id}: what becomes of {told!r} is not stated"


def sources(operations: Operations, risks: Risks) -> Iterator[str]:
    """A former value is read by an operation that reads."""
    reads = {operation.route for operation, says in kept(operations, risks) if says.risk is Risk.READ}
    for operation, says in kept(operations, risks):
        yield from (f"{operation.id}: {route} is no read" for route in says.former if route not in reads)
