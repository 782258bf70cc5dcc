"""The store: each step claimed once, whatever happens, and every change in the chain."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.store import making
from tests.store.making import DONE, EXPIRES, NOW, PLAN, YES, stored, told

from molecule_mcp.errors import StoreError
from molecule_mcp.redaction import Redactor
from molecule_mcp.store.forms import flat
from molecule_mcp.store.records import Outcome, Question, Settlement
from molecule_mcp.store.sqlite import SqliteStore

STEPS = 24
VALUE = 'a "hunter2\\x'

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


# Claims


def test_a_granted_step_is_claimed_once_and_ends_as_its_intent_does(granted: SqliteStore, folder: Path) -> None:
    assert granted.claim(making.intent())
    assert stored(granted).steps == {0: "claimed"}
    assert not granted.claim(making.intent("again"))
    granted.settle("intent", DONE)
    assert stored(granted).steps == {0: "done"}
    assert not granted.claim(making.intent("after"))
    assert making.open_intents(folder) == []


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
def test_a_claim_that_differs_from_what_was_granted_is_not_had(
    granted: SqliteStore, wrong: dict[str, Any], folder: Path
) -> None:
    before = told(granted)
    assert not granted.claim(replace(making.intent(), **wrong))
    assert (stored(granted).steps, told(granted), making.open_intents(folder)) == ({0: "pending"}, before, [])
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


def test_an_intent_takes_the_kind_of_the_grant_it_rests_on(granted: SqliteStore, folder: Path) -> None:
    granted.claim(making.intent(grant="human"))
    assert [each.grant for each in making.open_intents(folder)] == ["client_attested"]


def test_a_call_that_needs_no_plan_has_its_intent(store: SqliteStore, folder: Path) -> None:
    assert store.claim(making.direct())
    assert making.open_intents(folder) == [making.direct()]
    store.settle("intent", DONE)
    assert making.open_intents(folder) == []


def test_an_intent_is_written_once(store: SqliteStore, folder: Path) -> None:
    store.claim(making.direct())
    with pytest.raises(StoreError):
        store.claim(replace(making.direct(), path="/other"))
    assert making.open_intents(folder) == [making.direct()]


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
        store.recover(NOW)
        assert len(making.open_intents(folder)) == 1
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
    assert making.open_intents(folder) == [lost]
    store.recover(1700.0)
    store.recover(1701.0)
    assert making.open_intents(folder) == []
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


def test_recovery_leaves_the_intents_of_the_living_alone(store: SqliteStore, other: SqliteStore, folder: Path) -> None:
    store.claim(making.direct("mine"))
    other.claim(making.direct("theirs"))
    store.recover(NOW)
    assert [each.id for each in making.open_intents(folder)] == ["mine", "theirs"]
    other.close()
    store.recover(NOW)
    assert [each.id for each in making.open_intents(folder)] == ["mine"]


def test_recovery_goes_on_where_another_took_the_file_of_the_dead_away_first(
    store: SqliteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.claim(making.direct())
    gone = folder / "owners" / "gone"
    gone.touch()
    unlink = os.unlink

    def twice(path: Path) -> None:
        unlink(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", twice)
    store.recover(NOW)
    assert not gone.exists()


def test_there_is_nothing_to_recover_in_a_new_store(store: SqliteStore) -> None:
    store.recover(NOW)
    assert told(store) == []


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
    store: SqliteStore, use: Use, full_disk: Callable[[], AbstractContextManager[None]], folder: Path
) -> None:
    store.open_plan(making.plan(1, making.step(0), making.step(1)))
    store.open_plan(making.plan(2))
    store.grant(PLAN, YES)
    store.claim(making.intent())
    before = (told(store), stored(store), store.plan(f"{2:032x}"), making.open_intents(folder), store.waiting(NOW))
    with full_disk(), pytest.raises(StoreError) as fault:
        use(store)
    assert fault.value.sent == ("unknown" if use is CHANGES[-1] else False)
    assert (
        told(store),
        stored(store),
        store.plan(f"{2:032x}"),
        making.open_intents(folder),
        store.waiting(NOW),
    ) == before
    assert store.verify() == (len(before[0]), None)
    use(store)
    assert len(told(store)) == len(before[0]) + 1


def test_a_closed_store_does_nothing(granted: SqliteStore) -> None:
    granted.close()
    for use in (granted.verify, lambda: granted.recover(NOW), lambda: granted.claim(making.intent())):
        with pytest.raises(StoreError, match="closed"):
            use()


WORDS = sorted(
    {
        "plan", "targets", "steps", "reason", "read", "verdict", "note", "intent", "outcome", "settled", "granted",
        "true", "null", "state", "unknown", "answer", "allow", "declined", "run", "https://tenant.example",
    }
    | {*flat(making.intent()), *flat(DONE), *flat(YES), *flat(making.plan())}
    | {word for word in flat(making.intent(grant="client_attested")).values() if isinstance(word, str) and word}
)  # fmt: skip
"""Names of fields, and what stands in them: all of it may be a secret as well."""


@pytest.mark.parametrize("word", WORDS)
def test_whatever_a_secret_is_like_every_process_finds_what_was_written(folder: Path, word: str) -> None:
    def hidden(text: str) -> str:
        return text.replace(word, "***")

    with closing(SqliteStore(folder, redact=hidden)) as dying:
        for number in (1, 2, 3):
            dying.open_plan(making.plan(number, question=Question((), ("allow",), None, ("w0",))))
        assert dying.refuse(f"{2:032x}", "declined", NOW)
        assert dying.grant(PLAN, replace(YES, counted_under="one"), 1)
        assert not dying.grant(f"{3:032x}", replace(YES, counted_under="one"), 1)
        assert dying.claim(making.intent())
    with closing(SqliteStore(folder, redact=hidden)) as store:
        assert not store.claim(making.intent("again"))
        store.recover(NOW)
        [intent] = store.take("default", "https://tenant.example", NOW, 9)
        same = {"id", "tool", "principal", "profile", "origin", "method", "plan_id", "index", "at", "arguments_digest"}
        assert {name: getattr(intent, name) for name in same} == {name: getattr(making.intent(), name) for name in same}
        assert store.settled(intent, Settlement("did_not_happen", ("GET /workspaces/w0 200",), NOW))
        state = "spent" if intent.exact else "granted"
        assert (stored(store).state, stored(store).steps) == (state, {0: "unknown"})
        assert intent.exact == (word not in making.intent().path)
        assert store.verify() == (8 + intent.exact, None)
        bodies = [(kind, set(body)) for kind, body in told(store)]
        settled = {"intent", "tool", "method", "path", "verdict", "read", "at"}
        assert bodies[6:8] == [("outcome", {"intent", *flat(DONE)}), ("settled", settled)]
        assert bodies[5] == ("intent", {*flat(making.intent()), "answer"})


def test_no_value_comes_into_the_folder_and_what_is_looked_up_again_stays(folder: Path) -> None:
    redactor = Redactor()
    redactor.learn(VALUE, "KEY")
    with closing(SqliteStore(folder, redact=redactor.text)) as store:
        assert store.claim(replace(making.direct(), client=f"a {VALUE}", path=f"/x?q={quote(VALUE)}"))
        store.settle("intent", Outcome("failed", 400, NOW, VALUE))
        assert told(store)[0][1]["client"] == "a [redacted:KEY]"
        assert told(store)[0][1]["path"] == "/x?q=[redacted:KEY]"
        assert told(store)[0][1]["exact"] is False
        assert told(store)[1][1]["note"] == "[redacted:KEY]"
        assert store.verify() == (2, None)
    kept = b"".join(each.read_bytes() for each in folder.glob("state.db*"))
    assert b"hunter2" not in kept
    assert kept.count(b"[redacted:KEY]") >= 4


def test_every_change_is_one_record_and_names_what_it_changed(granted: SqliteStore) -> None:
    granted.claim(making.intent())
    granted.settle("intent", Outcome("failed", 409, 1002.0, "refused"))
    granted.spend(PLAN, "run", 1003.0)
    granted.open_plan(making.plan(2))
    granted.refuse(f"{2:032x}", "declined", 1004.0)
    records = told(granted)
    assert [kind for kind, _ in records] == ["open", "granted", "intent", "outcome", "spent", "open", "refused"]
    assert records[0][1] == {
        "plan": PLAN,
        "steps": 1,
        "targets": [],
        "code": "7F3K-92QD",
        "tool": "delete_workspace",
        "family": "workspaces",
        "risk": "destroy",
        "principal": "local",
        "profile": "default",
        "origin": "https://tenant.example",
        "digest": making.plan().digest,
        "expires": EXPIRES,
    }
    assert records[1][1]["digest"] == making.plan().digest
    assert records[1][1]["kind"] == "client_attested"
    assert {"id": "intent", "plan_id": PLAN, "index": 0, "answer": "allow"}.items() <= records[2][1].items()
    assert records[3][1] == {"intent": "intent", "state": "failed", "status": 409, "at": 1002.0, "note": "refused"}
    assert records[4][1] == {"plan": PLAN, "reason": "run"}
    assert [each.at for each in granted.records()] == [1000.0, 1001.0, 1001.0, 1002.0, 1003.0, 1000.0, 1004.0]
