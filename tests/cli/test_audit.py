"""What the audit shows: enough to tie what a person allowed to what was sent."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.store import making

from molecule_mcp.cli import main
from molecule_mcp.settings import OWN
from molecule_mcp.store import chain
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Question
from molecule_mcp.store.sqlite import SqliteStore

Captured = pytest.CaptureFixture[str]
CODE, TARGET = "7F3K-92QD", "c5c11989-0aca-57f0-a435-fced1a30a95b"
SENT = f"{CODE} delete_workspace DELETE /workspaces/w0"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state folder of this test's own."""
    for name in OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOLECULE_MCP_STATE", str(tmp_path))
    return tmp_path


def run(folder: Path) -> None:
    """A plan that is allowed and sent, whose outcome becomes unknown, and one that is refused."""
    asked = Question(("Delete 1 workspace (destroy)",), ("allow",), None, (TARGET, "Na\u202eme"))
    with closing(SqliteStore(folder)) as store:
        assert store.open_plan(making.plan(question=asked)) is None
        assert store.grant(making.PLAN, making.YES)
        assert store.claim(making.intent())
        store.settle("intent", making.DONE)
        store.spend(making.PLAN, "run", making.NOW)
        assert store.open_plan(making.plan(2, code="0000-1111", question=asked)) is None
        store.refuse(f"{2:032x}", "declined", making.NOW)


def shown(capsys: Captured, *flags: str) -> list[str]:
    """The lines of `audit show` behind number and time."""
    assert main(["audit", "show", *flags]) == 0
    return [line.split(maxsplit=3)[3] for line in capsys.readouterr().out.splitlines()]


def test_every_record_of_a_plan_tells_its_code_and_what_it_is_about(folder: Path, capsys: Captured) -> None:
    run(folder)
    about = f"{TARGET}, Na\\u{{202e}}me"
    assert [" ".join(line.split()) for line in shown(capsys)] == [
        f"open {CODE} delete_workspace destroy {about}",
        f"granted {CODE} delete_workspace {about} allow client_attested",
        f"intent {SENT} {about} allow client_attested",
        f"outcome {SENT} done 200",
        f"spent {CODE} delete_workspace {about} run",
        f"open 0000-1111 delete_workspace destroy {about}",
        f"refused 0000-1111 delete_workspace {about} declined",
    ]


def test_the_same_is_told_to_programs(folder: Path, capsys: Captured) -> None:
    run(folder)
    assert main(["audit", "show", "--json", "--limit", "4"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["seq"], row["kind"], row["code"]) for row in rows] == [
        (4, "outcome", CODE), (5, "spent", CODE), (6, "open", "0000-1111"), (7, "refused", "0000-1111")
    ]  # fmt: skip
    assert rows[0]["path"] == "/workspaces/w0"
    assert rows[1]["targets"] == rows[3]["targets"] == [TARGET, "Na\u202eme"]


def test_an_outcome_without_a_plan_tells_its_request(folder: Path, capsys: Captured) -> None:
    with closing(SqliteStore(folder)) as store:
        assert store.claim(making.direct())
        store.settle(making.direct().id, making.DONE)
    assert [" ".join(line.split()) for line in shown(capsys, "--limit", "1")] == [
        f"outcome {making.direct().tool} {making.direct().method} {making.direct().path} done 200"
    ]


def test_records_of_older_versions_verify_and_are_shown_beside_new_ones(folder: Path, capsys: Captured) -> None:
    with closing(SqliteStore(folder)) as store:
        store.keyed_digest("made")
        assert store.open_plan(making.plan()) is None
    key = chain.Key.load(folder / "chain.key")
    old = {"plan": "a" * 32, "steps": 1, "tool": "delete_workspace", "risk": "destroy"}
    with closing(sqlite3.connect(folder / "state.db")) as sql, sql:
        chain.append(sql, key, 1.0, "open", canonical(old))
        chain.append(sql, key, 2.0, "refused", canonical({"plan": "a" * 32, "reason": "declined"}))
    with closing(SqliteStore(folder)) as store:
        assert store.claim(making.direct())
    assert main(["audit", "verify"]) == 0
    capsys.readouterr()
    assert [" ".join(line.split()) for line in shown(capsys)][1:3] == [
        "open delete_workspace destroy", "refused delete_workspace declined"
    ]  # fmt: skip


def test_an_empty_audit_says_that_nothing_is_recorded(folder: Path, capsys: Captured) -> None:
    assert folder.is_dir()
    assert main(["audit", "show"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Nothing is recorded: no change was asked for yet.\n")
