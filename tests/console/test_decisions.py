"""One decision for the page and the terminal: the same plan, the same signature, the same refusals."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from molecule_mcp.console import decisions
from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.gate import grants
from molecule_mcp.store import approver
from molecule_mcp.store.records import Grant, StoredPlan
from tests.console import people
from tests.console.people import CHOICE, DELETE, PASSPHRASE
from tests.store import making

CODE = "7F3K-92QD"


def test_an_allowed_plan_carries_a_signature_of_the_approver(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    decisions.allow(at.store, tmp_path, decisions.open_plan(at.store, CODE), "allow", PASSPHRASE)
    stored, state = decisions.looked_up(at.store, CODE)
    known = approver.public(tmp_path)
    assert known
    assert stored.grant
    assert (state, grants.verify(known.key, stored.plan, stored.grant)) == ("granted", True)
    with pytest.raises(GateStop, match="That plan is granted"):
        decisions.open_plan(at.store, CODE)


def test_a_plan_that_was_decided_meanwhile_is_not_allowed(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    stored = decisions.open_plan(at.store, CODE)
    assert decisions.refuse(at.store, stored)
    assert not decisions.refuse(at.store, stored)
    with pytest.raises(GateStop, match="nothing was allowed"):
        decisions.allow(at.store, tmp_path, stored, "allow", PASSPHRASE)


def test_nothing_is_found_under_a_code_that_nobody_gave(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="No call waits"):
        decisions.open_plan(people.desk(tmp_path).store, CODE)


def test_a_plan_that_is_not_the_one_that_was_made_is_neither_listed_nor_found(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    made = people.open_plan(at, DELETE)
    assert [each.plan for each in decisions.waiting(at.store)] == [made]
    at.store.open_plan(replace(made, id="2" * 32, created=made.created + 1, tool="other"))
    assert [each.plan for each in decisions.waiting(at.store)] == [made]
    with pytest.raises(GateStop) as stop:
        decisions.found(at.store, CODE)
    assert stop.value.kind == "damaged_plan"


@pytest.mark.parametrize(
    ("state", "age", "told"),
    [("open", 0, "open"), ("open", 601, "expired"), ("granted", 601, "expired"), ("refused", 601, "refused"),
     ("spent", 601, "spent"), ("granted", 1, "granted")],
)  # fmt: skip
def test_what_became_of_a_plan(state: str, age: float, told: str) -> None:
    now = time.time()
    plan = making.plan(created=now - age, expires=now - age + 600)
    assert decisions.state_of(StoredPlan(plan, state, Grant("none", "allow", now)), now) == told  # pyright: ignore[reportArgumentType]


def test_every_request_stands_with_its_answer(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, CHOICE)
    stored = decisions.open_plan(at.store, CODE)
    assert decisions.requests(stored) == ["approve: DELETE /workspaces/w0", "deny: DELETE /workspaces/w1"]
