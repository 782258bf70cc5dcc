"""Plans: opened once, found while they are good, decided once."""

from dataclasses import replace

import pytest
from tests.store import making
from tests.store.making import EXPIRES, NOW, PLAN, YES, stored, told

from molecule_mcp.errors import StoreError
from molecule_mcp.store.records import Grant, Question, StoredPlan
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
