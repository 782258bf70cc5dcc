"""Plans, intents and processes for the tests of the store."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from molecule_mcp.gate import grants
from molecule_mcp.store.records import Grant, Intent, Outcome, Plan, Question, Step, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
CREATED, EXPIRES = 1000.0, 1600.0
NOW = 1001.0
YES = Grant("client_attested", "allow", NOW)
DONE = Outcome("done", 200, 1002.0)
PLAN = "0" * 31 + "1"


def step(index: int = 0, answer: str = "allow") -> Step:
    return Step(answer, index, {"workspace_id": f"w{index}"}, "DELETE", f"/workspaces/w{index}", "", {"name": "Leaf"})


def plan(number: int = 1, *steps: Step, **changes: Any) -> Plan:
    """An open plan to delete a workspace; its id is the number in 32 digits."""
    drawn = Plan(
        id=f"{number:032x}",
        code="7F3K-92QD",
        tool="delete_workspace",
        family="workspaces",
        arguments={"workspace_id": "w0"},
        binding="binding",
        risk="destroy",
        principal="local",
        profile="default",
        origin="https://tenant.example",
        question=Question(("Delete 1 workspace (destroy)", 'Name: "Leaf"'), ("allow",), None),
        steps=steps or (step(),),
        created=CREATED,
        expires=EXPIRES,
        digest="",
    )
    drawn = replace(drawn, **changes)
    return replace(drawn, digest=grants.digest(drawn))


def intent(name: str = "intent", index: int | None = 0, plan_id: str | None = PLAN, **changes: Any) -> Intent:
    """The intent to send one step of plan 1."""
    drawn = Intent(
        id=name,
        tool="delete_workspace",
        principal="local",
        profile="default",
        origin="https://tenant.example",
        client="host 1.0",
        method="DELETE",
        path=f"/workspaces/w{index}",
        body_digest="",
        arguments_digest="0123",
        at=NOW,
        plan_id=plan_id,
        index=index,
    )
    return replace(drawn, **changes)


def direct(name: str = "intent") -> Intent:
    """The intent of a call that needed no plan."""
    return intent(name, None, None)


def process(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """Another Python process with this program; it may import this module."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(processes: "list[subprocess.Popen[str]]") -> list[str]:
    """Give every process its line to start at once, and return what each printed."""
    for each in processes:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [each.communicate(timeout=60)[0].strip() for each in processes]
    assert [each.returncode for each in processes] == [0] * len(processes)
    return said


def told(store: SqliteStore) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of every record."""
    return [(each.kind, dict(each.body)) for each in store.records()]


def stored(store: SqliteStore) -> StoredPlan:
    """Plan 1."""
    found = store.plan(PLAN)
    assert found
    return found


def open_intents(folder: Path) -> list[Intent]:
    """The intents without an outcome, as they are kept."""
    if not (folder / "state.db").exists():
        return []
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        rows = sql.execute("SELECT intent FROM intents WHERE state = 'open' ORDER BY rowid").fetchall()
    return [Intent(**json.loads(text)) for (text,) in rows]


def outside(folder: Path, *statements: str) -> None:
    """Change the file as another program of the same user could."""
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as sql:
        for each in statements:
            sql.executescript(each)
