"""Workspaces made, changed, restarted, paused and resumed, over the embedded tenant."""

from typing import Any

import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.traffic import Asked, Caller, Done


async def done(rig: Rig, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call, say yes to whatever is asked, and return the first item."""
    road = rig.road()
    outcome = await road.call(can_ask(), tool, given)
    if isinstance(outcome, Asked):
        phrase = outcome.plan.question.phrase
        content: dict[str, Any] = {"phrase": phrase} if phrase else {"allow": True}
        outcome = await answered(road, tool, given, outcome, **content)
    return outcome.structured["items"][0]


async def test_a_leaf_is_paused_at_once_and_a_team_after_a_yes(rig: Rig) -> None:
    leaf, lead = rig.named("SEO Analyst"), rig.named("Finance Lead")
    assert isinstance(await rig.road().call(Caller(), "pause_workspace", {"workspace_id": leaf}), Done)
    question = await asked(rig.road(), "pause_workspace", {"workspace_id": lead})
    assert question.plan.risk == "destroy"
    assert any(rig.named("Bookkeeper") in line for line in question.plan.question.lines)
    told = await done(rig, "pause_workspace", {"workspace_id": lead})
    assert (told["status"], told["touched"]) == ("paused", 2)
    assert rig.statuses()[rig.named("Bookkeeper")] == "paused"
    assert (await done(rig, "resume_workspace", {"workspace_id": lead}))["touched"] == 2


async def test_what_is_paused_already_is_told_before_anything_is_sent(rig: Rig) -> None:
    lead = rig.named("Finance Lead")
    await done(rig, "pause_workspace", {"workspace_id": lead})
    before = len(rig.transport.changes)
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (
        await refused(rig.road().call(can_ask(), "pause_workspace", {"workspace_id": lead}))
    ).kind == "nothing_to_do"
    assert len(rig.transport.changes) == before


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_pause_of_what_is_paused_and_a_resume_of_what_runs_are_told_before_anything_is_sent(
    rig: Rig, dry_run: bool
) -> None:
    leaf, given = rig.named("SEO Analyst"), {"dry_run": dry_run}
    told = await refused(rig.road().call(Caller(), "resume_workspace", {"workspace_id": leaf, **given}))
    assert (told.kind, told.sent, told.message) == (
        "nothing_to_do",
        False,
        "The workspace is online, not paused; nothing was sent.",
    )
    rig.app.database.execute("UPDATE workspaces SET status = 'failed' WHERE id = ?", (leaf,))
    told = await refused(rig.road().call(Caller(), "resume_workspace", {"workspace_id": leaf, **given}))
    assert "restart_workspace" in str(told.advice)
    rig.app.database.execute("UPDATE workspaces SET status = 'paused' WHERE id = ?", (leaf,))
    told = await refused(rig.road().call(Caller(), "pause_workspace", {"workspace_id": leaf, **given}))
    assert (told.kind, told.sent, "paused already" in told.message) == ("nothing_to_do", False, True)
    assert rig.transport.changes == []


async def test_a_pause_names_what_does_not_run_already_and_a_resume_would_start(rig: Rig) -> None:
    lead, label = rig.named("Marketing Lead"), "Do not run now, yet a later resume starts them too"
    for name, status in (("Copywriter", "paused"), ("SEO Analyst", "failed")):
        rig.app.database.execute("UPDATE workspaces SET status = ? WHERE id = ?", (status, rig.named(name)))
    lines = (await asked(rig.road(), "pause_workspace", {"workspace_id": lead})).plan.question.lines
    told = "\n".join(lines).partition(label)[2]
    assert rig.named("Copywriter") in told and rig.named("SEO Analyst") in told
    assert lead not in told
    await done(rig, "pause_workspace", {"workspace_id": lead})
    rig.clock.now += 601
    await done(rig, "resume_workspace", {"workspace_id": lead})
    assert "paused" not in {rig.statuses()[rig.named(name)] for name in ("Copywriter", "SEO Analyst")}
    rig.clock.now += 601
    lines = (
        await asked(rig.road(), "pause_workspace", {"workspace_id": rig.named("Finance Lead")})
    ).plan.question.lines
    assert label not in "\n".join(lines), "nothing is said where everything runs"


async def test_a_restart_is_free_but_a_reset_and_an_external_one_are_asked_about(rig: Rig) -> None:
    leaf, external = rig.named("SEO Analyst"), rig.named("Partner Bot")
    assert (await done(rig, "restart_workspace", {"workspace_id": leaf}))["status"] in {"provisioning", "online"}
    assert (await asked(rig.road(), "restart_workspace", {"workspace_id": leaf, "reset": True})).plan.risk == "destroy"
    rig.clock.now += 601  # the question before has expired: one at a time
    assert (await asked(rig.road(), "restart_workspace", {"workspace_id": external})).plan.risk == "destroy"


async def test_a_removed_workspace_is_not_brought_back_to_life(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    await done(rig, "delete_workspace", {"workspace_id": leaf})
    error = await refused(rig.road().call(can_ask(), "restart_workspace", {"workspace_id": leaf}))
    assert error.kind == "nothing_to_do"
    error = await refused(rig.road().call(can_ask(), "resume_workspace", {"workspace_id": leaf}))
    assert (error.kind, "is removed" in error.message) == ("nothing_to_do", True)


async def test_an_update_tells_before_and_after(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    told = await done(rig, "update_workspace", {"workspace_id": leaf, "name": "Search Analyst", "collapsed": "yes"})
    assert told["before"] == {"name": "SEO Analyst", "collapsed": False}
    assert told["after"] == {"name": "Search Analyst", "collapsed": True}
    assert told["not_stored"] == []


async def test_a_new_parent_is_asked_about_and_a_cycle_refused(rig: Rig) -> None:
    lead, below = rig.named("Finance Lead"), rig.named("Bookkeeper")
    error = await refused(rig.road().call(can_ask(), "update_workspace", {"workspace_id": lead, "parent_id": below}))
    assert "cycle" in error.message
    assert error.advice == "Choose a parent outside of it, or move that one out first."
    told = await done(rig, "update_workspace", {"workspace_id": below, "parent_id": rig.named("Research Lead")})
    assert told["after"]["parent_id"] == rig.named("Research Lead")


async def test_a_move_says_from_where_to_where_by_name_and_id(rig: Rig) -> None:
    leaf, old, new = rig.named("Bookkeeper"), rig.named("Finance Lead"), rig.named("Research Lead")
    given = {"workspace_id": leaf, "parent_id": new}
    lines = (await asked(rig.road(), "update_workspace", given)).plan.question.lines
    assert lines[0] == "Move 1 workspace (destroy)"
    assert 'Move: "Bookkeeper" from "Finance Lead" to "Research Lead"' in lines
    for label, identifier in (("Old parent", old), ("New parent", new)):
        assert len([line for line in lines if line.startswith(label) and identifier in line]) == 1
    assert sum(new in line for line in lines) == 1
    assert not any(line.startswith("Changes") for line in lines)
    rig.app.database.execute("UPDATE workspaces SET parent_id = NULL WHERE id = ?", (leaf,))
    rig.clock.now += 601
    lines = (await asked(rig.road(), "update_workspace", {**given, "role": "Counts"})).plan.question.lines
    assert 'Move: "Bookkeeper" from no parent to "Research Lead"' in lines
    assert '  - role: "Counts"' in lines


@pytest.mark.parametrize("given", [{}, {"parent_id": "00000000-0000-4000-8000-000000000000"}])
async def test_an_update_of_nothing_or_under_nobody_is_refused(rig: Rig, given: dict[str, str]) -> None:
    error = await refused(
        rig.road().call(can_ask(), "update_workspace", {"workspace_id": rig.named("SEO Analyst"), **given})
    )
    assert error.kind == "arguments"
    assert rig.transport.changes == []


@pytest.mark.parametrize("runtime", ["langgraph", "Externally", "external"])
async def test_an_outside_agent_is_made_no_container_without_a_yes(rig: Rig, runtime: str) -> None:
    """Else the restart after it would be free, and end its token."""
    outside = rig.named("Partner Bot")
    given = {"workspace_id": outside, "runtime": runtime}
    question = await asked(rig.road(), "update_workspace", given)
    assert question.plan.risk == "destroy"
    assert rig.transport.changes == []
    told = "loses its token" if runtime != "external" else "counts from"
    assert any(told in line for line in question.plan.question.lines)
    done_ = await answered(rig.road(), "update_workspace", given, question, allow=True)
    assert done_.structured["items"][0]["after"] == {"runtime": runtime}


@pytest.mark.parametrize("runtime", ["external", " External"])
async def test_a_container_is_made_an_outside_agent_only_after_a_yes(rig: Rig, runtime: str) -> None:
    question = await asked(
        rig.road(), "update_workspace", {"workspace_id": rig.named("SEO Analyst"), "runtime": runtime}
    )
    assert question.plan.risk == "destroy"
    assert any("an agent that runs elsewhere" in line for line in question.plan.question.lines)


async def test_a_yes_to_another_runtime_is_none_to_that_of_an_agent_that_moved_away_since(rig: Rig) -> None:
    """What was shown as one container for another is by then the end of a token."""
    given = {"workspace_id": rig.named("SEO Analyst"), "runtime": "external"}
    question = await asked(rig.road(), "update_workspace", given)
    rig.app.database.execute("UPDATE workspaces SET runtime = 'hermes' WHERE name = 'SEO Analyst'")
    error = await refused(answered(rig.road(), "update_workspace", given, question, allow=True))
    assert (error.kind, rig.transport.changes) == ("stale_plan", [])


async def test_other_changes_of_an_outside_agent_and_other_runtimes_of_a_container_stay_free(rig: Rig) -> None:
    calls: list[dict[str, Any]] = [
        {"workspace_id": rig.named("Partner Bot"), "name": "Partner", "role": "Partner's", "tier": 2},
        {"workspace_id": rig.named("SEO Analyst"), "runtime": "hermes"},
    ]
    for given in calls:
        assert isinstance(await rig.road().call(Caller(), "update_workspace", given), Done)


async def test_no_plan_of_free_calls_ends_an_outside_agents_token(rig: Rig) -> None:
    outside = rig.named("Partner Bot")
    calls = [
        {"tool": "update_workspace", "arguments": {"workspace_id": outside, "runtime": "langgraph"}},
        {"tool": "restart_workspace", "arguments": {"workspace_id": outside}},
    ]
    assert (await asked(rig.road(), "run_plan", {"calls": calls})).plan.risk == "destroy"
    assert rig.transport.changes == []
