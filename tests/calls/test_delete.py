"""delete_workspace over stdio in both protocol eras: what reaches the tenant is exactly what a person allowed."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult, InputRequiredResult

from molecule_mcp.store import approver
from tests.calls import harness
from tests.calls.harness import Answerer, Person, TenantProcess, called, client, tenant_process
from tests.calls.terminal import allow

PASSPHRASE = "correct horse battery"
ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
SHAPES = pytest.mark.parametrize("shape", ["leaf", "parent"])
WAIT = ("--allow-wait", "1")


@pytest.fixture(scope="module")
def tenant() -> Generator[TenantProcess]:
    """One tenant for all; each test makes workspaces of its own."""
    with tenant_process() as started:
        yield started


def doomed(tenant: TenantProcess, shape: str) -> list[str]:
    """A leaf, or a parent with two below it: ids in the order they may go, the target last."""
    target = tenant.make("target")
    if shape == "leaf":
        return [target]
    child = tenant.make("child", target)
    return [tenant.make("grandchild", child), child, target]


def deletes(ids: list[str]) -> list[str]:
    """The requests that deleting these takes."""
    return [f"DELETE /workspaces/{each}" for each in ids]


@ERAS
@SHAPES
async def test_an_exact_yes_deletes_exactly_what_was_shown(
    tenant: TenantProcess, tmp_path: Path, mode: str, shape: str
) -> None:
    ids = doomed(tenant, shape)
    person = Person(harness.exactly_yes)
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode=mode, person=person) as connected:
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert worked, answer
    assert tenant.proxy.changes[before:] == deletes(ids)
    assert [item["id"] for item in answer["items"]] == ids
    assert answer["grant"] == "client_attested"
    assert len(person.questions) == 1
    assert all(each in person.questions[0] for each in ids)
    assert not any(tenant.lives(each) for each in ids)


@ERAS
@SHAPES
@pytest.mark.parametrize("rule", [harness.unticked, harness.empty, harness.decline, harness.cancel])
async def test_anything_but_an_exact_yes_sends_nothing(
    tenant: TenantProcess, tmp_path: Path, mode: str, shape: str, rule: Answerer
) -> None:
    ids = doomed(tenant, shape)
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode=mode, person=Person(rule)) as connected:
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert not worked
    assert (answer["error"], answer["sent"]) == ("declined", False)
    assert tenant.proxy.changes[before:] == []
    assert tenant.lives(ids[-1])


@ERAS
@SHAPES
async def test_a_client_that_cannot_be_asked_sends_nothing_without_an_approver(
    tenant: TenantProcess, tmp_path: Path, mode: str, shape: str
) -> None:
    ids = doomed(tenant, shape)
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode=mode, flags=WAIT) as connected:
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert not worked
    assert (answer["error"], answer["sent"]) == ("no_approver", False)
    assert tenant.proxy.changes[before:] == []


@ERAS
@SHAPES
async def test_a_signed_yes_from_outside_lets_the_repeated_call_through_once(
    tenant: TenantProcess, tmp_path: Path, mode: str, shape: str
) -> None:
    ids = doomed(tenant, shape)
    approver.init(tmp_path, PASSPHRASE)
    before = len(tenant.proxy.changes)
    given = {"workspace_id": ids[-1]}
    async with client(tenant, tmp_path, mode=mode, flags=WAIT) as connected:
        worked, first = await called(connected, "delete_workspace", given)
        assert (worked, first["error"], first["sent"]) == (False, "allow_required", False)
        assert first["code"] in first["how"]
        code, shown = outside(tmp_path, first, shape, PASSPHRASE)
        assert code == 0, shown
        assert all(f"DELETE /workspaces/{each}" in shown for each in ids)
        assert tenant.proxy.changes[before:] == []
        worked, second = await called(connected, "delete_workspace", given)
        assert (worked, second.get("grant")) == (True, "human"), second
        assert tenant.proxy.changes[before:] == deletes(ids)
        worked, third = await called(connected, "delete_workspace", given)
        assert (worked, third) == (True, {**second, "deduplicated": True})
    assert tenant.proxy.changes[before:] == deletes(ids)


@ERAS
@SHAPES
async def test_a_wrong_passphrase_grants_nothing(tenant: TenantProcess, tmp_path: Path, mode: str, shape: str) -> None:
    ids = doomed(tenant, shape)
    approver.init(tmp_path, PASSPHRASE)
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode=mode, flags=WAIT) as connected:
        _, first = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
        code, shown = outside(tmp_path, first, shape, "wrong horse battery")
        assert code == 1
        assert "passphrase is wrong" in shown
        worked, second = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert not worked
    assert (second["error"], second["code"]) == ("allow_required", first["code"])
    assert tenant.proxy.changes[before:] == []


@SHAPES
async def test_a_replayed_answer_sends_nothing_more_in_2026(tenant: TenantProcess, tmp_path: Path, shape: str) -> None:
    ids = doomed(tenant, shape)
    before = len(tenant.proxy.changes)
    given: dict[str, Any] = {"workspace_id": ids[-1]}
    async with client(tenant, tmp_path, mode="2026-07-28", person=Person(harness.decline)) as connected:
        asked = await connected.session.call_tool("delete_workspace", given, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        assert asked.input_requests is not None
        params: Any = asked.input_requests["allow"].params
        yes = harness.exactly_yes(params.message, params.requested_schema)
        answers = [await called_with(connected, given, asked.request_state, yes) for _ in range(3)]
    assert [(worked, "deduplicated" in text) for worked, text in answers] == [(True, False), (True, True), (True, True)]
    assert tenant.proxy.changes[before:] == deletes(ids)


async def test_an_answer_of_one_call_grants_no_other_call(tenant: TenantProcess, tmp_path: Path) -> None:
    first, second = tenant.make("first"), tenant.make("second")
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode="2026-07-28", person=Person(harness.decline)) as connected:
        asked = await connected.session.call_tool(
            "delete_workspace", {"workspace_id": first}, allow_input_required=True
        )
        assert isinstance(asked, InputRequiredResult)
        yes = ElicitResult(action="accept", content={"allow": True})
        with pytest.raises(Exception, match="requestState"):
            await called_with(connected, {"workspace_id": second}, asked.request_state, yes)
    assert tenant.proxy.changes[before:] == []


@SHAPES
async def test_a_second_call_before_2026_asks_nobody_and_tells_the_first_outcome(
    tenant: TenantProcess, tmp_path: Path, shape: str
) -> None:
    """Before 2026-07-28 an answer belongs to one request of the server's own, so there is nothing to replay."""
    ids = doomed(tenant, shape)
    answers = [harness.exactly_yes]
    person = Person(lambda message, schema: answers.pop(0)(message, schema))
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, mode="legacy", person=person) as connected:
        worked, first = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
        assert worked
        assert (await called(connected, "delete_workspace", {"workspace_id": ids[-1]}))[1] == {
            **first, "deduplicated": True
        }  # fmt: skip
    assert tenant.proxy.changes[before:] == deletes(ids)


def outside(state: Path, answer: dict[str, Any], shape: str, passphrase: str) -> tuple[int, str]:
    """A person in a terminal answers the waiting call."""
    if shape == "leaf":
        return allow(state, answer["code"], "allow", passphrase, prompt="(allow, or nothing):")
    phrase = answer["would"][-1].rsplit(": ", 1)[1]
    return allow(state, answer["code"], phrase, passphrase, prompt="or nothing:")


async def called_with(connected: Any, given: dict[str, Any], state: Any, response: ElicitResult) -> tuple[bool, str]:
    """Call with an answer and the sealed state of the question."""
    result = await connected.session.call_tool(
        "delete_workspace", given, input_responses={"allow": response}, request_state=state
    )
    return not result.is_error, result.content[0].text
