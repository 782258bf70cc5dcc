"""Rows that others wrote grant nothing, and a used yes that was set back stays used."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store import making
from tests.store.making import DONE, EXPIRES, NOW, PLAN, YES, outside, stored

from molecule_mcp.errors import StoreError
from molecule_mcp.store import files
from molecule_mcp.store.chain import Key
from molecule_mcp.store.forms import canonical, flat, plan_fields
from molecule_mcp.store.sqlite import SqliteStore

SET_BACK = "UPDATE plans SET state = 'granted'; UPDATE steps SET state = 'pending'; DELETE FROM intents; "
REWOUND = "; ".join(
    f"DELETE FROM main.{name}; INSERT INTO main.{name} SELECT * FROM past.{name}"
    for name in ("intents", "steps", "plans", "chain", "head")
)
"""What someone writes who wants a used yes to look unused: its rows, or the whole file as it was."""


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
    assert making.open_intents(folder) == []


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


def test_a_yes_that_is_set_back_while_what_it_allowed_goes_on_is_not_had_again(
    granted: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    assert granted.claim(making.intent())
    outside(folder, SET_BACK)
    assert not other.claim(making.intent("again"))


def test_a_yes_that_was_ended_unused_and_is_set_back_is_not_had(
    granted: SqliteStore, other: SqliteStore, folder: Path
) -> None:
    granted.spend(PLAN, "stale", NOW)
    outside(folder, SET_BACK)
    assert not other.claim(making.intent())


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


def test_a_keyed_digest_is_the_same_for_all_processes_of_one_folder_only(
    store: SqliteStore, other: SqliteStore, tmp_path: Path
) -> None:
    digest = store.keyed_digest("body")
    assert len(digest) == 64
    assert digest == store.keyed_digest(b"body") == other.keyed_digest("body")
    assert digest != store.keyed_digest("body ")
    with closing(SqliteStore(tmp_path / "elsewhere")) as elsewhere:
        assert digest != elsewhere.keyed_digest("body")


def test_seals_and_digests_are_what_they_were_in_every_earlier_version(folder: Path) -> None:
    files.create(files.own_folder(folder) / "chain.key", bytes(range(32)))
    with closing(SqliteStore(folder)) as store:
        assert store.keyed_digest("body") == "8387983c28fdaeebc414af3ca31f687fb0fff2c2e34045be94f203404ae6aded"
        store.open_plan(replace(making.plan(), digest="0" * 64))
        with closing(sqlite3.connect(folder / "state.db")) as sql:
            assert sql.execute("SELECT seal FROM plans").fetchone() == (
                "135ad2aea1db5d57b3c0c10540ef46f96710ff65527e374b5a5a9a9373a88cba",
            )
            store.grant(PLAN, YES)
            given, seal = sql.execute("SELECT given, seal FROM plans").fetchone()
        assert given == canonical(flat(YES))
        assert seal == Key.load(folder / "chain.key").mac("grant", PLAN.encode(), b"0" * 64, given.encode())


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
    assert making.open_intents(folder) == []
