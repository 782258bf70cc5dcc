"""Changing calls: found again when they are repeated, across processes, and forgotten when they sent nothing."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store.making import DONE, NOW, direct, process, together

from molecule_mcp.errors import StoreError
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import KEPT, Call, CallState, RecordedCall
from molecule_mcp.store.sqlite import SqliteStore

ANSWER = {"done": {"items": [{"id": "w0"}], "sent": []}}
SCOPE = canonical(("local", "default", "https://tenant.example"))
OF_ANOTHER = canonical(("somebody else", "night", "https://tenant.example"))
OF_PLAN = canonical(("local", "default", "https://tenant.example", "p"))


def call(name: str = "call", **changes: Any) -> Call:
    """A call made now, of which what ended within 120 s counts."""
    drawn = Call(
        id=name,
        scope=SCOPE,
        tool="delete_workspace",
        binding="binding",
        token="",
        at=NOW,
        plan="",
        recent=NOW - 120,
        planned=NOW - 600,
        latest=False,
        doubtful=NOW - KEPT,
    )
    return replace(drawn, **changes)


def made(store: SqliteStore, state: CallState = "done", at: float = NOW, **changes: Any) -> Call:
    """A call that sent something and ended so."""
    one = call(**changes)
    assert store.begin(one) is None
    claimed(store, one.id)
    store.finish(one.id, state, at, ANSWER)
    return one


def claimed(store: SqliteStore, name: str) -> None:
    """A request of that call."""
    intent = replace(direct(f"intent of {name}"), call=name)
    assert store.claim(intent)
    store.settle(intent.id, DONE)


def found(store: SqliteStore, **changes: Any) -> str | None:
    """The id of the call that another one repeats, by reading and by beginning alike."""
    other = call("other", **changes)
    earlier = store.earlier(other)
    begun = store.begin(other)
    if begun is None:
        store.forget("other")
    assert begun == earlier
    return earlier.id if earlier else None


def cells(folder: Path, column: str) -> list[Any]:
    """What stands in one column of the calls."""
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        return [cell for (cell,) in sql.execute(f"SELECT {column} FROM calls")]


def test_a_repeated_call_is_found_while_the_first_runs_and_when_it_is_done(store: SqliteStore, folder: Path) -> None:
    assert store.begin(call()) is None
    assert store.earlier(call("other")) == RecordedCall("call", "binding", "running", None, None)
    assert found(store) == "call"
    claimed(store, "call")
    store.finish("call", "done", NOW, ANSWER)
    assert store.recorded("call") == RecordedCall("call", "binding", "done", NOW, ANSWER)
    assert cells(folder, "answer") == ['{"done":{"items":[{"id":"w0"}],"sent":[]}}']
    assert found(store) == "call"


@pytest.mark.parametrize("changes", [{"binding": "of another call"}, {"recent": NOW}])
def test_another_call_and_one_that_comes_later_repeat_nothing(store: SqliteStore, changes: dict[str, Any]) -> None:
    made(store)
    assert found(store, **changes) is None


def test_an_unknown_outcome_counts_longer_than_one_that_was_done(store: SqliteStore) -> None:
    made(store, "unknown", NOW - 5000)
    assert found(store) == "call"
    assert found(store, doubtful=NOW - 5000) is None


def test_what_failed_for_certain_can_be_repeated(store: SqliteStore) -> None:
    made(store, "failed")
    assert found(store) is None


@pytest.mark.parametrize("scope", [SCOPE, OF_ANOTHER])
def test_a_call_that_something_followed_counts_no_more_where_only_the_latest_does(
    store: SqliteStore, scope: str
) -> None:
    made(store)
    assert found(store, latest=True) == "call"
    made(store, id="elsewhere", scope=canonical(("local", "default", "https://another.example")), binding="x")
    assert found(store, latest=True) == "call"
    made(store, id="next", binding="y", scope=scope)
    assert found(store, latest=True) is None
    assert found(store) == "call"


@pytest.mark.parametrize(("ended", "counts"), [(None, None), (NOW + 1, None), (NOW, "call"), (NOW - 1, "call")])
def test_a_call_begun_before_it_counts_as_following_it_unless_it_ended_before(
    store: SqliteStore, ended: float | None, counts: str | None
) -> None:
    assert store.begin(call("first", binding="x", scope=OF_ANOTHER)) is None
    claimed(store, "first")
    made(store)
    if ended is not None:
        store.finish("first", "done", ended, ANSWER)
    assert found(store, latest=True) == counts


def test_what_was_done_counts_longer_for_the_same_plan_alone(store: SqliteStore) -> None:
    made(store, at=NOW - 599, scope=OF_PLAN)
    assert found(store, plan="p") == "call"
    assert found(store, plan="p", planned=NOW - 599) is None
    assert found(store, plan="q") is None
    assert found(store) is None
    assert found(store, recent=NOW - 600) == found(store, recent=NOW - 600, plan="q") == "call"


def test_what_was_done_by_itself_counts_for_a_plan_no_longer_than_for_a_call_by_itself(store: SqliteStore) -> None:
    made(store, at=NOW - 120)
    assert found(store, plan="p") is None
    assert found(store, plan="p", recent=NOW - 121) == "call"


def test_only_what_follows_from_outside_of_a_plan_ends_what_was_done_for_it(store: SqliteStore) -> None:
    made(store, scope=OF_PLAN)
    made(store, id="next", binding="y", scope=OF_PLAN)
    assert found(store, latest=True, plan="p") == "call"
    assert found(store, latest=True, plan="q") is None
    assert found(store, latest=True) is None
    made(store, id="outside", binding="z")
    assert found(store, latest=True, plan="p") is None


def test_a_token_finds_its_first_call_however_it_ended_and_whatever_it_was(store: SqliteStore) -> None:
    made(store, "failed", token="t")
    assert found(store, token="t", binding="of another call") == "call"
    assert found(store, token="u") is None
    assert found(store, token="t", at=NOW + KEPT) is None


def test_a_call_that_sent_nothing_is_forgotten(store: SqliteStore) -> None:
    assert store.begin(call()) is None
    store.forget("call")
    assert store.recorded("call") is None
    assert store.begin(call()) is None
    store.finish("call", "unknown", NOW, ANSWER)
    assert store.recorded("call") is None


def test_a_call_ends_once(store: SqliteStore) -> None:
    made(store)
    with pytest.raises(StoreError, match="no such call is under way"):
        store.finish("call", "failed", NOW, {})
    assert found(store) == "call"


def test_what_is_a_day_old_is_dropped_at_the_next_call(store: SqliteStore) -> None:
    made(store, at=NOW)
    assert store.begin(call("almost", at=NOW + 86_399.9, binding="y")) is None
    assert store.recorded("call") is not None
    assert store.begin(call("next", at=NOW + 86_400, binding="x")) is None
    assert store.recorded("call") is None


def test_a_call_of_a_process_that_is_gone_is_unknown_if_it_sent_anything(folder: Path, store: SqliteStore) -> None:
    gone = SqliteStore(folder)
    for name in ("sent", "idle"):
        assert gone.begin(call(name, binding=name)) is None
    claimed(gone, "sent")
    assert store.begin(call("living", binding="living")) is None
    store.recover(NOW)
    assert found(store, binding="sent") == "sent"
    assert store.recorded("sent") == RecordedCall("sent", "sent", "running", None, None)
    gone.close()
    store.recover(NOW)
    assert store.recorded("sent") == RecordedCall("sent", "sent", "unknown", NOW, None)
    assert store.recorded("idle") is None
    assert store.recorded("living") is not None


PROGRAM = """
import sys
from pathlib import Path
from dataclasses import replace
from molecule_mcp.store.sqlite import SqliteStore
from tests.store.test_calls import call
input()
print(SqliteStore(Path(sys.argv[1])).begin(call(sys.argv[2])) is None)
"""


def test_of_the_same_call_in_several_processes_one_begins(folder: Path) -> None:
    said = together([process(PROGRAM, folder, f"call {number}") for number in range(4)])
    assert sorted(said) == ["False", "False", "False", "True"]


def test_the_answers_of_one_tool_on_one_tenant_are_found_again_from_a_time_on_the_oldest_first(
    store: SqliteStore,
) -> None:
    ended: list[tuple[str, float, dict[str, Any]]] = [
        ("late", NOW + 2, {}),
        ("early", NOW + 1, {"scope": OF_ANOTHER}),
        ("too early", NOW, {}),
        ("of another tool", NOW + 1, {"tool": "pause_workspace"}),
        ("elsewhere", NOW + 1, {"scope": canonical(("local", "default", "https://other.example"))}),
    ]
    for name, at, changes in ended:
        made(store, at=at, id=name, binding=name, **changes)
    running = call("running", binding="running")
    store.begin(running)
    assert store.answers("delete_workspace", "https://tenant.example", NOW) == [(NOW + 1, ANSWER), (NOW + 2, ANSWER)]
