"""Hibernation and teams, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked, Caller


async def done(road: Road, tool: str, **given: Any) -> dict[str, Any]:
    """Call, say yes to whatever is asked, and return the first item."""
    outcome = await road.call(can_ask(), tool, given)
    if isinstance(outcome, Asked):
        phrase = outcome.plan.question.phrase
        outcome = await answered(road, tool, given, outcome, **({"phrase": phrase} if phrase else {"allow": True}))
    return outcome.structured["items"][0]


def awake(rig: Rig, name: str) -> str:
    """The id of a workspace without running tasks."""
    rig.app.database.execute("UPDATE workspaces SET active_tasks = 0 WHERE name = ?", (name,))
    return rig.named(name)


async def test_a_hibernation_that_changed_nothing_is_not_reported_as_one(rig: Rig) -> None:
    before = rig.statuses()
    told = await done(rig.road(), "hibernate_workspace", workspace_id=awake(rig, "SEO Analyst"))
    assert (told["status"], told["hibernated"]) == ("online", False)
    assert "pause_workspace" in told["note"]
    assert rig.statuses() == before


async def test_a_hibernation_that_worked_is_told_as_read_back(rig: Rig) -> None:
    quiet = awake(rig, "SEO Analyst")

    async def works(request: httpx.Request) -> None:
        if request.method == "POST":
            rig.app.database.execute("UPDATE workspaces SET status = 'hibernated' WHERE id = ?", (quiet,))

    rig.transport.before = works
    rig.app.database.execute("UPDATE workspaces SET active_tasks = 1 WHERE id = ?", (quiet,))
    error = await refused(rig.road().call(Caller(), "hibernate_workspace", {"workspace_id": quiet}))
    assert error.sent is True

    async def says_so(request: httpx.Request) -> httpx.Response | None:
        await works(request)
        return httpx.Response(200, json={"status": "hibernated"}) if request.method == "POST" else None

    rig.transport.before = says_so
    told = await done(rig.road(), "hibernate_workspace", workspace_id=quiet, force=True)
    assert told == {"id": quiet, "status": "hibernated", "hibernated": True}
    assert rig.transport.changes[-1].endswith("/hibernate?force=true")


async def test_a_busy_workspace_is_refused_unless_forced(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "hibernate_workspace", {"workspace_id": rig.named("Researcher")}))
    assert "409" in error.message
    assert (await done(rig.road(), "hibernate_workspace", workspace_id=rig.named("Researcher"), force=True))["note"]


async def test_a_team_is_made_after_a_yes_that_shows_who_is_there_already(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Research Lead")}
    question = await asked(rig.road(), "expand_team", given)
    assert question.plan.risk == "destroy"
    text = "\n".join(question.plan.question.lines)
    assert "There already: 4" in text
    assert "at every call" in text
    told = await done(rig.road(), "expand_team", **given)
    assert {(child["name"], child["status"]) for child in told["children"]} == {
        ("Librarian", "provisioning"),
        ("claude-code-default", "provisioning"),
    }
    assert {child["id"] for child in told["children"]} <= rig.statuses().keys()


async def test_on_a_hosted_tenant_a_team_is_said_to_start_never(hosted: Road) -> None:
    rows = await hosted.call(can_ask(), "find_workspace", {"name": "Research Lead"})
    assert not isinstance(rows, Asked)
    told = await done(hosted, "expand_team", workspace_id=rows.structured["candidates"][0]["id"])
    assert "fail after 10 minutes" in told["note"]


async def test_collapse_shows_who_goes_and_who_is_left_and_asks_for_a_phrase(rig: Rig) -> None:
    chief = rig.named("Chief of Staff")
    question = await asked(rig.road(), "collapse_team", {"workspace_id": chief})
    assert (question.plan.risk, question.plan.question.phrase is not None) == ("critical", True)
    text = "\n".join(question.plan.question.lines)
    children = [key for key, parent in parents(rig).items() if parent == chief]
    assert f"Goes: {len(children)}" in text
    assert all(child in text for child in children)
    assert rig.named("Copywriter") in text.partition("Left alive below them")[2]
    assert "schedules keep firing" in text


@pytest.mark.parametrize("between", ["online", "removed"])
async def test_collapse_shows_everybody_who_is_left_however_deep(rig: Rig, between: str) -> None:
    writer, deep = rig.named("Copywriter"), rig.named("SEO Analyst")
    rig.app.database.execute("UPDATE workspaces SET parent_id = ? WHERE id = ?", (writer, deep))
    rig.app.database.execute("UPDATE workspaces SET status = ? WHERE id = ?", (between, writer))
    road, given = rig.road(), {"workspace_id": rig.named("Chief of Staff")}
    question = await asked(road, "collapse_team", given)
    left = "\n".join(question.plan.question.lines).partition("Left alive below them")[2]
    assert (deep in left, writer in left) == (True, between == "online")
    await answered(road, "collapse_team", given, question, phrase=question.plan.question.phrase)
    assert rig.statuses()[deep] != "removed"


def parents(rig: Rig) -> dict[str, str | None]:
    """Every listed workspace's parent."""
    return dict(rig.app.database.execute("SELECT id, parent_id FROM workspaces WHERE status != 'removed'").fetchall())


