"""Plans as they are stored and answered; questions come one at a time, and what was refused twice rests."""

from typing import Any

import pytest

from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate import grants
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.plan import bound_text
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked, Caller
from molecule_mcp.store import approver
from molecule_mcp.store.records import RESTS, Grant, Plan, Step
from tests.road.rig import ORIGIN, PASSPHRASE, Rig, answered, asked, by_another, can_ask, refused

TOOL = "delete_workspace"


def leaf(rig: Rig, name: str = "SEO Analyst") -> dict[str, Any]:
    """The arguments to delete a workspace."""
    return {"workspace_id": rig.named(name)}


async def no(rig: Rig, given: dict[str, Any], action: str = "decline", tool: str = TOOL) -> MoleculeError:
    """Have a person asked, who refuses."""
    question = await asked(rig.road(), tool, given)
    return await refused(rig.road().call(can_ask(), tool, given, FormAnswer(question.plan.id, action, {})))


async def test_a_second_question_waits_for_the_answer_to_the_first(rig: Rig) -> None:
    road = rig.road()
    question = await asked(road, TOOL, leaf(rig))
    error = await refused(rig.road().call(can_ask(), TOOL, leaf(rig, "Copywriter")))
    assert (error.kind, error.sent) == ("question_open", False)
    assert "Delete 1 workspace" in error.message
    assert error.details == {"seconds": 601, "how": f"molecule-mcp allow {question.plan.code}"}
    await answered(rig.road(), TOOL, leaf(rig), question, allow=True)
    await asked(rig.road(), TOOL, leaf(rig, "Copywriter"))


async def test_a_question_in_a_form_ends_with_the_last_process_that_shows_it(rig: Rig) -> None:
    gone, road = rig.road(), rig.road()
    question = await asked(gone, TOOL, leaf(rig))
    assert (await asked(road, TOOL, leaf(rig))).plan.id == question.plan.id
    gone.context.store().close()
    assert (await refused(rig.road().call(can_ask(), TOOL, leaf(rig, "Copywriter")))).kind == "question_open"
    road.context.store().close()
    await asked(rig.road(), TOOL, leaf(rig, "Copywriter"))
    late = FormAnswer(question.plan.id, "accept", {"allow": True})
    assert (await refused(rig.road().call(can_ask(), TOOL, leaf(rig), late))).kind == "plan_used"
    assert rig.transport.changes == []


@pytest.mark.parametrize("form", [True, False])
async def test_a_question_that_also_waits_outside_of_its_process_outlives_it(rig: Rig, form: bool) -> None:
    approver.init(rig.folder, PASSPHRASE)
    gone = rig.road()
    if form:
        await asked(gone, TOOL, leaf(rig))
    assert (await refused(gone.call(Caller(), TOOL, leaf(rig)))).kind == "allow_required"
    gone.context.store().close()
    assert (await refused(rig.road().call(can_ask(), TOOL, leaf(rig, "Copywriter")))).kind == "question_open"


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


@pytest.mark.parametrize("tool", ["collapse_team", TOOL, "run_plan"])
async def test_what_was_refused_twice_does_not_go_with_its_team_either(rig: Rig, tool: str) -> None:
    lead = rig.named("Finance Lead")
    row = rig.app.database.execute("SELECT id FROM workspaces WHERE parent_id = ?", (lead,)).fetchone()
    for _ in range(2):
        await no(rig, {"workspace_id": row[0]})
    given: dict[str, Any] = {"workspace_id": lead}
    if tool == "run_plan":
        given = {"calls": [{"tool": "collapse_team", "arguments": given}]}
    assert (await refused(rig.road().call(can_ask(), tool, given))).kind == "cooling_off"
    rig.clock.now += RESTS
    await asked(rig.road(), tool, given)


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


