"""The store: each step claimed once, whatever happens, and every change in the chain."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store import making
from tests.store.making import DONE, EXPIRES, NOW, PLAN, YES

from molecule_mcp.errors import StoreError
from molecule_mcp.store.chain import Key
from molecule_mcp.store.forms import canonical, flat, plan_fields
from molecule_mcp.store.records import Grant, Outcome, Question, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore

STEPS = 24

SET_BACK = "UPDATE plans SET state = 'granted'; UPDATE steps SET state = 'pending'; DELETE FROM intents; "
REWOUND = "; ".join(
    f"DELETE FROM main.{name}; INSERT INTO main.{name} SELECT * FROM past.{name}"
    for name in ("intents", "steps", "plans", "chain", "head")
)
"""What someone writes who wants a used yes to look unused: its rows, or the whole file as it was."""

CLAIM_ALL = """
import sys
from pathlib import Path
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making
store = SqliteStore(Path(sys.argv[1]), busy=60)
store.plan(making.PLAN)
sys.stdin.readline()
won = [i for i in range(int(sys.argv[2])) if store.claim(making.intent(f"{sys.argv[3]} {i}", i))]
for i in won:
    store.settle(f"{sys.argv[3]} {i}", making.DONE)
store.close()
print(*won)
"""

CLAIM_ONE = """
import sys
from pathlib import Path
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making
store = SqliteStore(Path(sys.argv[1]))
print(store.claim(making.intent()), flush=True)
sys.stdin.read()
"""

GRANT_COUNTED = """
import sys
from dataclasses import replace
from pathlib import Path
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making
store = SqliteStore(Path(sys.argv[1]), busy=60)
yes = replace(making.YES, kind="operator", counted_under="one")
sys.stdin.readline()
print(sum(store.grant(f"{number:032x}", yes, 5) for number in range(int(sys.argv[2]), int(sys.argv[3]) + 1)))
"""

DECIDE = """
import sys
from pathlib import Path
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making
store = SqliteStore(Path(sys.argv[1]), busy=60)
store.plan(making.PLAN)
sys.stdin.readline()
yes = sys.argv[2] == "yes"
print(store.grant(making.PLAN, making.YES) if yes else store.refuse(making.PLAN, "declined", making.NOW))
"""


@pytest.fixture
def other(folder: Path) -> Generator[SqliteStore]:
    """A second store on the same file, as another process would have it."""
    with closing(SqliteStore(folder)) as other:
        yield other


@pytest.fixture
def granted(store: SqliteStore) -> SqliteStore:
    """A store with plan 1 allowed."""
    store.open_plan(making.plan())
    assert store.grant(PLAN, YES)
    return store


def told(store: SqliteStore) -> list[tuple[str, dict[str, Any]]]:
    return [(each.kind, dict(each.body)) for each in store.records()]


def stored(store: SqliteStore) -> StoredPlan:
    found = store.plan(PLAN)
    assert found
    return found


def outside(folder: Path, *statements: str) -> None:
    """Change the file as another program of the same user could."""
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as sql:
        for each in statements:
            sql.executescript(each)


# Plans


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


# Decisions


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


def test_of_many_processes_that_decide_one_does(store: SqliteStore, folder: Path) -> None:
    store.open_plan(making.plan())
    said = making.together([making.process(DECIDE, folder, answer) for answer in ("yes", "no") * 3])
    assert sorted(said) == ["False"] * 5 + ["True"]
    assert [kind for kind, _ in told(store)] == ["open", stored(store).state]


def test_processes_together_grant_no_more_plans_under_one_counter_than_it_has_uses(
    store: SqliteStore, folder: Path
) -> None:
    for number in range(1, 13):
        store.open_plan(making.plan(number))
    said = making.together([making.process(GRANT_COUNTED, folder, first, first + 2) for first in range(1, 13, 3)])
    assert sum(map(int, said)) == 5
    assert sum(kind == "granted" for kind, _ in told(store)) == 5


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


# Claims


def test_a_granted_step_is_claimed_once_and_ends_as_its_intent_does(granted: SqliteStore) -> None:
    assert granted.claim(making.intent())
    assert stored(granted).steps == {0: "claimed"}
    assert not granted.claim(making.intent("again"))
    granted.settle("intent", DONE)
    assert stored(granted).steps == {0: "done"}
    assert not granted.claim(making.intent("after"))
    assert granted.open_intents() == []


@pytest.mark.parametrize("state", ["done", "failed", "unknown"])
def test_no_outcome_gives_a_claim_back(granted: SqliteStore, state: Any) -> None:
    granted.claim(making.intent())
    granted.settle("intent", Outcome(state, None, NOW))
    assert stored(granted).steps == {0: state}
    assert not granted.claim(making.intent("again"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"plan_id": "f" * 32},
        {"plan_id": None},
        {"index": 1},
        {"index": None},
        {"at": EXPIRES},
        {"method": "POST"},
        {"method": "COPY"},
        {"path": "/workspaces/w1"},
        {"path": "/workspaces/w0?confirm=true"},
        {"body_digest": "00"},
        {"principal": "other"},
        {"profile": "other"},
        {"origin": "https://other.example"},
    ],
)
def test_a_claim_that_differs_from_what_was_granted_is_not_had(granted: SqliteStore, wrong: dict[str, Any]) -> None:
    before = told(granted)
    assert not granted.claim(replace(making.intent(), **wrong))
    assert (stored(granted).steps, told(granted), granted.open_intents()) == ({0: "pending"}, before, [])
    assert granted.claim(making.intent())


def test_steps_of_the_answer_that_was_not_given_are_not_had(store: SqliteStore) -> None:
    deny = replace(making.step(0, "deny"), path="/deny")
    store.open_plan(making.plan(1, making.step(0, "approve"), deny, making.step(1, "deny")))
    store.grant(PLAN, replace(YES, answer="approve"))
    assert not store.claim(making.intent(path="/deny"))
    assert not store.claim(making.intent(index=1))
    assert store.claim(making.intent())
    assert stored(store).steps == {0: "claimed"}


def test_nothing_of_an_open_refused_or_spent_plan_is_had(store: SqliteStore) -> None:
    for number in (1, 2, 3):
        store.open_plan(making.plan(number))
    store.refuse(f"{2:032x}", "declined", NOW)
    store.grant(f"{3:032x}", YES)
    store.spend(f"{3:032x}", "run", NOW)
    assert not any(store.claim(making.intent(f"i{n}", 0, f"{n:032x}")) for n in (1, 2, 3))
    assert [kind for kind, _ in told(store)] == ["open"] * 3 + ["refused", "granted", "spent"]


def test_an_intent_takes_the_kind_of_the_grant_it_rests_on(granted: SqliteStore) -> None:
    granted.claim(making.intent(grant="human"))
    assert [each.grant for each in granted.open_intents()] == ["client_attested"]


def test_a_call_that_needs_no_plan_has_its_intent(store: SqliteStore) -> None:
    assert store.claim(making.direct())
    assert store.open_intents() == [making.direct()]
    store.settle("intent", DONE)
    assert store.open_intents() == []


def test_an_intent_is_written_once(store: SqliteStore) -> None:
    store.claim(making.direct())
    with pytest.raises(StoreError):
        store.claim(replace(making.direct(), path="/other"))
    assert store.open_intents() == [making.direct()]


def test_an_outcome_needs_an_open_intent(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="no such intent"):
        store.settle("intent", DONE)
    store.claim(making.direct())
    store.settle("intent", DONE)
    with pytest.raises(StoreError, match="no such intent") as fault:
        store.settle("intent", Outcome("failed", 500, NOW))
    assert fault.value.sent == "unknown"
    assert [kind for kind, _ in told(store)] == ["intent", "outcome"]


def test_eight_processes_claim_each_step_once(store: SqliteStore, folder: Path) -> None:
    store.open_plan(making.plan(1, *map(making.step, range(STEPS))))
    store.grant(PLAN, YES)
    said = making.together([making.process(CLAIM_ALL, folder, STEPS, number) for number in range(8)])
    won = Counter(index for each in said for index in each.split())
    assert won == Counter(map(str, range(STEPS)))
    assert stored(store).steps == dict.fromkeys(range(STEPS), "done")
    assert store.verify() == (2 + 2 * STEPS, None)


def test_eight_threads_claim_each_step_once(store: SqliteStore) -> None:
    store.open_plan(making.plan(1, *map(making.step, range(STEPS))))
    store.grant(PLAN, YES)

    def claim(name: int) -> bool:
        return store.claim(making.intent(str(name), name % STEPS))

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(claim, range(8 * STEPS))) == {True: STEPS, False: 7 * STEPS}
    assert store.verify() == (2 + STEPS, None)


# Crashes


def test_a_killed_process_leaves_its_claim_and_a_whole_chain(store: SqliteStore, folder: Path) -> None:
    store.open_plan(making.plan())
    store.grant(PLAN, YES)
    with making.process(CLAIM_ONE, folder) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        assert store.recover(NOW) == []
        other.kill()
    assert stored(store).steps == {0: "claimed"}
    assert not store.claim(making.intent("again"))
    assert store.verify() == (3, None)


def test_the_intent_of_a_killed_process_becomes_unknown_and_stays_claimed(store: SqliteStore, folder: Path) -> None:
    store.open_plan(making.plan())
    store.grant(PLAN, YES)
    with making.process(CLAIM_ONE, folder) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        other.kill()
    lost = making.intent(grant="client_attested")
    assert store.open_intents() == [lost]
    assert store.recover(1700.0) == [lost]
    assert store.recover(1701.0) == []
    assert stored(store).steps == {0: "unknown"}
    assert not store.claim(making.intent("again"))
    assert told(store)[-1] == (
        "outcome",
        {
            "intent": "intent",
            "state": "unknown",
            "status": None,
            "at": 1700.0,
            "note": "the process ended before the outcome was recorded",
        },
    )
    assert list((folder / "owners").iterdir()) == []


def test_recovery_leaves_the_intents_of_the_living_alone(store: SqliteStore, other: SqliteStore) -> None:
    store.claim(making.direct("mine"))
    other.claim(making.direct("theirs"))
    assert store.recover(NOW) == []
    other.close()
    assert [each.id for each in store.recover(NOW)] == ["theirs"]
    assert [each.id for each in store.open_intents()] == ["mine"]


def test_there_is_nothing_to_recover_in_a_new_store(store: SqliteStore) -> None:
    assert store.recover(NOW) == []


# Faults

Use = Callable[[SqliteStore], object]


CHANGES: list[Use] = [
    lambda store: store.open_plan(making.plan(9)),
    lambda store: store.grant(f"{2:032x}", YES),
    lambda store: store.refuse(f"{2:032x}", "declined", NOW),
    lambda store: store.spend(PLAN, "run", NOW),
    lambda store: store.claim(making.intent("later", 1)),
    lambda store: store.claim(making.direct("later")),
    lambda store: store.settle("intent", DONE),
]


@pytest.mark.parametrize("use", CHANGES)
def test_on_a_full_disk_nothing_is_half_written(
    store: SqliteStore, use: Use, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    store.open_plan(making.plan(1, making.step(0), making.step(1)))
    store.open_plan(making.plan(2))
    store.grant(PLAN, YES)
    store.claim(making.intent())
    before = (told(store), stored(store), store.plan(f"{2:032x}"), store.open_intents(), store.waiting(NOW))
    with full_disk(), pytest.raises(StoreError) as fault:
        use(store)
    assert fault.value.sent == ("unknown" if use is CHANGES[-1] else False)
    assert (told(store), stored(store), store.plan(f"{2:032x}"), store.open_intents(), store.waiting(NOW)) == before
    assert store.verify() == (len(before[0]), None)
    use(store)
    assert len(told(store)) == len(before[0]) + 1


def test_a_closed_store_does_nothing(granted: SqliteStore) -> None:
    granted.close()
    for use in (granted.verify, granted.open_intents, lambda: granted.claim(making.intent())):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_redaction_sees_every_record_before_it_is_sealed(folder: Path) -> None:
    with closing(SqliteStore(folder, redact=lambda text: text.replace("hunter2", "***"))) as store:
        assert store.claim(replace(making.direct(), client='a "hunter2"'))
        assert told(store)[0][1]["client"] == 'a "***"'
        assert [each.client for each in store.open_intents()] == ['a "***"']
        assert store.verify() == (1, None)


@pytest.mark.parametrize("left", ["", "[]", "{"])
def test_a_record_that_redaction_breaks_stops_the_claim(folder: Path, left: str) -> None:
    with closing(SqliteStore(folder, redact=lambda text: left)) as store:
        with pytest.raises(StoreError):
            store.claim(making.direct())
        assert store.open_intents() == []


def test_every_change_is_one_record_and_names_what_it_changed(granted: SqliteStore) -> None:
    granted.claim(making.intent())
    granted.settle("intent", Outcome("failed", 409, 1002.0, "refused"))
    granted.spend(PLAN, "run", 1003.0)
    granted.open_plan(making.plan(2))
    granted.refuse(f"{2:032x}", "declined", 1004.0)
    records = told(granted)
    assert [kind for kind, _ in records] == ["open", "granted", "intent", "outcome", "spent", "open", "refused"]
    assert records[0][1]["digest"] == records[1][1]["digest"] == making.plan().digest
    assert records[1][1]["kind"] == "client_attested"
    assert {"id": "intent", "plan_id": PLAN, "index": 0, "answer": "allow"}.items() <= records[2][1].items()
    assert records[3][1] == {"intent": "intent", "state": "failed", "status": 409, "at": 1002.0, "note": "refused"}
    assert records[4][1] == {"plan": PLAN, "reason": "run"}
    assert [each.at for each in granted.records()] == [1000.0, 1001.0, 1001.0, 1002.0, 1003.0, 1000.0, 1004.0]


# Rows that others wrote


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE plans SET state = 'granted'",
        "UPDATE plans SET state = 'granted', given = '{given}', seal = ''",
        "UPDATE plans SET state = 'granted', given = '{given}', seal = (SELECT mac FROM head)",
    ],
)
def test_a_row_that_merely_says_granted_grants_nothing(store: SqliteStore, folder: Path, forged: str) -> None:
    store.open_plan(making.plan())
    given = json.dumps({"kind": "human", "answer": "allow", "at": NOW, "signature": "", "signed_by": ""})
    outside(folder, forged.replace("{given}", given))
    for use in (lambda: store.claim(making.intent()), lambda: store.plan(PLAN), lambda: store.latest("binding", NOW)):
        with pytest.raises(StoreError, match="changed from outside"):
            use()
    assert store.open_intents() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE plans SET given = replace(given, 'allow', 'other')",
        "UPDATE plans SET given = replace(given, 'client_attested', 'human')",
        "UPDATE plans SET digest = 'other', plan = replace(plan, digest, 'other')",
    ],
)
def test_neither_a_grant_nor_the_plan_under_it_can_be_exchanged(
    granted: SqliteStore, folder: Path, change: str
) -> None:
    outside(folder, change)
    for use in (lambda: granted.claim(making.intent()), lambda: granted.plan(PLAN)):
        with pytest.raises(StoreError, match="changed from outside"):
            use()


def test_a_seal_of_one_plan_is_none_of_another(granted: SqliteStore, folder: Path) -> None:
    granted.open_plan(replace(making.plan(2), digest=making.plan(1).digest))
    outside(
        folder,
        "UPDATE plans SET state = 'granted', given = (SELECT given FROM plans WHERE seal IS NOT NULL),"
        " seal = (SELECT seal FROM plans WHERE seal IS NOT NULL) WHERE state = 'open'",
    )
    with pytest.raises(StoreError, match="changed from outside"):
        granted.claim(making.intent(plan_id=f"{2:032x}"))
    assert granted.claim(making.intent())


@pytest.mark.parametrize("by", ["the same process", "another process"])
def test_a_used_yes_that_is_set_back_is_not_had_again(
    granted: SqliteStore, other: SqliteStore, folder: Path, by: str
) -> None:
    assert granted.claim(making.intent())
    granted.settle("intent", DONE)
    granted.spend(PLAN, "run", NOW)
    outside(folder, SET_BACK)
    store = granted if by == "the same process" else other
    assert stored(store).steps == {0: "pending"}
    assert not store.claim(making.intent("again"))
    assert not store.claim(making.intent("again", 1))


def test_a_used_yes_is_not_had_again_by_who_used_it_whatever_the_chain_says(
    granted: SqliteStore, folder: Path, other: SqliteStore
) -> None:
    before = folder.with_name("before")
    outside(folder, f"VACUUM INTO '{before}'")
    assert granted.claim(making.intent())
    outside(folder, f"ATTACH '{before}' AS past; {REWOUND}")
    assert not granted.claim(making.intent("again"))
    assert other.verify() == (2, None)


def test_a_yes_whose_use_was_cut_out_of_the_chain_is_refused(
    granted: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    assert granted.claim(making.intent())
    granted.settle("intent", DONE)
    outside(folder, SET_BACK + "DELETE FROM chain WHERE kind = 'intent'")
    with pytest.raises(StoreError, match="record 3 of the audit chain was changed from outside"):
        other.claim(making.intent("again"))


def test_a_yes_is_good_for_as_long_as_its_plan_says_and_not_its_row(granted: SqliteStore, folder: Path) -> None:
    outside(folder, f"UPDATE plans SET expires = {EXPIRES + 1000}")
    assert not granted.claim(making.intent(at=EXPIRES))
    assert granted.claim(making.intent(at=EXPIRES - 0.001))


def test_an_open_plan_that_was_changed_is_nowhere_found(store: SqliteStore, folder: Path) -> None:
    shown = making.plan()
    store.open_plan(shown)
    changed = making.plan(question=replace(shown.question, lines=("Nothing to see here",)))
    text = canonical(plan_fields(changed))
    outside(folder, f"UPDATE plans SET digest = '{changed.digest}', plan = '{text}'")
    for use in (
        lambda: store.plan(PLAN),
        lambda: store.plan_by_code(shown.code),
        lambda: store.latest("binding", NOW),
        lambda: store.waiting(NOW),
    ):
        with pytest.raises(StoreError, match="changed from outside"):
            use()


def test_a_use_whose_row_is_gone_still_counts(store: SqliteStore, folder: Path) -> None:
    counted = replace(YES, kind="operator", counted_under="a")
    for number in (1, 2):
        store.open_plan(making.plan(number))
    assert store.grant(PLAN, counted, 1)
    outside(folder, f"DELETE FROM steps WHERE plan = '{PLAN}'; DELETE FROM plans WHERE id = '{PLAN}'")
    assert not store.grant(f"{2:032x}", counted, 1)
    outside(folder, "DELETE FROM chain WHERE kind = 'granted'")
    with pytest.raises(StoreError, match="the audit chain was changed from outside"):
        store.grant(f"{2:032x}", counted, 1)


def test_a_plan_that_is_no_plan_is_a_store_error(store: SqliteStore, folder: Path) -> None:
    store.open_plan(making.plan())
    outside(folder, "UPDATE plans SET plan = '{}'")
    with pytest.raises(StoreError, match="KeyError"):
        store.plan(PLAN)


# Digests


def test_a_keyed_digest_is_the_same_for_all_processes_of_one_folder_only(
    store: SqliteStore, other: SqliteStore, tmp_path: Path
) -> None:
    digest = store.keyed_digest("body")
    assert len(digest) == 64
    assert digest == store.keyed_digest(b"body") == other.keyed_digest("body")
    assert digest != store.keyed_digest("body ")
    with closing(SqliteStore(tmp_path / "elsewhere")) as elsewhere:
        assert digest != elsewhere.keyed_digest("body")


def test_a_yes_that_the_chain_tells_nothing_of_grants_nothing_though_its_row_is_sealed(
    store: SqliteStore, folder: Path
) -> None:
    plan = making.plan()
    store.open_plan(plan)
    given = canonical(flat(YES))
    seal = Key.load(folder / "chain.key").mac("grant", plan.id.encode(), plan.digest.encode(), given.encode())
    outside(folder, f"UPDATE plans SET state = 'granted', given = '{given}', seal = '{seal}'")
    with pytest.raises(StoreError, match="not in the audit chain"):
        store.claim(making.intent())
    assert store.open_intents() == []
