"""A call that waits for a person: how long, what it tells meanwhile, and what it says when nobody came."""

from typing import Any

import httpx
import pytest

from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Caller
from molecule_mcp.store import approver
from tests.road.rig import PASSPHRASE, Rig, can_ask, refused
from tests.road.test_asking import sign, waiting

TOOL = "delete_workspace"
TWO_STEP = Profile("night", two_step=True)
Notice = tuple[float, float | None, str]


@pytest.fixture
def road(rig: Rig) -> Road:
    """A road with an approver set up."""
    approver.init(rig.folder, PASSPHRASE)
    return rig.road()


@pytest.fixture
def given(rig: Rig) -> dict[str, Any]:
    """The arguments to delete a workspace."""
    return {"workspace_id": rig.named("SEO Analyst")}


def listening() -> tuple[Caller, list[Notice]]:
    """A caller, and what it is told of progress."""
    heard: list[Notice] = []

    async def progress(done: float, total: float | None, line: str) -> None:
        heard.append((done, total, line))

    return Caller(progress=progress), heard


def lines(rig: Rig, code: str) -> list[str]:
    """What the plan of this code shows."""
    stored = rig.road().context.store().plan_by_code(code)
    assert stored is not None
    return list(stored.plan.question.lines)


async def test_who_waits_in_vain_is_told_where_a_person_allows_it(rig: Rig, road: Road, given: dict[str, Any]) -> None:
    error = await refused(road.call(Caller(), TOOL, given))
    code = error.details["code"]
    expected = {
        "code": code,
        "how": f"molecule-mcp allow {code}",
        "expires_in_s": 600,
        "would": lines(rig, code),
    }
    assert (error.kind, error.sent, error.details) == ("allow_required", False, expected)
    paged = await refused(rig.road(page=lambda: "http://127.0.0.1:9").call(Caller(), TOOL, given))
    assert paged.details == {**expected, "page": f"http://127.0.0.1:9/plan/{code}"}


async def test_the_wait_is_as_long_as_it_may_be_and_told_every_five_seconds(
    rig: Rig, road: Road, given: dict[str, Any]
) -> None:
    caller, heard = listening()
    began = rig.clock.now
    error = await refused(rig.road(allow_wait=12.0).call(caller, TOOL, given))
    line = f"waiting for a person: molecule-mcp allow {error.details['code']}"
    assert heard == [(0.0, 12.0, line), (5.0, 12.0, line), (10.0, 12.0, line)]
    assert rig.clock.now - began == pytest.approx(12.0)  # pyright: ignore[reportUnknownMemberType]


async def test_a_call_that_may_not_wait_looks_once_and_tells_so_once(
    rig: Rig, road: Road, given: dict[str, Any]
) -> None:
    caller, heard = listening()
    began = rig.clock.now
    code = (await refused(road.call(caller, TOOL, given))).details["code"]
    assert heard == [(0.0, 0.0, f"waiting for a person: molecule-mcp allow {code}")]
    assert rig.clock.now == began


async def test_a_plan_that_ran_out_while_it_waited_has_no_time_left(
    rig: Rig, road: Road, given: dict[str, Any]
) -> None:
    error = await refused(rig.road(allow_wait=605.0).call(Caller(), TOOL, given))
    assert (error.kind, error.details["expires_in_s"]) == ("allow_required", 0)


async def test_a_waiting_decision_keeps_its_plan_whose_request_names_its_code(rig: Rig, road: Road) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": row[0], "approval_id": row[1]}
    first = await waiting(rig, road, "decide_approval", given)
    assert await waiting(rig, road, "decide_approval", given) == first


async def test_without_an_approver_the_question_is_closed_and_the_way_to_one_told(
    rig: Rig, given: dict[str, Any]
) -> None:
    road = rig.road()
    error = await refused(road.call(Caller(), TOOL, given))
    opened, closed = road.context.store().records()
    stored = road.context.store().plan(opened.body["plan"])
    assert stored is not None
    assert (error.kind, error.sent) == ("no_approver", False)
    assert error.details == {"would": list(stored.plan.question.lines)}
    assert "molecule-mcp approver init" in str(error.advice)
    assert (closed.kind, closed.body) == ("refused", {"plan": stored.plan.id, "reason": "no_approver"})


async def test_what_waits_for_a_repeat_says_for_how_long_and_what_it_would_do(rig: Rig, given: dict[str, Any]) -> None:
    road = rig.road(TWO_STEP)
    error = await refused(road.call(Caller(), TOOL, given))
    code = error.details["code"]
    assert error.details == {"code": code, "expires_in_s": 600, "would": lines(rig, code)}
    rig.clock.now += 0.5
    again = await refused(road.call(Caller(), TOOL, given))
    assert again.details == {**error.details, "expires_in_s": 599}
    rig.clock.now += 0.5
    await road.call(Caller(), TOOL, given)
    assert rig.transport.changes == [f"DELETE /workspaces/{given['workspace_id']}"]


async def test_a_repeat_whose_first_step_runs_out_while_it_is_read_does_nothing(
    rig: Rig, given: dict[str, Any]
) -> None:
    road = rig.road(TWO_STEP)
    first = await refused(road.call(Caller(), TOOL, given))
    rig.clock.now += 30

    async def slow(_request: httpx.Request) -> None:
        rig.clock.now += 300

    rig.transport.before = slow
    error = await refused(road.call(Caller(), TOOL, given))
    assert (error.kind, error.details) == ("repeat_to_confirm", {**first.details, "expires_in_s": 0})
    assert rig.transport.changes == []


async def test_a_signature_is_one_and_nothing_else_is(rig: Rig, road: Road, given: dict[str, Any]) -> None:
    code = await waiting(rig, road, TOOL, given)
    stored = road.context.store().plan_by_code(code)
    assert stored is not None
    asking = (await road.judged(Caller(), TOOL, given)).asking
    assert asking.decision().signed(stored) is False
    sign(rig, road, code)
    signed = road.context.store().plan(stored.plan.id)
    assert signed is not None
    assert asking.decision().signed(signed) is True


async def test_a_typed_secret_is_waited_for_as_long_as_a_yes(rig: Rig) -> None:
    road = rig.road(allow_wait=3.0)
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "TOKEN"}
    code = (await refused(road.call(can_ask(), "set_workspace_secret", given))).details["code"]
    caller, heard = listening()
    began = rig.clock.now
    await road.typed(code, caller)
    assert heard == [(0, None, f"waiting for a person to type a secret: {code}")] * 3
    assert rig.clock.now - began == 3.0
    rig.types(code, "a value of its own")
    heard.clear()
    await road.typed(code, caller)
    assert heard == []
