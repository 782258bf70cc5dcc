"""Checkpoints of workflows."""

from typing import Any

import httpx
import pytest

from tests.embedded.support import UNKNOWN, Desk


async def save(desk: Desk, workspace_id: str, workflow: str, step: str, **more: Any) -> httpx.Response:
    """The answer to a save."""
    body = {"workflow_id": workflow, "step_name": step, **more}
    return await desk.org.post(f"/workspaces/{workspace_id}/checkpoints", json=body)


async def test_a_repeat_keeps_the_id_and_replaces_the_rest(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    first = await save(desk, workspace_id, "wf", "fetch", step_index=5, payload={"bb": 1, "a": 2})
    desk.clock.advance(seconds=1)
    second = await save(desk, workspace_id, "wf", "fetch")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    (row,) = await desk.json(f"/workspaces/{workspace_id}/checkpoints/wf")
    assert row == {**first.json(), "step_index": 0, "payload": None, "completed_at": row["completed_at"]}
    assert row["completed_at"].startswith("2026-11-24T09:00:02")


async def test_steps_come_highest_first_and_the_latest_is_of_any_workflow(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    for workflow, step, index in (("wf", "a", 0), ("wf", "b", 7), ("other", "c", 1)):
        desk.clock.advance(seconds=1)
        await save(desk, workspace_id, workflow, step, step_index=index, payload=[index])
    rows = await desk.json(f"/workspaces/{workspace_id}/checkpoints/wf")
    assert [row["step_name"] for row in rows] == ["b", "a"]
    assert (await desk.json(f"/workspaces/{workspace_id}/checkpoints/latest"))["payload"] == [1]


async def test_a_workflow_called_latest_can_be_deleted_but_not_listed(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await save(desk, workspace_id, "latest", "a")
    await save(desk, workspace_id, "latest", "b")
    path = f"/workspaces/{workspace_id}/checkpoints/latest"
    assert (await desk.json(path))["step_name"] == "b"
    assert (await desk.org.delete(path)).json() == {"deleted": 2, "workflow_id": "latest"}
    assert (await desk.org.get(path)).json() == {"error": "no checkpoints found for workspace"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_workflow_without_checkpoints_is_not_found(desk: Desk, method: str) -> None:
    told = await desk.org.request(method, f"/workspaces/{await desk.workspace()}/checkpoints/none")
    assert (told.status_code, told.json()) == (404, {"error": "no checkpoints found for workflow"})


@pytest.mark.parametrize(
    "body",
    [
        {"step_name": "s"},
        {"workflow_id": "wf", "step_name": ""},
        {"workflow_id": "wf", "step_name": "s", "step_index": "1"},
    ],
)
async def test_what_is_no_checkpoint_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/checkpoints", json=body)
    assert (told.status_code, told.json()) == (400, {"error": "invalid request body"})


@pytest.mark.parametrize("more", [{"step_index": 2**31}, {"payload": {"a": "b\x00"}}])
async def test_what_the_database_cannot_hold_is_a_server_error(desk: Desk, more: dict[str, Any]) -> None:
    told = await save(desk, await desk.workspace(), "wf", "s", **more)
    assert (told.status_code, told.json()) == (500, {"error": "failed to upsert checkpoint"})


async def test_an_unknown_workspace_keeps_none_and_has_none(desk: Desk) -> None:
    assert (await save(desk, UNKNOWN, "wf", "s")).status_code == 500
    told = await desk.org.get(f"/workspaces/{UNKNOWN}/checkpoints/latest")
    assert (told.status_code, told.json()) == (404, {"error": "no checkpoints found for workspace"})


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "latest", "failed to fetch latest checkpoint"),
        ("GET", "wf", "failed to list checkpoints"),
        ("DELETE", "wf", "failed to delete checkpoints"),
    ],
)
async def test_a_malformed_id_is_a_server_error(desk: Desk, method: str, path: str, error: str) -> None:
    told = await desk.org.request(method, f"/workspaces/x/checkpoints/{path}")
    assert (told.status_code, told.json()) == (500, {"error": error})
