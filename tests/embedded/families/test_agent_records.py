"""Recorded agents."""

from typing import Any

from tests.embedded.support import UNKNOWN, Desk


async def test_a_workspace_has_one_record_that_is_replaced_and_removed(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    path = f"/workspaces/{workspace_id}/agent"
    first = await desk.org.post(path, json={"model": "a"})
    assert (first.status_code, first.json()["model"]) == (201, "a")
    assert (await desk.org.post(path, json={"model": "b"})).status_code == 409
    second = (await desk.org.patch(path, json={"model": "b"})).json()
    assert (second["model"], second["old_model"]) == ("b", "a")
    assert second["agent_id"] != first.json()["agent_id"]
    assert (await desk.org.delete(path)).json() == {"status": "removed", "agent_id": second["agent_id"]}
    assert (await desk.org.delete(path)).json() == {"error": "no active agent to remove"}
    assert (await desk.org.patch(path, json={"model": "c"})).json() == {"error": "no active agent to replace"}
    assert await desk.json(f"/workspaces/{workspace_id}/model") == {"model": "", "source": "default"}
    told = {event["event_type"] for event in await desk.json(f"/events/{workspace_id}")}
    assert told >= {"AGENT_ASSIGNED", "AGENT_REPLACED", "AGENT_REMOVED"}


async def test_a_record_moves_even_to_a_removed_workspace(desk: Desk) -> None:
    source, target = await desk.workspace("a"), await desk.workspace("b")
    agent_id = (await desk.org.post(f"/workspaces/{source}/agent", json={"model": "m"})).json()["agent_id"]
    await desk.org.delete(f"/workspaces/{target}")
    path = f"/workspaces/{source}/agent/move"
    assert (await desk.org.post(path, json={"target_workspace_id": source})).status_code == 409
    told = await desk.org.post(path, json={"target_workspace_id": target})
    assert told.json() == {"agent_id": agent_id, "model": "m", "from_workspace": source, "to_workspace": target}
    told = await desk.org.post(path, json={"target_workspace_id": source})
    assert told.json() == {"error": "no active agent in source workspace"}


async def test_what_cannot_be_recorded_is_refused_as_the_tenant_does(desk: Desk) -> None:
    good = await desk.workspace()
    model, moved = {"model": "m"}, {"target_workspace_id": good}
    cases: list[tuple[str, str, Any, int, str]] = [
        ("POST", f"{good}/agent", {}, 400, "invalid request body"),
        ("POST", f"{good}/agent", {"model": ""}, 400, "invalid request body"),
        ("POST", f"{UNKNOWN}/agent", model, 404, "workspace not found"),
        ("POST", "x/agent", model, 500, "lookup failed"),
        ("POST", f"{good}/agent", {"model": "\x00"}, 500, "failed to assign agent"),
        ("PATCH", f"{UNKNOWN}/agent", model, 404, "no active agent to replace"),
        ("PATCH", "x/agent", model, 500, "failed to replace agent"),
        ("DELETE", "x/agent", None, 500, "failed to remove agent"),
        ("POST", f"{good}/agent/move", {}, 400, "invalid request body"),
        ("POST", f"{good}/agent/move", {"target_workspace_id": UNKNOWN}, 404, "target workspace not found"),
        ("POST", f"{good}/agent/move", {"target_workspace_id": "x"}, 500, "target lookup failed"),
        ("POST", "x/agent/move", moved, 500, "target lookup failed"),
    ]
    for method, path, body, status, error in cases:
        told = await desk.org.request(method, f"/workspaces/{path}", json=body)
        assert (told.status_code, told.json()) == (status, {"error": error}), path
