"""Calls that a profile allows without a person at the time, written down beforehand or repeated, and named so."""

from dataclasses import replace
from typing import Any

import pytest

from molecule_mcp import arguments as strict
from molecule_mcp import tools
from molecule_mcp.capability import Risk
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.deciding import SOONEST
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.forms import canonical
from tests.road.rig import PASSPHRASE, Rig, asked, can_ask, refused
from tests.road.test_asking import sign

TWO_STEP = Profile("night", two_step=True)


def allowed(rig: Rig, tool: str, given: dict[str, Any], uses: int = 1) -> Profile:
    """A profile with one call allowed beforehand, for a day."""
    arguments = canonical(strict.read(tools.catalogue()[tool].function, given))
    return Profile("night", ahead=(Ahead(tool, arguments, uses, rig.clock.now + 86400),))


async def done(road: Road, tool: str, given: dict[str, Any], caller: Caller | None = None) -> Done:
    """Call, and expect that it goes."""
    outcome = await road.call(caller or Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome


def kinds(road: Road) -> list[str]:
    """The kinds of every grant in the audit."""
    return [str(record.body["kind"]) for record in road.context.store().records() if record.kind == "granted"]


@pytest.mark.parametrize("caller", [Caller(), can_ask()])
async def test_what_was_allowed_beforehand_goes_without_a_question_and_says_so(rig: Rig, caller: Caller) -> None:
    leaf = rig.named("SEO Analyst")
    road = rig.road(allowed(rig, "delete_workspace", {"workspace_id": leaf}))
    outcome = await done(road, "delete_workspace", {"workspace_id": leaf}, caller)
    assert outcome.structured["grant"] == "operator"
    assert rig.transport.changes == [f"DELETE /workspaces/{leaf}"]
    assert kinds(road) == ["operator"]


async def test_any_other_call_is_asked_about(rig: Rig) -> None:
    leaf, other = rig.named("SEO Analyst"), rig.named("Copywriter")
    road = rig.road(allowed(rig, "delete_workspace", {"workspace_id": leaf}, 9))
    for given in ({"workspace_id": other}, {"workspace_id": leaf, "purge": True}):
        await asked(road, "delete_workspace", given)
        rig.clock.now += 601  # the question before has expired: one at a time
    assert rig.transport.changes == []


async def test_uses_are_counted_over_every_process_and_then_a_person_is_asked(rig: Rig) -> None:
    own = rig.named("SEO Analyst")
    profile = replace(allowed(rig, "restart_workspace", {"workspace_id": own}, 2), ask_from=Risk.DISRUPT)
    for number in range(2):
        given = {"workspace_id": own, "client_token": f"night-{number}"}
        outcome = await done(rig.road(profile), "restart_workspace", given)
        assert outcome.structured["grant"] == "operator"
    last = {"workspace_id": own, "client_token": "night-2"}
    assert isinstance(await rig.road(profile).call(can_ask(), "restart_workspace", last), Asked)
    assert len(rig.transport.changes) == 2


async def test_after_its_date_it_allows_nothing(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    road = rig.road(allowed(rig, "delete_workspace", {"workspace_id": leaf}))
    rig.clock.now += 86400
    await asked(road, "delete_workspace", {"workspace_id": leaf})


async def test_a_critical_call_is_covered_by_its_exact_arguments_but_not_under_strict(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    given = {"workspace_id": leaf, "purge": True}
    profile = allowed(rig, "delete_workspace", given)
    error = await refused(rig.road(replace(profile, strict=True)).call(can_ask(), "delete_workspace", given))
    assert error.kind == "no_approver"
    assert (await done(rig.road(profile), "delete_workspace", given)).structured["grant"] == "operator"


async def test_what_a_person_decides_by_choosing_is_never_decided_beforehand(rig: Rig) -> None:
    row = rig.app.database.execute("SELECT id, workspace_id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": str(row[1]), "approval_id": str(row[0])}
    for profile in (allowed(rig, "decide_approval", given), TWO_STEP):
        error = await refused(rig.road(profile).call(Caller(), "decide_approval", given))
        assert error.kind == "no_approver"
    assert rig.transport.changes == []


async def test_the_first_call_is_shown_what_would_happen_and_the_second_does_it(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    given = {"workspace_id": leaf}
    error = await refused(rig.road(TWO_STEP).call(Caller(), "delete_workspace", given))
    assert (error.kind, error.sent, rig.transport.changes) == ("repeat_to_confirm", False, [])
    assert "asks no person" in error.message
    assert leaf in str(error.details["would"]) and len(str(error.details["code"])) == 9
    rig.clock.now += 30
    outcome = await done(rig.road(TWO_STEP), "delete_workspace", given)
    assert outcome.structured["grant"] == "none"
    assert rig.transport.changes == [f"DELETE /workspaces/{leaf}"]


@pytest.mark.parametrize("seconds", [0.0, SOONEST / 2, 600.0])
async def test_a_repeat_too_soon_or_too_late_is_a_first_call(rig: Rig, seconds: float) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    road = rig.road(TWO_STEP)
    for _ in range(2):
        assert (await refused(road.call(Caller(), "delete_workspace", given))).kind == "repeat_to_confirm"
        rig.clock.now += seconds
    assert rig.transport.changes == []


async def test_another_call_or_a_changed_workspace_is_a_first_call(rig: Rig) -> None:
    leaf, road = rig.named("SEO Analyst"), rig.road(TWO_STEP)
    await refused(road.call(Caller(), "delete_workspace", {"workspace_id": leaf}))
    rig.clock.now += 30
    other = {"workspace_id": rig.named("Copywriter")}
    assert (await refused(road.call(Caller(), "delete_workspace", other))).kind == "repeat_to_confirm"
    rig.app.database.execute("UPDATE workspaces SET name = 'Renamed' WHERE id = ?", (leaf,))
    rig.app.database.commit()
    error = await refused(road.call(Caller(), "delete_workspace", {"workspace_id": leaf}))
    assert (error.kind, rig.transport.changes) == ("repeat_to_confirm", [])


async def test_repeating_never_allows_a_critical_call(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "purge": True}
    for _ in range(3):
        assert (await refused(rig.road(TWO_STEP).call(Caller(), "delete_workspace", given))).kind == "no_approver"
        rig.clock.now += 30
    assert rig.transport.changes == []


async def test_repeating_allows_nothing_without_the_opt_in(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    for _ in range(3):
        assert (await refused(rig.road().call(Caller(), "delete_workspace", given))).kind == "no_approver"
        rig.clock.now += 30


async def test_a_person_who_can_be_asked_is_asked_and_what_they_are_shown_is_not_a_first_step(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    road = rig.road(TWO_STEP)
    question = await asked(road, "delete_workspace", given)
    rig.clock.now += 30
    error = await refused(road.call(Caller(), "delete_workspace", given))
    assert error.kind == "repeat_to_confirm" and error.details["code"] != question.plan.code
    answer = FormAnswer(question.plan.id, "decline", {})
    assert (await refused(road.call(can_ask(), "delete_workspace", given, answer))).kind == "declined"
    assert rig.transport.changes == []


async def test_a_dry_run_says_who_is_really_asked(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    dry, purged = {**given, "dry_run": True}, {**given, "purge": True, "dry_run": True}
    ahead = rig.road(allowed(rig, "delete_workspace", given))
    assert "preauth" in (await done(ahead, "delete_workspace", dry)).structured["asks"]
    assert (await done(ahead, "delete_workspace", purged)).structured["asks"].startswith("a phrase typed")
    repeats = await done(rig.road(TWO_STEP), "delete_workspace", dry)
    assert repeats.structured["asks"] == "nobody: the same call again"
    asks = await done(rig.road(TWO_STEP), "delete_workspace", dry, can_ask())
    assert asks.structured["asks"] == "a yes to this preview"
    strict_one = await done(rig.road(Profile(strict=True)), "delete_workspace", purged)
    assert "outside of the client" in strict_one.structured["asks"]


async def test_the_approver_can_allow_what_waits_for_a_repeat(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    given = {"workspace_id": rig.named("SEO Analyst")}
    road = rig.road(TWO_STEP)
    error = await refused(road.call(Caller(), "delete_workspace", given))
    sign(rig, road, str(error.details["code"]))
    assert (await done(road, "delete_workspace", given)).structured["grant"] == "human"


async def test_uses_are_counted_for_one_call_of_one_profile_on_one_tenant(rig: Rig) -> None:
    own = rig.named("SEO Analyst")
    night = replace(allowed(rig, "restart_workspace", {"workspace_id": own}), ask_from=Risk.DISRUPT)
    other = allowed(rig, "restart_workspace", {"workspace_id": rig.named("Copywriter")})
    both = replace(night, ahead=night.ahead + other.ahead)
    roads = [rig.road(both), rig.road(replace(both, name="day")), rig.road(both, origin="https://another.example")]
    for number, road in enumerate(roads):
        given = {"workspace_id": own, "client_token": f"first-{number}"}
        assert (await done(road, "restart_workspace", given)).structured["grant"] == "operator"
        again = await road.call(can_ask(), "restart_workspace", {"workspace_id": own, "client_token": "again"})
        assert isinstance(again, Asked)
        rig.clock.now += 601  # the question before has expired: one at a time
    elsewhere = {"workspace_id": rig.named("Copywriter")}
    assert (await done(roads[0], "restart_workspace", elsewhere)).structured["grant"] == "operator"
