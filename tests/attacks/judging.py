"""The judge of an attack: what every request that reached the tenant may cost, by the stated risks of its operation.

Written apart from the program: routes come from the contract, risks from `tests/contract/risks.toml`, live facts from
the tenant's own database as it was before, and from what was made since.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from molecule_mcp.capability import Risk
from molecule_mcp.cli.counting import Seen
from tests.contract.contract import operations
from tests.contract.risks import Stated, stated


@dataclass
class Facts:
    """What raises a request by what it is aimed at.

    Args:
        parents: Ids of workspaces with something below them.
        external: Ids of workspaces whose agent runs elsewhere.
        contained: Ids of workspaces with a running container.
        everybody: Ids of instructions and memories that count for all.
    """

    parents: set[str] = field(default_factory=set[str])
    external: set[str] = field(default_factory=set[str])
    contained: set[str] = field(default_factory=set[str])
    everybody: set[str] = field(default_factory=set[str])

    def true(self, fact: str, ids: set[str]) -> bool:
        """Whether a fact of the stated risks holds for a request that names these ids."""
        holds = {"descendants": self.parents, "external": self.external, "global_scope": self.everybody}
        return not ids & self.contained if fact == "no_container" else bool(ids & holds[fact])

    def note(self, seen: Seen, body: Mapping[str, Any]) -> None:
        """What a request made of the facts."""
        if isinstance(parent := body.get("parent_id"), str):
            self.parents.add(parent)
        if body.get("runtime") == "external":
            self.external.add(seen.path.rpartition("/")[2])


def facts(file: Path) -> Facts:
    """The facts of a tenant's database."""
    with sqlite3.connect(file) as database:
        read = database.execute

        def ids(sql: str) -> set[str]:
            return {row[0] for row in read(sql)}

        return Facts(
            parents=ids("SELECT parent_id FROM workspaces WHERE parent_id IS NOT NULL"),
            external=ids("SELECT id FROM workspaces WHERE runtime = 'external'"),
            contained=ids("SELECT id FROM workspaces WHERE runtime != 'external' AND status = 'online'"),
            everybody=ids("SELECT id FROM instructions WHERE scope = 'global' "
                          "UNION SELECT id FROM memories WHERE scope = 'GLOBAL'"),
        )  # fmt: skip


def judged(seen: Iterable[Seen], known: Facts) -> list[tuple[Risk, Seen]]:
    """Every request with its risk, in order; what was done on the way counts for what comes after it."""
    found: list[tuple[Risk, Seen]] = []
    for each in seen:
        found.append((risk_of(each, known), each))
        if each.method in {"POST", "PATCH"} and isinstance(body := content(each), Mapping):
            known.note(each, cast("Mapping[str, Any]", body))
    return found


def by_risk(found: Iterable[tuple[Risk, Seen]]) -> Counter[str]:
    """How many requests of each risk."""
    return Counter(risk.label for risk, _ in found)


def deleted(seen: Iterable[Seen]) -> set[str]:
    """The targets that the tenant deleted."""
    return {each.path.partition("?")[0] for each in seen if each.method == "DELETE" and each.status < 300}


def risk_of(seen: Seen, known: Facts) -> Risk:
    """The risk of one request; what is on no route, or on one that no tool may send, is critical."""
    path, _, query = seen.path.partition("?")
    found = operation(seen.method, path)
    if found is None:
        return Risk.CRITICAL
    says, ids = found
    given = {f"query.{name}": value for name, value in parse_qsl(query, keep_blank_values=True)}
    given |= dict(fields("body", content(seen)))
    of_targets = {fact: risk for fact, risk in says.facts.items() if fact != "installs_code"}
    raised = [risk for fact, risk in of_targets.items() if known.true(fact, ids)]
    if "installs_code" in says.facts and any(map(LOADED.search, written(path, given))):
        raised.append(says.facts["installs_code"])
    return max([says.risk, *raised, *(of_field(says, name, value) for name, value in given.items())])


LOADED = re.compile(
    r"(^|/)(plugins|hooks)(/|$)|(^|/)skills/(?!.*\.md$)|(^|/)\.|mcp[^/]*\.json$|(^|/)settings[^/]*\.json$|\.(py|sh|js)$",
    re.I,
)
"""Paths of files that an agent loads or runs."""


def written(path: str, given: Iterable[str]) -> Iterator[str]:
    """The paths of the files that a request writes."""
    _, found, rest = path.partition("/files/")
    if found:
        yield unquote(rest)
    yield from (name.removeprefix("body.files.") for name in given if name.startswith("body.files."))


def operation(method: str, path: str) -> tuple[Stated, set[str]] | None:
    """What is stated of the operation on a path, and the path's own parts; the one with the fewest parameters."""
    parts = path.split("/")
    fitting = sorted(
        (each.route.count("{"), each.id)
        for each in operations().values()
        if each.route.split(" ")[0] == method and follows(parts, each.route.split(" ")[1].split("/"))
    )
    if not fitting or (says := stated()[fitting[0][1]]).omitted is not None:
        return None
    return says, {part.lower() for part in parts}


def follows(parts: list[str], template: list[str]) -> bool:
    """Whether a path is one of a template."""
    if template[-1] == "{path}" and len(parts) > len(template):
        template = [*template, *["{path}"] * (len(parts) - len(template))]
    return len(parts) == len(template) and all(
        part == wanted or (wanted.startswith("{") and bool(part))
        for part, wanted in zip(parts, template, strict=True)
    )  # fmt: skip


def content(seen: Seen) -> Any:
    """A request's body as JSON, None when it is something else."""
    try:
        return json.loads(seen.body)
    except ValueError:
        return None


def fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of a JSON body by its path, as the contract writes it."""
    if isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            yield f"{path}.{name}", part
            yield from fields(f"{path}.{name}", part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield f"{path}[]", part
            yield from fields(f"{path}[]", part)


def of_field(says: Stated, name: str, value: Any) -> Risk:
    """What giving a field raises to; one that is not stated is not looked at by the tenant."""
    if name not in says.fields:
        return Risk.READ
    of = says.fields[name]
    if of is None:
        return Risk.CRITICAL
    if isinstance(of, Risk):
        return of
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return of.get(written, says.risk)
