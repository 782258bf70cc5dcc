"""Pause, resume and restart."""

from collections.abc import Callable

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def test_a_pause_takes_descendants_down_to_what_is_paused_already(desk: Desk) -> None:
    top = await desk.workspace("top")
    mid = await desk.workspace("mid", parent_id=top)
    below = await desk.workspace("below", parent_id=mid)
    side = await desk.workspace("side", parent_id=top)
    desk.app.database.execute("UPDATE workspaces SET status = 'paused' WHERE id = ?", (mid,))
    told = await desk.org.post(f"/workspaces/{top}/pause")
    assert told.json() == {"status": "paused", "paused_count": 2}
    assert [await desk.status(each) for each in (top, side, below)] == ["paused", "paused", "online"]


async def test_a_pause_clears_the_url_and_keeps_the_count_of_tasks(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 2")
    await desk.org.post(f"/workspaces/{workspace_id}/pause")
    row = await desk.json(f"/workspaces/{workspace_id}")
    assert (row["url"], row["active_tasks"]) == ("", 2)


async def test_a_second_pause_and_a_pause_of_a_removed_one_are_404(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await desk.org.post(f"/workspaces/{workspace_id}/pause")
    again = await desk.org.post(f"/workspaces/{workspace_id}/pause")
    assert (again.status_code, again.json()) == (404, {"error": "workspace not found or already paused"})
    await desk.org.delete(f"/workspaces/{workspace_id}")
    assert (await desk.org.post(f"/workspaces/{workspace_id}/pause")).status_code == 404


async def test_resume_starts_every_paused_one_again(desk: Desk, clock: Clock) -> None:
    top = await desk.workspace("top")
    child = await desk.workspace("child", parent_id=top)
    await desk.org.post(f"/workspaces/{top}/pause")
    told = await desk.org.post(f"/workspaces/{top}/resume")
    assert told.json() == {"status": "provisioning", "resumed_count": 2}
    clock.advance(seconds=1)
    assert [await desk.status(each) for each in (top, child)] == ["online", "online"]
    assert (await desk.org.post(f"/workspaces/{top}/resume")).status_code == 404


async def test_a_paused_ancestor_blocks_resume_and_restart(desk: Desk) -> None:
    top = await desk.workspace("Top Lead")
    mid = await desk.workspace("mid", parent_id=top)
    leaf = await desk.workspace("leaf", parent_id=mid)
    await desk.org.post(f"/workspaces/{top}/pause")
    desk.app.database.execute("UPDATE workspaces SET status = 'online' WHERE id = ?", (mid,))
    for verb in ("resume", "restart"):
        told = await desk.org.post(f"/workspaces/{leaf}/{verb}")
        assert told.status_code == 409
        assert told.json() == {"error": 'parent workspace "Top Lead" is paused — resume it first'}


async def test_a_restart_revokes_tokens_keeps_the_count_and_comes_online(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.workspace()
    token = await desk.token(workspace_id)
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 2")
    told = await desk.client(token).post(f"/workspaces/{workspace_id}/restart")
    assert told.json() == {"status": "provisioning", "config_dir": "existing-volume", "reset_session": False}
    row = await desk.json(f"/workspaces/{workspace_id}")
    assert (row["status"], row["url"], row["active_tasks"]) == ("provisioning", "", 2)
    assert (await desk.client(token).get(f"/workspaces/{workspace_id}/memory")).status_code == 401
    assert (await desk.json(f"/workspaces/{workspace_id}/tokens"))["count"] == 1
    clock.advance(seconds=1)
    row = await desk.json(f"/workspaces/{workspace_id}")
    assert (row["status"], row["active_tasks"]) == ("online", 0)


@pytest.mark.parametrize(("query", "body"), [("?reset=true", b"not json"), ("", b'{"reset": true}')])
async def test_the_body_of_a_restart_is_optional_and_a_bad_one_is_ignored(desk: Desk, query: str, body: bytes) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/restart{query}", content=body)
    assert told.json()["reset_session"] is True


async def test_a_template_is_applied_by_runtime(desk: Desk) -> None:
    workspace_id = await desk.workspace(runtime="claude-code")
    told = await desk.org.post(f"/workspaces/{workspace_id}/restart", json={"apply_template": True})
    assert told.json()["config_dir"] == "claude-code-default"


async def test_a_restart_resurrects_a_removed_one(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.workspace()
    await desk.org.delete(f"/workspaces/{workspace_id}")
    assert (await desk.org.post(f"/workspaces/{workspace_id}/restart")).status_code == 200
    clock.advance(seconds=1)
    assert await desk.status(workspace_id) == "online"


async def test_restarting_an_external_one_ends_in_failed(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.external()
    await desk.org.post(f"/workspaces/{workspace_id}/restart")
    clock.advance(seconds=1)
    assert await desk.status(workspace_id) == "failed"


@pytest.mark.parametrize("verb", ["pause", "resume", "restart"])
async def test_unknown_ids_are_404_and_malformed_ones_500(desks: Callable[..., Desk], verb: str) -> None:
    desk = desks()
    assert (await desk.org.post(f"/workspaces/{UNKNOWN}/{verb}")).status_code == 404
    told = await desk.org.post(f"/workspaces/x/{verb}")
    assert (told.status_code, told.json()) == (500, {"error": "lookup failed"})
