"""Events: listed, and followed as they come."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.tenant.inprocess import InProcess
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


@asynccontextmanager
async def followed(desk: Desk, workspace_id: str) -> AsyncGenerator[AsyncIterator[str]]:
    """The lines of a workspace's stream, from its ping on."""
    headers = {"Authorization": f"Bearer {desk.key}", "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(transport=InProcess(desk.app), base_url="http://tenant", headers=headers) as client,
        client.stream("GET", f"/workspaces/{workspace_id}/events/stream") as told,
    ):
        assert (told.status_code, told.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        lines = told.aiter_lines()
        assert [await anext(lines), await anext(lines)] == [": ping", ""]
        yield lines


async def events(lines: AsyncIterator[str], number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for line in lines:
        if line.startswith("data: "):
            found.append(json.loads(line[6:]))
        if len(found) == number:
            break
    return found


async def test_a_stream_tells_what_happens_from_now_on_with_activity_and_messages(sample: Desk) -> None:
    triage = sample_id("workspaces", "triage")
    async with followed(sample, triage) as lines:
        await sample.org.post(f"/workspaces/{triage}/notify", json={"message": "Look"})
        await sample.org.post(f"/workspaces/{triage}/pause")
        logged, message, paused = await events(lines, 3)
    assert (logged["type"], logged["data"]["method"]) == ("ACTIVITY_LOGGED", "notify")
    assert (message["type"], message["data"]["message"]) == ("AGENT_MESSAGE", "Look")
    assert paused["type"] == "WORKSPACE_PAUSED"
    assert paused["timestamp"] == round(sample.clock().timestamp() * 1000)


async def test_a_stream_leaves_others_out_and_nothing_is_kept_for_a_reader_that_is_gone(sample: Desk) -> None:
    triage, support = sample_id("workspaces", "triage"), sample_id("workspaces", "support")
    async with followed(sample, support) as lines:
        await sample.org.post(f"/workspaces/{triage}/notify", json={"message": "Look"})
        await sample.org.post(f"/workspaces/{support}/notify", json={"message": "Here"})
        (_, told) = await events(lines, 2)
    assert told["data"]["message"] == "Here"
    assert sample.app.instance.hub.following == 0


async def test_a_stream_ends_with_its_tenant(sample: Desk) -> None:
    async with followed(sample, sample_id("workspaces", "old-planner")) as lines:
        sample.app.end_streams()
        assert await events(lines, 1) == []


@pytest.mark.parametrize(
    ("place", "status", "error"), [(UNKNOWN, 404, "workspace not found"), ("x", 500, "failed to verify workspace")]
)
async def test_a_stream_of_nobody_is_refused(sample: Desk, place: str, status: int, error: str) -> None:
    told = await sample.org.get(f"/workspaces/{place}/events/stream")
    assert (told.status_code, told.json()) == (status, {"error": error})
