"""A call that nobody is asked about is weighed once more before it leaves."""

from typing import Any

import httpx
import pytest

from molecule_mcp.road.traffic import Caller, Done
from tests.road.rig import Rig, asked, refused

FIRST = 2
"""The facts are read by one request, and the tool looks by another; neither saw what happens at the next one."""


def meanwhile(rig: Rig, happens: Any) -> None:
    """Something happens once, behind the first look of the next call."""
    seen: list[str] = []

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        seen.append(request.method)
        if len(seen) <= FIRST:
            return None
        rig.transport.before = None
        return await happens()

    rig.transport.before = step_in


async def test_a_child_born_since_the_first_look_stops_a_pause_which_is_asked_about_then(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")

    async def born() -> None:
        child = {"name": "Helper", "parent_id": leaf}
        # By another process: in this one it would wait for the pause.
        assert isinstance(await rig.road().call(Caller(), "create_workspace", child), Done)

    meanwhile(rig, born)
    error = await refused(road.call(Caller(), "pause_workspace", {"workspace_id": leaf}))
    assert (error.kind, error.sent) == ("stale_plan", False)
    assert rig.transport.changes == ["POST /workspaces"]
    assert rig.statuses()[leaf] == "online"
    question = await asked(road, "pause_workspace", {"workspace_id": leaf})
    assert question.plan.risk == "destroy"
    assert any("Helper" in line for line in question.plan.question.lines)


async def test_an_agent_that_moved_away_since_the_first_look_keeps_its_token(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")

    async def moved() -> None:
        rig.app.database.execute("UPDATE workspaces SET runtime = 'external' WHERE id = ?", (leaf,))

    meanwhile(rig, moved)
    error = await refused(rig.road().call(Caller(), "restart_workspace", {"workspace_id": leaf}))
    assert (error.kind, error.sent, rig.transport.changes) == ("stale_plan", False, [])


async def test_facts_that_cannot_be_read_any_more_stop_it(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")

    async def lost() -> httpx.Response:
        return httpx.Response(403, json={"error": "no"})

    meanwhile(rig, lost)
    error = await refused(rig.road().call(Caller(), "pause_workspace", {"workspace_id": leaf}))
    assert (error.kind, error.sent, rig.transport.changes) == ("stale_plan", False, [])


@pytest.mark.parametrize(
    ("tool", "looks"),
    [
        ("pause_workspace", ["GET /workspaces", "GET /workspaces/{id}", "GET /workspaces"]),
        ("hibernate_workspace", []),
    ],
)
async def test_only_what_live_facts_can_raise_is_looked_at_again(rig: Rig, tool: str, looks: list[str]) -> None:
    leaf = rig.named("SEO Analyst")
    assert isinstance(await rig.road().call(Caller(), tool, {"workspace_id": leaf}), Done)
    before = rig.transport.lines[: rig.transport.lines.index(rig.transport.changes[0])]
    assert before == [line.replace("{id}", leaf) for line in looks]