async def test_a_plan_is_stored_with_everything_it_was_shown_with(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    question = await asked(road, TOOL, {"workspace_id": leaf})
    stored = road.context.store().plan(question.plan.id)
    assert stored is not None
    plan, arguments = stored.plan, {"workspace_id": leaf, "purge": False}
    assert (len(plan.id), len(plan.code)) == (32, 9)
    assert plan == Plan(
        id=plan.id,
        code=plan.code,
        tool=TOOL,
        family="workspaces",
        arguments=arguments,
        binding=bound(road, "default", TOOL, arguments),
        risk="destroy",
        principal="local",
        profile="default",
        origin=ORIGIN,
        question=plan.question,
        steps=(
            Step(
                answer="allow",
                index=0,
                arguments=arguments,
                method="DELETE",
                path=f"/workspaces/{leaf}",
                body_digest="",
                facts=plan.steps[0].facts,
                tool=TOOL,
                call=0,
                risk="destroy",
            ),
        ),
        created=rig.clock.now,
        expires=rig.clock.now + 600,
        digest=grants.digest(plan),
        asks=True,
    )
    assert plan.question.lines[1] == f"Tenant: {ORIGIN}"


def bound(road: Road, profile: str, tool: str, arguments: dict[str, Any]) -> str:
    """What finds the plan of a call again."""
    return road.context.keyed_digest(bound_text("local", profile, ORIGIN, tool, arguments))


async def test_a_first_step_and_a_question_about_one_call_are_two_plans(rig: Rig) -> None:
    road = rig.road(Profile("night", two_step=True))
    given = {"workspace_id": rig.named("SEO Analyst")}
    error = await refused(road.call(Caller(), TOOL, given))
    first = road.context.store().plan_by_code(error.details["code"])
    second = (await asked(road, TOOL, given)).plan
    assert first is not None
    arguments = {**given, "purge": False}
    assert (first.plan.asks, first.plan.binding) == (False, bound(road, "night", f"{TOOL} by repeating", arguments))
    assert (second.asks, second.binding) == (True, bound(road, "night", TOOL, arguments))


async def test_a_yes_under_one_profile_or_tenant_is_none_under_another(rig: Rig) -> None:
    given = leaf(rig)
    question = await asked(rig.road(), TOOL, given)
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    for road in (rig.road(Profile("another")), rig.road(origin="https://another.example")):
        error = await refused(road.call(can_ask(), TOOL, given, yes))
        assert (error.kind, error.message) == ("plan_used", "The answer belongs to another call; nothing was sent.")
    assert rig.transport.changes == []


async def test_what_is_no_longer_so_is_recorded_as_stale(rig: Rig) -> None:
    given, road = leaf(rig), rig.road()
    old = await asked(road, TOOL, given)
    rig.app.database.execute("UPDATE workspaces SET name = 'Renamed' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    new = await asked(road, TOOL, given)
    told = [(record.kind, record.body["plan"], record.body.get("reason")) for record in road.context.store().records()]
    assert told == [("open", old.plan.id, None), ("refused", old.plan.id, "stale"), ("open", new.plan.id, None)]
    asking = (await road.judged(can_ask(), TOOL, given)).asking
    assert await asking.decision().unchanged(new.plan) is True
    rig.app.database.execute("UPDATE workspaces SET status = 'removed' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    assert await asking.decision().unchanged(new.plan) is False


@pytest.mark.parametrize(
    ("action", "content", "why"),
    [
        ("decline", {}, "The question was declined, by a person or by the client itself: some clients decline"),
        ("cancel", {}, "The question was dismissed without an answer. "),
        ("accept", {}, "The form came back without the exact confirmation it asks for. "),
    ],
)
async def test_a_no_says_what_it_was(rig: Rig, action: str, content: dict[str, Any], why: str) -> None:
    question = await asked(rig.road(), TOOL, leaf(rig))
    error = await refused(rig.road().call(can_ask(), TOOL, leaf(rig), FormAnswer(question.plan.id, action, content)))
    assert (error.kind, error.sent, error.details) == ("declined", False, {})
    assert error.message.startswith(why)


async def test_leaving_it_undecided_says_so(rig: Rig) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": row[0], "approval_id": row[1]}
    question = await asked(rig.road(), "decide_approval", given)
    left = FormAnswer(question.plan.id, "accept", {"decision": "leave"})
    error = await refused(rig.road().call(can_ask(), "decide_approval", given, left))
    assert error.message.startswith("The person chose to leave it undecided. ")


@pytest.mark.parametrize("how", ["used", "expired", "refused"])
async def test_an_answer_that_comes_too_late_says_so(rig: Rig, how: str) -> None:
    road, given = rig.road(), leaf(rig)
    question = await asked(road, TOOL, given)
    if how == "expired":
        rig.clock.now += 600
    elif how == "refused":
        road.context.store().refuse(question.plan.id, "left", rig.clock.now)
    else:
        road.context.store().grant(question.plan.id, Grant("client_attested", "allow", rig.clock.now))
    error = await refused(road.call(can_ask(), TOOL, given, FormAnswer(question.plan.id, "accept", {"allow": True})))
    late = "The answer belongs to a plan that was used, refused or has expired; nothing was sent."
    assert (error.kind, error.message) == ("plan_used", late)
