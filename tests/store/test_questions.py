"""Questions: one at a time, each answerable, and none about what was refused twice lately."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.store import making
from tests.store.making import PLAN, YES, stored, told

from molecule_mcp.store.records import Hindrance, Question, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore


def asked(store: SqliteStore, number: int, at: float, *about: tuple[str, ...]) -> Hindrance | None:
    """Ask about one target, in a plan of a binding of its own that is gone within a minute."""
    question = Question(("Delete",), ("allow",), None, *(about or (("w0",),)))
    plan = making.plan(number, question=question, binding=str(number), created=at, expires=at + 60)
    return store.open_plan(plan)


def declined(store: SqliteStore, *times: float) -> None:
    """A person refuses the target at each of these times."""
    for number, at in enumerate(times, 100):
        assert asked(store, number, at) is None
        assert store.refuse(f"{number:032x}", "declined", at)


def test_a_target_that_was_refused_twice_rests_for_half_an_hour_from_the_last_time(store: SqliteStore) -> None:
    declined(store, 1000.0, 1100.0)
    assert asked(store, 1, 1100.0) == asked(store, 1, 2899.9) == Hindrance(2900.0)
    assert asked(store, 1, 2900.0) is None


def test_what_would_change_something_that_rests_is_not_asked_about_either(store: SqliteStore) -> None:
    declined(store, 1000.0, 1100.0)
    assert asked(store, 1, 1200.0, ("team",), ("w1", "w0")) == Hindrance(2900.0)
    assert asked(store, 1, 1200.0, ("team",), ("w1", "team")) is None


def test_a_no_counts_for_what_it_was_about_alone(store: SqliteStore) -> None:
    for number in (1, 2):
        assert asked(store, number, 1000.0, ("team",), ("team", "w0")) is None
        assert store.refuse(f"{number:032x}", "declined", 1000.0)
    assert asked(store, 3, 1001.0, ("team",)) == Hindrance(2800.0)
    assert asked(store, 3, 1001.0) is None


def test_two_refusals_half_an_hour_apart_let_a_target_rest_and_later_ones_do_not(
    store: SqliteStore, tmp_path: Path
) -> None:
    declined(store, 1000.0, 2800.0)
    assert asked(store, 1, 2801.0) == Hindrance(4600.0)
    with closing(SqliteStore(tmp_path / "another")) as another:
        declined(another, 1000.0, 2800.1)
        assert asked(another, 1, 2801.0) is None


def test_refusals_are_kept_for_as_long_as_they_can_count(store: SqliteStore, folder: Path) -> None:
    declined(store, 1000.0, 1000.1, 4600.0)
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        kept = sql.execute("SELECT principal, target, at FROM refusals ORDER BY at").fetchall()
    assert kept == [("local", "w0", 1000.1), ("local", "w0", 4600.0)]


def test_every_question_that_only_ended_processes_ask_ends_before_another_is_asked(
    store: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    with closing(SqliteStore(folder)) as gone:
        assert asked(gone, 1, 1000.0) is None
        gone.asked(PLAN, "form")
        assert asked(store, 2, 1001.0) is not None
        store.asked(PLAN, "form")
    assert asked(other, 2, 1001.0) is not None
    store.close()
    assert asked(other, 2, 1001.0) is None
    assert told(other)[-2] == ("refused", {"plan": PLAN, "reason": "unanswerable"})
    assert not other.grant(PLAN, YES)


def test_how_a_question_is_asked_does_not_matter_once_it_is_answered(store: SqliteStore) -> None:
    store.open_plan(making.plan())
    store.asked(PLAN, "form")
    assert stored(store) == StoredPlan(making.plan(), "open")
    assert store.grant(PLAN, YES)
    store.asked(PLAN, "form")
    assert stored(store).grant == YES


def test_one_question_is_open_at_a_time(store: SqliteStore) -> None:
    assert asked(store, 1, 1000.0) is None
    waiting = store.plan(PLAN)
    assert waiting
    assert asked(store, 2, 1059.9) == Hindrance(1060.0, waiting.plan)
    assert asked(store, 2, 1060.0) is None


def test_a_question_that_is_answered_elsewhere_outlives_the_process_that_asked_it(
    store: SqliteStore, folder: Path
) -> None:
    with closing(SqliteStore(folder)) as gone:
        assert asked(gone, 1, 1000.0) is None
        gone.asked(PLAN, "form")
        gone.asked(PLAN, "outside")
    assert asked(store, 2, 1001.0) is not None
    assert stored(store).state == "open"
