"""The noted model of a workspace, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.traffic import Asked, Caller


async def done(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    """Call, say yes to whatever is asked, and return the first item."""
    road = rig.road()
    outcome = await road.call(can_ask(), tool, given)
    if isinstance(outcome, Asked):
        outcome = await answered(road, tool, given, outcome, allow=True)
    return outcome.structured["items"][0]


def noted(rig: Rig) -> dict[str, str]:
    """Active notes: the model by the workspace's name."""
    sql = "SELECT w.name, a.model FROM agents a JOIN workspaces w ON w.id = workspace_id WHERE a.status = 'active'"
    return dict(rig.app.database.execute(sql).fetchall())


async def test_a_model_is_noted_replaced_moved_and_removed(rig: Rig) -> None:
    seo, copy = rig.named("SEO Analyst"), rig.named("Copywriter")
    assert (await done(rig, "assign_agent", workspace_id=seo, model="a"))["model"] == "a"
    assert (await done(rig, "replace_agent", workspace_id=seo, model="b"))["old_model"] == "a"
    told = await done(rig, "move_agent", workspace_id=seo, target_workspace_id=copy)
    assert told["model"] == "b"
    assert noted(rig)["Copywriter"] == "b"
    assert (await done(rig, "remove_agent", workspace_id=copy))["status"] == "removed"
    assert "Copywriter" not in noted(rig)


@pytest.mark.parametrize(
    ("tool", "more"),
    [("replace_agent", {"model": "x"}), ("remove_agent", {}), ("move_agent", {"target": "SEO Analyst"})],
)
async def test_what_loses_a_note_that_no_route_shows_is_asked_about(rig: Rig, tool: str, more: dict[str, str]) -> None:
    given = {"workspace_id": rig.named("Chief of Staff"), **more}
    if target := given.pop("target", None):
        given["target_workspace_id"] = rig.named(target)
    question = await asked(rig.road(), tool, given)
    assert question.plan.risk == "destroy"
    assert any("no route shows it" in line for line in question.plan.question.lines)
    assert rig.transport.changes == []


async def test_a_note_that_went_elsewhere_is_not_reported_as_moved(rig: Rig) -> None:
    async def elsewhere(request: httpx.Request) -> httpx.Response | None:
        told = {"agent_id": "a", "model": "m", "from_workspace": "b", "to_workspace": "c"}
        return httpx.Response(200, json=told) if request.method == "POST" else None

    road = rig.road()
    given = {"workspace_id": rig.named("Chief of Staff"), "target_workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "move_agent", given)
    rig.transport.before = elsewhere
    error = await refused(answered(road, "move_agent", given, question, allow=True))
    assert (error.sent, "another workspace" in error.message) == (True, True)


async def test_removed_workspaces_get_no_note_and_none_moves_onto_itself(rig: Rig) -> None:
    chief, gone = rig.named("Chief of Staff"), rig.named("Campaign Planner 2024")
    calls: list[tuple[str, dict[str, str], str]] = [
        ("assign_agent", {"workspace_id": gone, "model": "m"}, "nothing_to_do"),
        ("assign_agent", {"workspace_id": chief, "model": "\x00"}, "arguments"),
        ("replace_agent", {"workspace_id": gone, "model": "m"}, "nothing_to_do"),
        ("move_agent", {"workspace_id": chief, "target_workspace_id": gone}, "nothing_to_do"),
        ("move_agent", {"workspace_id": chief, "target_workspace_id": chief}, "arguments"),
    ]
    for tool, given, kind in calls:
        assert (await refused(rig.road().call(can_ask(), tool, given))).kind == kind
    assert rig.transport.changes == []


async def test_a_second_note_is_refused_by_the_tenant_and_changes_nothing(rig: Rig) -> None:
    before = noted(rig)
    call = rig.road().call(Caller(), "assign_agent", {"workspace_id": rig.named("Chief of Staff"), "model": "m"})
    assert "409" in (await refused(call)).message
    assert noted(rig) == before
