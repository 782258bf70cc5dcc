"""What became unknown is settled once, by one living process, beside the record of it and not over it."""

import signal
import sqlite3
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store import making
from tests.store.making import NOW, YES, told

from molecule_mcp.store.records import Call, Intent, Outcome, Settlement, StoredPlan, Verdict
from molecule_mcp.store.sqlite import SqliteStore

LATER = NOW + 100.0
ORIGIN = "https://tenant.example"
UNKNOWN = Outcome("unknown", None, NOW + 1)
CALL = Call("c1", "scope", "delete_workspace", "binding", "", NOW, "", NOW - 120, NOW - 600, False, NOW - 120)
READ = ("GET /workspaces/w0 404",)

DIE = """
import os, signal, sys
from pathlib import Path
from tests.store import making
from molecule_mcp.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
assert store.claim(making.direct())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def other(folder: Path) -> Generator[SqliteStore]:
    """Another process's store."""
    store = SqliteStore(folder)
    yield store
    store.close()


def took(store: SqliteStore, **changes: Any) -> list[str]:
    """The ids of what a store took to settle."""
    given: dict[str, Any] = {"profile": "default", "origin": ORIGIN, "now": LATER, "most": 10, **changes}
    return [intent.id for intent in store.take(**given)]


def gone(folder: Path, *intents: Intent, call: Call | None = None, ends: Outcome | None = None) -> None:
    """A process that wrote these intents, and perhaps their outcome, and is no more."""
    store = SqliteStore(folder)
    if call:
        store.begin(call)
    for intent in intents:
        assert store.claim(intent)
        if ends:
            store.settle(intent.id, ends)
    store.close()


def settlement(verdict: Verdict) -> Settlement:
    return Settlement(verdict, READ, LATER)


def hidden(text: str) -> str:
    """The redaction of a process that knows one value."""
    return text.replace("hunter2", "***")


def answer(store: SqliteStore) -> Any:
    """What is told of the call."""
    found = store.recorded("c1")
    assert found
    return found.answer


