"""Events."""

from tests.embedded.support import UNKNOWN, Desk


async def test_events_are_newest_first_and_at_most_a_hundred(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    for _ in range(60):
        await desk.org.post(f"/workspaces/{workspace_id}/pause")
        await desk.org.post(f"/workspaces/{workspace_id}/resume")
    for path in ("/events", f"/events/{workspace_id}"):
        kinds = [event["event_type"] for event in await desk.json(path)]
        assert (len(kinds), kinds[:2]) == (100, ["WORKSPACE_PROVISIONING", "WORKSPACE_PAUSED"])


async def test_an_unknown_workspace_has_none_and_a_malformed_id_is_a_server_error(desk: Desk) -> None:
    assert await desk.json(f"/events/{UNKNOWN}") == []
    assert (await desk.org.get("/events/x")).status_code == 500