async def test_a_collapsed_team_is_read_back_and_orphans_are_named(rig: Rig) -> None:
    chief = rig.named("Chief of Staff")
    children = {key for key, parent in parents(rig).items() if parent == chief}
    rig.app.database.execute(
        "UPDATE workspaces SET parent_id = ? WHERE name = 'SEO Analyst'", (rig.named("Copywriter"),)
    )
    orphans = {key for key, parent in parents(rig).items() if parent in children} | {rig.named("SEO Analyst")}
    told = await done(rig.road(), "collapse_team", workspace_id=chief)
    assert {child["id"] for child in told["removed"]} == children
    assert set(told["orphans"]) == orphans
    assert {rig.statuses()[child] for child in children} == {"removed"}
    assert len(rig.transport.changes) == 1


async def test_nothing_is_asked_about_a_workspace_without_a_team(rig: Rig) -> None:
    for name in ("Copywriter", "Campaign Planner 2024"):
        call = rig.road().call(can_ask(), "collapse_team", {"workspace_id": rig.named(name)})
        assert (await refused(call)).kind == "nothing_to_do"


async def test_a_child_born_after_the_question_makes_the_yes_worthless(rig: Rig) -> None:
    lead, road = rig.named("Finance Lead"), rig.road()
    given = {"workspace_id": lead}
    question = await asked(road, "collapse_team", given)
    rig.app.database.execute("UPDATE workspaces SET parent_id = ? WHERE name = 'SEO Analyst'", (lead,))
    error = await refused(answered(road, "collapse_team", given, question, phrase=question.plan.question.phrase))
    assert (error.kind, rig.transport.changes) == ("stale_plan", [])


@pytest.mark.parametrize(
    ("names", "status", "said"),
    [(["Bookkeeper"], "online", "still lists 1"), (["Bookkeeper", "Other"], "removed", "names 2 removed")],
)
async def test_a_collapse_is_not_taken_at_its_word(rig: Rig, names: list[str], status: str, said: str) -> None:
    road, given = rig.road(), {"workspace_id": rig.named("Finance Lead")}
    question = await asked(road, "collapse_team", given)

    async def pretend(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        rig.app.database.execute("UPDATE workspaces SET status = ? WHERE name = 'Bookkeeper'", (status,))
        return httpx.Response(200, json={"status": "collapsed", "removed": names})

    rig.transport.before = pretend
    call = answered(road, "collapse_team", given, question, phrase=question.plan.question.phrase)
    if status == "online":
        error = await refused(call)
        assert (error.sent, said in error.message) == (True, True)
    else:
        assert said in (await call).structured["items"][0]["note"]
