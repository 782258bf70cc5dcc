"""What people ask, answered over a real client: `python -m tests.calls.questions [PART-OF-WHAT-IS-ASKED]`.

Every row of tests/questions.toml is asked of one server process; the embedded tenant is a third one. A row is kept when
its calls, and no more, give the facts, ask a person exactly as it says, and change exactly the table rows it names.
`--show` prints the answers too.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import ElicitResult

from molecule_mcp.embedded.sample import traffic
from tests.calls import harness
from tests.calls.cases.case import ENVIRON
from tests.calls.faults import changing
from tests.calls.harness import Person, TenantProcess, called, client, tenant_process
from tests.calls.records import filled, holds
from tests.calls.tables import Tables, differing

FILE = Path(__file__).parents[1] / "questions.toml"
LONGEST = 6_000
"""Bytes of an answer to one person's question, unless its row says more."""

SECRETS = [
    *ENVIRON.values(),
    *traffic.GLOBAL_SECRETS.values(),
    *(value for _, _, value in traffic.SECRETS),
    *(str(value) for _, _, config, _ in traffic.CHANNELS for name, value in config.items() if name in {"bot_token"}),
]
"""Values that no answer and no question may hold."""


@dataclass(frozen=True)
class Call:
    """One call: arguments may refer to answers before it; `told` are facts of its own answer."""

    tool: str
    arguments: dict[str, Any]
    told: list[Any]


@dataclass(frozen=True)
class Row:
    """One question.

    Args:
        asked: What a person says.
        calls: How it is answered.
        told: Facts in the last answer: a text, or fields that one record has.
        untold: Texts that are not in it.
        refused: The error by which the last call honestly fails; empty: it works.
        person: What a person answers to each form in turn, "yes" or "no".
        shown: Texts that the forms hold.
        changed: The table rows that change, and no others.
        known: Texts that the model was told at the start.
        most: Bytes of an answer.
    """

    asked: str
    calls: list[Call]
    told: list[Any] = field(default_factory=list[Any])
    untold: list[str] = field(default_factory=list[str])
    refused: str = ""
    person: list[str] = field(default_factory=list[str])
    shown: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    known: list[str] = field(default_factory=list[str])
    most: int = LONGEST


def questions() -> list[Row]:
    """The rows of the file.

    Raises: TypeError for a field that no row has.
    """
    return [row(**given) for given in tomllib.loads(FILE.read_text(encoding="utf-8"))["question"]]


def row(*, calls: list[dict[str, Any]], **given: Any) -> Row:
    """A row as the file has it."""
    return Row(
        calls=[
            Call(str(each["tool"]), {k: v for k, v in each.items() if k not in {"tool", "told"}}, each.get("told", []))
            for each in calls
        ],
        **given,
    )


@dataclass
class Outcome:
    """What came of a row: each answer as the model has it, and what is wrong."""

    answers: list[dict[str, Any]]
    wrong: list[str]


class Asking:
    """A client of the server, a person at it, and the tables of its tenant."""

    def __init__(self, connected: Client, person: "Listener", tenant: TenantProcess, tables: Tables) -> None:
        self.connected, self.person, self.tenant, self.tables = connected, person, tenant, tables

    async def outcome(self, row: Row) -> Outcome:
        """Ask one row, and put the tables back."""
        self.person.begin(row.person)
        answers, wrong = await self.answered(row)
        wrong += self.person.wrong(row)
        wrong += [f"is not told at the start: {each!r}" for each in row.known if each not in self.instructions]
        self.tables.let_starts_end()
        self.tenant.get("/health")
        changes = self.tables.changes()
        if changes:
            self.tables.renew()
        leaked = [value for value in SECRETS if value in json.dumps([answers, self.person.questions])]
        wrong += [f"tells the secret {value}" for value in leaked]
        return Outcome(answers, wrong + differing(row.changed, changes))

    @property
    def instructions(self) -> str:
        """What the server tells a model at the start."""
        return self.connected.instructions or ""

    async def answered(self, row: Row) -> tuple[list[dict[str, Any]], list[str]]:
        """Make the calls. Returns the answers, and what is wrong with them."""
        answers, wrong = list[dict[str, Any]](), list[str]()
        for place, call in enumerate(row.calls):
            last = place == len(row.calls) - 1
            try:
                given = filled(call.arguments, answers)
            except LookupError as unknown:
                return answers, [*wrong, f"{call.tool}: {unknown}"]
            before = len(self.tenant.proxy.seen)
            _, answer = await called(self.connected, call.tool, given)
            answers.append(answer)
            # A deduplicated answer tells what the first one sent.
            arrived = "deduplicated" in answer or any(changing(seen.line) for seen in self.tenant.proxy.seen[before:])
            found = [*missing(answer, call.told), *(judged(row, answer) if last else [])]
            if answer.get("error", "") != (row.refused if last else "") or bool(answer.get("sent")) != arrived:
                found.append(f"answers {text_of(answer)[:600]}, and a change was {'' if arrived else 'not '}sent")
            wrong += [f"{call.tool}: {each}" for each in found]
        return answers, wrong


