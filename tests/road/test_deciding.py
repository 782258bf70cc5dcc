"""Questions come one at a time, and what a person refused twice rests."""

from typing import Any

import pytest

from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.traffic import Asked, Caller
from molecule_mcp.store.records import RESTS
from tests.road.rig import Rig, answered, asked, by_another, can_ask, refused

TOOL = "delete_workspace"


def leaf(rig: Rig, name: str = "SEO Analyst") -> dict[str, Any]:
    """The arguments to delete a workspace."""
    return {"workspace_id": rig.named(name)}


async def no(rig: Rig, given: dict[str, Any], action: str = "decline", tool: str = TOOL) -> MoleculeError:
    """Have a person asked, who refuses."""
    question = await asked(rig.road(), tool, given)
    return await refused(rig.road().call(can_ask(), tool, given, FormAnswer(question.plan.id, action, {})))


async def test_a_second_question_waits_for_the_answer_to_the_first(rig: Rig) -> None:
    question = await asked(rig.road(), TOOL, leaf(rig))
    error = await refused(rig.road().call(can_ask(), TOOL, leaf(rig, "Copywriter")))
    assert (error.kind, error.sent) == ("question_open", False)
    assert "Delete 1 workspace" in error.message
    assert error.details == {"seconds": 601, "how": f"molecule-mcp allow {question.plan.code}"}
    await answered(rig.road(), TOOL, leaf(rig), question, allow=True)
    await asked(rig.road(), TOOL, leaf(rig, "Copywriter"))


async def test_the_same_call_another_principal_and_what_nobody_is_asked_about_do_not_wait(rig: Rig) -> None:
    first = await asked(rig.road(), TOOL, leaf(rig))
    assert (await asked(rig.road(), TOOL, leaf(rig))).plan.id == first.plan.id
    await by_another(rig.road(), TOOL, leaf(rig, "Copywriter"))
    await rig.road().call(Caller(), "pause_workspace", leaf(rig, "Ticket Triage"))


async def test_a_question_that_nobody_answers_is_in_the_way_for_ten_minutes_at_most(rig: Rig) -> None:
    await asked(rig.road(), TOOL, leaf(rig))
    rig.clock.now += 600
    await asked(rig.road(), TOOL, leaf(rig, "Copywriter"))


async def test_a_question_about_what_is_no_longer_so_is_closed_by_the_new_one(rig: Rig) -> None:
    old = await asked(rig.road(), TOOL, leaf(rig))
    given = leaf(rig)
    rig.app.database.execute("UPDATE workspaces SET name = 'Renamed' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    assert (await asked(rig.road(), TOOL, given)).plan.id != old.plan.id
    late = FormAnswer(old.plan.id, "accept", {"allow": True})
    assert (await refused(rig.road().call(can_ask(), TOOL, given, late))).kind == "plan_used"


async def test_what_was_refused_twice_rests_whatever_is_wanted_of_it(rig: Rig) -> None:
    for _ in range(2):
        assert (await no(rig, leaf(rig))).kind == "declined"
    rig.clock.now += 10
    for given in (leaf(rig), {**leaf(rig), "purge": True}):
        error = await refused(rig.road().call(can_ask(), TOOL, given))
        assert (error.kind, error.sent, error.details) == ("cooling_off", False, {"seconds": RESTS - 10 + 1})
    plan = {"calls": [{"tool": TOOL, "arguments": leaf(rig, name)} for name in ("Copywriter", "SEO Analyst")]}
    assert (await refused(rig.road().call(can_ask(), "run_plan", plan))).kind == "cooling_off"
    await asked(rig.road(), TOOL, leaf(rig, "Copywriter"))
    rig.clock.now += RESTS
    await asked(rig.road(), TOOL, leaf(rig))


async def test_it_rests_for_who_was_refused_and_not_for_others(rig: Rig) -> None:
    for _ in range(2):
        await no(rig, leaf(rig))
    outcome = await rig.road().call(Caller("another", can_ask=True), TOOL, leaf(rig))
    assert isinstance(outcome, Asked)


async def test_a_refused_plan_counts_for_each_of_its_targets(rig: Rig) -> None:
    plan = {"calls": [{"tool": TOOL, "arguments": leaf(rig, name)} for name in ("Copywriter", "SEO Analyst")]}
    await no(rig, plan, tool="run_plan")
    await no(rig, leaf(rig, "Copywriter"))
    assert (await refused(rig.road().call(can_ask(), TOOL, leaf(rig, "Copywriter")))).kind == "cooling_off"
    await asked(rig.road(), TOOL, leaf(rig))


@pytest.mark.parametrize("action", ["cancel", "accept"])
async def test_a_question_that_was_dismissed_or_answered_by_mistake_does_not_count(rig: Rig, action: str) -> None:
    for _ in range(3):
        assert (await no(rig, leaf(rig), action)).kind == "declined"


async def test_two_refusals_far_apart_do_not_count_together(rig: Rig) -> None:
    await no(rig, leaf(rig))
    rig.clock.now += RESTS + 1
    await no(rig, leaf(rig))
    await asked(rig.road(), TOOL, leaf(rig))


async def test_a_question_that_nobody_can_answer_stands_in_the_way_of_no_other(rig: Rig) -> None:
    nobody = rig.road(approver=lambda: None)
    for name in ("SEO Analyst", "Copywriter"):
        error = await refused(nobody.call(Caller(), "delete_workspace", {"workspace_id": rig.named(name)}))
        assert error.kind == "no_approver"
