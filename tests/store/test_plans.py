"""Plans: opened once, found while they are good, decided once."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store import making
from tests.store.making import EXPIRES, NOW, PLAN, YES, stored, told

from molecule_mcp.errors import StoreError
from molecule_mcp.store.records import Grant, Hindrance, Question, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore


def test_an_opened_plan_is_read_back_open_and_whole(store: SqliteStore) -> None:
    plan = making.plan(1, making.step(0), making.step(1))
    store.open_plan(plan)
    assert store.plan(PLAN) == StoredPlan(plan, "open")
    assert store.plan("f" * 32) is None


def test_a_plan_opens_once(store: SqliteStore) -> None:
    store.open_plan(making.plan())
    with pytest.raises(StoreError, match="SQLITE_CONSTRAINT"):
        store.open_plan(making.plan(1, code="0000-0000"))
    assert stored(store).plan.code == "7F3K-92QD"
    assert len(told(store)) == 1


@pytest.mark.parametrize("broken", [object(), float("inf"), {"deep": {1, 2}}, "x" * 10 + "\udc80"])
def test_a_plan_that_cannot_be_written_is_not_there(store: SqliteStore, broken: object) -> None:
    plan = replace(making.plan(), arguments={"value": broken}, origin="https://\udc80")
    with pytest.raises(StoreError):
        store.open_plan(plan)
    assert store.plan(PLAN) is None
    assert told(store) == []


def test_the_newest_plan_of_a_code_is_found_however_it_is_typed(store: SqliteStore) -> None:
    store.open_plan(making.plan(1))
    store.open_plan(making.plan(2))
    store.open_plan(making.plan(3, created=999.0))
    found = store.plan_by_code("7f3k92qd")
    assert found
    assert found.plan.id == f"{2:032x}"
    assert store.plan_by_code("0000-0000") is None


def test_the_latest_plan_of_a_binding_is_unexpired_and_open_or_granted(store: SqliteStore) -> None:
    store.open_plan(making.plan(1))
    store.open_plan(making.plan(4, created=1001.0, expires=1601.0))
    store.open_plan(making.plan(2, created=1001.0, expires=1601.0))
    store.open_plan(making.plan(5, created=1000.5, expires=1601.0))
    store.open_plan(making.plan(3, binding="other", created=1002.0))

    def latest(now: float = NOW) -> str | None:
        found = store.latest("binding", now)
        return found and found.plan.id[-1] + found.state

    assert latest() == "2open"
    store.grant(f"{2:032x}", YES)
    assert latest() == "2granted"
    assert latest(1600.5) == "2granted"
    assert latest(1601.0) is None
    store.spend(f"{2:032x}", "run", NOW)
    assert latest() == "4open"
    store.refuse(f"{4:032x}", "declined", NOW)
    store.refuse(f"{5:032x}", "declined", NOW)
    assert latest() == "1open"
    store.refuse(PLAN, "declined", NOW)
    assert latest() is None


def test_plans_that_wait_are_open_and_unexpired_and_come_oldest_first(store: SqliteStore) -> None:
    store.open_plan(making.plan(1, created=1003.0))
    store.open_plan(making.plan(2, created=1001.0))
    store.open_plan(making.plan(3, expires=1500.0))
    store.open_plan(making.plan(4))
    store.grant(f"{4:032x}", YES)
    assert [each.plan.id[-1] for each in store.waiting(1500.0)] == ["2", "1"]


def test_a_grant_is_kept_word_for_word_and_its_answers_steps_wait(store: SqliteStore) -> None:
    steps = (making.step(0, "approve"), making.step(1, "approve"), making.step(0, "deny"))
    plan = making.plan(1, *steps, question=Question(("Decide",), ("approve", "deny", "leave"), None))
    store.open_plan(plan)
    yes = Grant("human", "approve", 1001.25, "ab" * 64, "1f2e-3d4c-5b6a-7988")
    assert store.grant(PLAN, yes)
    assert stored(store) == StoredPlan(plan, "granted", yes, {0: "pending", 1: "pending"})


def test_the_first_decision_wins(store: SqliteStore, other: SqliteStore) -> None:
    store.open_plan(making.plan())
    assert other.refuse(PLAN, "declined", NOW)
    assert not store.grant(PLAN, YES)
    assert not store.refuse(PLAN, "again", NOW)
    assert stored(store) == StoredPlan(making.plan(), "refused")


def test_a_granted_plan_is_neither_granted_again_nor_refused(granted: SqliteStore) -> None:
    assert not granted.grant(PLAN, replace(YES, answer="other"))
    assert not granted.refuse(PLAN, "declined", NOW)
    assert stored(granted).grant == YES


def test_a_use_is_never_given_back_and_other_counters_are_others(store: SqliteStore) -> None:
    for number in range(1, 4):
        store.open_plan(making.plan(number))
    ids = [f"{number:032x}" for number in range(1, 4)]
    counted = replace(YES, kind="operator", counted_under="a")
    assert store.grant(ids[0], counted, 1)
    store.spend(ids[0], "stale", NOW)
    assert not store.grant(ids[1], counted, 1)
    assert store.grant(ids[1], replace(counted, counted_under="b"), 1)
    assert store.grant(ids[2], counted, 2)


def test_an_expired_plan_is_not_granted(store: SqliteStore) -> None:
    store.open_plan(making.plan())
    assert not store.grant(PLAN, replace(YES, at=EXPIRES))
    assert stored(store).state == "open"
    assert store.grant(PLAN, replace(YES, at=EXPIRES - 0.001))


def test_what_is_not_there_is_not_decided(store: SqliteStore) -> None:
    assert not store.grant(PLAN, YES)
    assert not store.refuse(PLAN, "declined", NOW)
    store.spend(PLAN, "run", NOW)
    assert told(store) == []


def test_only_a_granted_plan_is_spent(store: SqliteStore) -> None:
    store.open_plan(making.plan())
    store.spend(PLAN, "run", NOW)
    assert stored(store).state == "open"
    store.grant(PLAN, YES)
    store.spend(PLAN, "run", NOW)
    assert stored(store) == StoredPlan(making.plan(), "spent", YES, {0: "pending"})


# Rest


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


def test_an_open_plan_of_before_that_says_nothing_of_what_it_touches_is_read(store: SqliteStore, folder: Path) -> None:
    plan = making.plan()
    store.open_plan(plan)
    making.outside(folder, "UPDATE plans SET plan = json_remove(plan, '$.question.touches')")
    assert stored(store).plan == plan


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