def judged(row: Row, answer: dict[str, Any]) -> list[str]:
    """What is wrong with a row's last answer."""
    found = missing(answer, row.told) + [f"says {each!r}" for each in row.untold if each in text_of(answer)]
    size = len(text_of(answer).encode())
    return found if size <= row.most else [*found, f"takes {size} bytes"]


def missing(answer: dict[str, Any], facts: list[Any]) -> list[str]:
    """The facts that an answer does not tell."""
    told = text_of(answer)
    return [
        f"does not tell {fact}"
        for fact in facts
        if not (fact in told if isinstance(fact, str) else holds(answer, fact))
    ]


def text_of(answer: dict[str, Any]) -> str:
    """An answer as the model reads it."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


class Listener(Person):
    """A person who answers each form as the row says, and no to any form beyond."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.left = list[str]()

    def begin(self, says: list[str]) -> None:
        """Forget the row before."""
        self.left = list(says)
        self.questions.clear()

    def answer(self, message: str, schema: dict[str, Any]) -> ElicitResult:
        """The next answer."""
        says = self.left.pop(0) if self.left else "no"
        name, field_schema = next(iter(schema["properties"].items()))
        if says in field_schema.get("enum", []):
            return ElicitResult(action="accept", content={name: says})
        return (harness.exactly_yes if says == "yes" else harness.decline)(message, schema)

    def wrong(self, row: Row) -> list[str]:
        """Where the questions are not those of the row."""
        asked = "\n".join(self.questions)
        found = [f"asks a person {len(self.questions)} times"] if len(self.questions) != len(row.person) else []
        return found + [f"does not show {each!r} in {asked!r}" for each in row.shown if each not in asked]


@asynccontextmanager
async def asking(folder: Path) -> AsyncGenerator[Asking]:
    """A server and its tenant, each in a process of its own, while the block runs."""
    person = Listener()
    with tenant_process(db=folder / "tenant.db") as tenant, closing(Tables(folder / "tenant.db")) as tables:
        async with connection(tenant, folder, person) as connected:
            yield Asking(connected, person, tenant, tables)


def connection(tenant: TenantProcess, folder: Path, person: Person) -> Any:
    """A client that can be asked."""
    return client(tenant, folder / "state", person=person, environ=ENVIRON)


def called_as(call: Call) -> str:
    """A call in short."""
    given = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.tool}({given if len(given) < 90 else given[:87] + '...'})"


def told(row: Row, outcome: Outcome, *, show: bool) -> list[str]:
    """The lines that are printed of one row."""
    lines = [row.asked, *(f"    {called_as(call)}" for call in row.calls)]
    if show:
        lines += [f"    > {text_of(answer)}" for answer in outcome.answers]
    size = len(text_of(outcome.answers[-1]).encode()) if outcome.answers else 0
    person = f", a person says {' and '.join(row.person)}" if row.person else ""
    ends = f"refused, as it should: {row.refused}" if row.refused else "ok"
    return [*lines, *(f"    WRONG: {each}" for each in outcome.wrong or []), f"    {ends}, {size} bytes{person}"]


async def ask(part: str, *, show: bool) -> int:
    """Ask every row that holds a text, and print them. Returns how many went wrong."""
    rows = [row for row in questions() if part.lower() in row.asked.lower()]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        async with asking(Path(folder)) as started:
            for row in rows:
                outcome = await started.outcome(row)
                bad += bool(outcome.wrong)
                print("\n".join(told(row, outcome, show=show)))
                if show:
                    print("\n".join(f"    ? {each}" for each in started.person.questions))
    calls = sum(len(row.calls) for row in rows)
    print(f"\n{len(rows)} questions in {calls} calls: {len(rows) - bad} answered as they should be, {bad} not")
    return bad


def main() -> int:
    """Read the command line, and ask."""
    parser = argparse.ArgumentParser(prog="tests.calls.questions", description=__doc__)
    parser.add_argument("part", nargs="?", default="", help="only rows whose question holds this")
    parser.add_argument("--show", action="store_true", help="print answers, and what a person is asked")
    given = parser.parse_args()
    return min(asyncio.run(ask(given.part, show=given.show)), 1)


if __name__ == "__main__":
    sys.exit(main())