def test_what_a_killed_process_left_open_becomes_unknown_and_is_taken_once(
    store: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    with making.process(DIE, folder) as dying:
        assert dying.wait() == -signal.SIGKILL
    assert store.unsettled()
    assert (took(store), took(other), took(store)) == (["intent"], [], [])
    assert [(record.kind, record.body.get("state")) for record in store.records()] == [
        ("intent", None),
        ("outcome", "unknown"),
    ]


def test_neither_open_nor_unknown_intents_of_a_living_process_are_taken(store: SqliteStore, other: SqliteStore) -> None:
    other.claim(making.direct("open"))
    other.claim(making.direct("unknown"))
    other.settle("unknown", UNKNOWN)
    assert took(store) == []
    assert store.unsettled()
    other.close()
    assert took(store) == ["open", "unknown"]


@pytest.mark.parametrize("end", [making.DONE, Outcome("failed", 404, NOW + 1)])
def test_what_is_known_is_not_taken(store: SqliteStore, folder: Path, end: Outcome) -> None:
    gone(folder, making.direct(), ends=end)
    assert not store.unsettled()
    assert took(store) == []


@pytest.mark.parametrize("whose", [{"profile": "other"}, {"origin": "https://other.example"}])
def test_only_what_this_profile_sent_to_this_tenant_is_taken(
    store: SqliteStore, folder: Path, whose: dict[str, str]
) -> None:
    gone(folder, making.direct())
    assert took(store, **whose) == []


def test_of_many_the_newest_are_taken_and_come_oldest_first(store: SqliteStore, folder: Path) -> None:
    gone(folder, *(making.direct(str(number)) for number in range(4)))
    assert took(store, most=2) == ["2", "3"]


def test_what_a_process_took_and_did_not_settle_is_for_the_next_once_it_is_gone(
    store: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    gone(folder, making.direct())
    assert took(other) == ["intent"]
    other.close()
    assert took(store) == ["intent"]


def test_what_is_let_go_can_be_taken_by_another(store: SqliteStore, other: SqliteStore, folder: Path) -> None:
    gone(folder, making.direct())
    took(other)
    store.let_go("intent")
    assert took(store) == []
    other.let_go("intent")
    assert took(store) == ["intent"]


def test_a_settlement_is_a_record_of_its_own_and_the_outcome_stays(store: SqliteStore, folder: Path) -> None:
    gone(folder, making.direct(), ends=UNKNOWN)
    took(store)
    before = list(store.records())
    assert store.settled(making.direct(), settlement("happened"))
    *former, last = store.records()
    assert former == before
    assert (last.kind, last.at) == ("settled", LATER)
    assert last.body == {
        "intent": "intent",
        "tool": "delete_workspace",
        "method": "DELETE",
        "path": "/workspaces/wNone",
        "verdict": "happened",
        "read": list(READ),
        "at": LATER,
    }
    assert store.verify() == (3, None)
    assert store.unsettled() is False
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        kept = sql.execute("SELECT intent, verdict, read, at FROM settlements").fetchall()
    assert kept == [("intent", "happened", '["GET /workspaces/w0 404"]', LATER)]


def test_only_who_took_it_settles_it_and_once(store: SqliteStore, other: SqliteStore, folder: Path) -> None:
    gone(folder, making.direct(), ends=UNKNOWN)
    took(store)
    assert other.settled(making.direct(), settlement("did_not_happen")) is False
    assert store.settled(making.direct(), settlement("happened"))
    assert not store.settled(making.direct(), settlement("did_not_happen"))
    store.let_go("intent")
    assert took(other) == []
    assert [record.body["verdict"] for record in store.records() if record.kind == "settled"] == ["happened"]


@pytest.mark.parametrize(("end", "verdict"), [(None, "cannot_be_told"), (Outcome("failed", 409, NOW), "happened")])
def test_nothing_can_be_told_once_the_same_request_was_sent_again(
    store: SqliteStore, folder: Path, end: Outcome | None, verdict: Verdict
) -> None:
    gone(folder, making.direct("first"), ends=UNKNOWN)
    took(store)
    gone(folder, making.direct("again"), ends=end)
    store.settled(making.direct("first"), settlement("happened"))
    assert [record.body["verdict"] for record in store.records() if record.kind == "settled"] == [verdict]


def test_a_call_of_which_nothing_happened_is_forgotten_so_that_it_can_be_made(store: SqliteStore, folder: Path) -> None:
    intents = [replace(making.direct(name), call="c1", path=f"/{name}") for name in ("one", "two")]
    gone(folder, *intents, call=CALL)
    took(store)
    store.settled(intents[0], settlement("did_not_happen"))
    assert answer(store)["settled"]["verdict"] == "cannot_be_told"
    store.settled(intents[1], settlement("did_not_happen"))
    assert store.recorded("c1") is None
    assert store.begin(CALL) is None


def test_a_call_of_which_all_happened_says_so_and_stays(store: SqliteStore, folder: Path) -> None:
    intents = [replace(making.direct(name), call="c1", path=f"/{name}") for name in ("one", "two")]
    former = SqliteStore(folder)
    former.begin(CALL)
    former.claim(intents[0])
    former.settle("one", making.DONE)
    former.claim(intents[1])
    former.close()
    took(store)
    store.settled(intents[1], settlement("happened"))
    requests = [{"request": "DELETE /one", "state": "done"}, {"request": "DELETE /two", "state": "happened"}]
    assert answer(store) == {"settled": {"verdict": "happened", "requests": requests}}
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        assert " " not in sql.execute("SELECT replace(answer, 'DELETE ', '') FROM calls").fetchone()[0]
    found = store.earlier(CALL)
    assert found and found.state == "unknown"


def test_a_call_that_was_told_as_unknown_keeps_what_was_told(store: SqliteStore, folder: Path) -> None:
    sent = replace(making.direct(), call="c1")
    former = SqliteStore(folder)
    former.begin(CALL)
    former.claim(sent)
    former.settle(sent.id, UNKNOWN)
    former.finish("c1", "unknown", NOW, {"failed": {"error": "unreachable"}})
    former.close()
    took(store)
    store.settled(sent, settlement("cannot_be_told"))
    assert answer(store)["failed"] == {"error": "unreachable"}
    assert answer(store)["settled"]["verdict"] == "cannot_be_told"


@pytest.mark.parametrize(
    ("verdict", "state"), [("happened", "granted"), ("cannot_be_told", "granted"), ("did_not_happen", "spent")]
)
def test_what_did_not_happen_ends_its_plan_and_gives_no_claim_back(
    store: SqliteStore, folder: Path, verdict: Verdict, state: str
) -> None:
    store.open_plan(making.plan())
    store.grant(making.PLAN, YES)
    gone(folder, making.intent(), ends=UNKNOWN)
    took(store)
    store.settled(making.intent(), settlement(verdict))
    found = store.plan(making.PLAN)
    assert isinstance(found, StoredPlan)
    assert (found.state, dict(found.steps)) == (state, {0: "unknown"})
    assert not store.claim(making.intent("again"))
    assert [body for kind, body in told(store) if kind == "spent"] == (
        [{"plan": making.PLAN, "reason": "settled"}] if state == "spent" else []
    )


def test_of_a_request_that_was_masked_nothing_can_be_told(folder: Path) -> None:
    """What the rest of its address names is another thing."""
    gone(folder, replace(making.direct(), path="/workspaces/hunter2"), ends=UNKNOWN)
    with closing(SqliteStore(folder, redact=hidden)) as store:
        [plain] = store.take("default", ORIGIN, LATER, 10)
        store.let_go(plain.id)
        assert plain.exact
        assert store.claim(replace(making.direct("masked"), path="/workspaces/hunter2"))
        store.settle("masked", UNKNOWN)
    with closing(SqliteStore(folder)) as store:
        one, masked = store.take("default", ORIGIN, LATER, 10)
        assert (masked.path, masked.exact) == ("/workspaces/***", False)
        for intent in (one, masked):
            assert store.settled(intent, settlement("did_not_happen"))
        assert [body["verdict"] for kind, body in told(store) if kind == "settled"] == ["cannot_be_told"] * 2


def test_a_masked_request_of_another_method_is_no_repetition(folder: Path) -> None:
    gone(folder, making.direct("first"), ends=UNKNOWN)
    with closing(SqliteStore(folder, redact=hidden)) as store:
        [first] = store.take("default", ORIGIN, LATER, 10)
        assert store.claim(replace(making.direct("later"), method="POST", path="/workspaces/hunter2"))
        assert store.claim(replace(making.direct("exact"), path="/workspaces/w1"))
        assert store.settled(first, settlement("happened"))
        assert [body["verdict"] for kind, body in told(store) if kind == "settled"] == ["happened"]


def test_what_was_read_is_kept_without_any_value(folder: Path) -> None:
    gone(folder, making.direct(), ends=UNKNOWN)
    with closing(SqliteStore(folder, redact=hidden)) as store:
        [intent] = store.take("default", ORIGIN, LATER, 10)
        assert store.settled(intent, Settlement("happened", ("GET /workspaces/hunter2 404",), LATER))
        assert told(store)[-1][1]["read"] == ["GET /workspaces/*** 404"]
    assert b"hunter2" not in b"".join(each.read_bytes() for each in folder.glob("state.db*"))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"client": 1, "***": 2}'])
def test_an_intent_that_nobody_can_read_is_told_as_such_and_stops_no_other(
    store: SqliteStore, other: SqliteStore, folder: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone(folder, replace(making.direct("broken"), call="c1"), making.direct("whole"), call=CALL)
    other.claim(making.direct("living"))
    making.outside(folder, f"UPDATE intents SET intent = '{text}' WHERE id IN ('broken', 'living')")
    assert took(store) == ["whole"]
    assert caplog.messages == ["intent broken cannot be read; what became of it cannot be told"]
    ended: dict[str, object] = {"intent": "broken", "verdict": "cannot_be_told", "read": [], "at": LATER}
    assert told(store)[-1] == ("settled", ended)
    assert answer(store)["settled"] == {
        "verdict": "cannot_be_told",
        "requests": [{"request": "(cannot be read)", "state": "cannot_be_told"}],
    }
    assert store.settled(making.direct("whole"), settlement("happened"))
    assert [body["verdict"] for kind, body in told(store) if kind == "settled"] == ["cannot_be_told"] * 2, (
        "the later one, which cannot be read, may have been the same"
    )
    assert took(store) == []
    assert len([kind for kind, _ in told(store) if kind == "settled"]) == 2


def test_without_a_file_nothing_is_unsettled_and_none_is_made(folder: Path) -> None:
    store = SqliteStore(folder)
    assert store.unsettled() is False
    assert not (folder / "state.db").exists()
