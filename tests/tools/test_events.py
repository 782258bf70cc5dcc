"""The structure events of everybody, and of one workspace."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused
from tests.tools.test_activity import UNKNOWN, dicts
from tests.tools.test_schedules import done

from molecule_mcp.road.traffic import Caller


async def test_events_of_everybody_are_newest_first_with_whose_they_are(rig: Rig) -> None:
    told = await done(rig, "list_events", {"limit": 5})
    assert told["columns"] == ["created_at", "type", "workspace_id", "payload"]
    times = [row["created_at"] for row in dicts(told)]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    following = await done(rig, "list_events", {"limit": 5, "cursor": told["next_cursor"]})
    assert dicts(following)[0]["created_at"] <= times[-1]
    assert dicts(following)[0] not in dicts(told)


async def test_a_kind_is_the_beginning_of_a_type(rig: Rig) -> None:
    every = dicts(await done(rig, "list_events", {"kind": "APPROVAL_", "limit": 100}))
    assert {row["type"] for row in every} == {"APPROVAL_REQUESTED"}


async def test_events_of_one_do_not_repeat_its_id(rig: Rig) -> None:
    told = await done(rig, "list_workspace_events", {"workspace_id": rig.named("Newsletter Editor")})
    newest, *_ = dicts(told)
    assert newest["type"] == "WORKSPACE_PROVISION_FAILED"
    assert newest["payload"]["error"].startswith("model provider answered 401")
    assert "workspace_id" not in told["columns"]
    assert "note" not in told


async def test_events_outlive_their_workspace_which_is_said(rig: Rig) -> None:
    planner = rig.named("Campaign Planner 2024")
    assert (await done(rig, "list_workspace_events", {"workspace_id": planner}))["note"] == "Removed."
    rig.app.database.execute("DELETE FROM workspaces WHERE id = ?", (planner,))
    assert (await done(rig, "list_workspace_events", {"workspace_id": planner}))["note"] == "The workspace is purged."


async def test_an_id_that_was_never_issued_is_not_told_as_quiet(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "list_workspace_events", {"workspace_id": UNKNOWN}))
    assert "404" in error.message


@pytest.mark.parametrize(("number", "note"), [(100, True), (99, False)])
async def test_a_filter_over_a_full_list_says_that_older_events_are_out_of_reach(
    rig: Rig, number: int, note: bool
) -> None:
    event: dict[str, Any] = {"event_type": "WORKSPACE_ONLINE", "created_at": "2026-11-23T06:59:47Z", "payload": {}}

    async def instead(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{**event, "id": str(place)} for place in range(number)])

    rig.transport.before = instead
    told = await done(rig, "list_events", {"kind": "APPROVAL_"})
    assert ("out of reach" in told.get("note", ""), told["rows"]) == (note, [])
