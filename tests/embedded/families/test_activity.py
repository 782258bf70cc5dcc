"""Activity, what is found in it, and messages to the people who watch."""

from typing import Any

import pytest

from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk

COPYWRITER = sample_id("workspaces", "copywriter")
ENGINEERING = sample_id("workspaces", "engineering")


async def test_rows_are_newest_first_with_their_bodies_only_when_there_are_any(sample: Desk) -> None:
    done, update = (await sample.json(f"/workspaces/{ENGINEERING}/activity"))[1:3]
    assert (done["response_body"]["text"][:10], update["request_body"]["task"][:8]) == ("The export", "Find out")
    assert "tool_trace" not in done
    assert "request_body" not in done


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 2),
        ("?type=task_update", 1),
        ("?type=never", 0),
        ("?source=agent", 2),
        ("?source=canvas", 0),
        ("?limit=1", 1),
        ("?limit=0", 2),
        ("?limit=9999", 2),
        ("?limit=x", 2),
    ],
)
async def test_filters_and_limits(sample: Desk, query: str, rows: int) -> None:
    assert len(await sample.json(f"/workspaces/{COPYWRITER}/activity{query}")) == rows


async def test_another_source_is_refused_and_malformed_ids_are_server_errors(desk: Desk) -> None:
    told = await desk.org.get(f"/workspaces/{UNKNOWN}/activity?source=me")
    assert (told.status_code, told.json()) == (400, {"error": "source must be 'canvas' or 'agent'"})
    assert (await desk.org.get("/workspaces/x/activity")).json() == {"error": "query failed"}
    found = await desk.org.get("/workspaces/x/session-search")
    assert (found.status_code, found.json()) == (500, {"error": "session search failed"})


TRIAGE = sample_id("workspaces", "triage")


async def test_a_search_mixes_activity_and_memories_newest_first_with_bodies_where_there_are_any(sample: Desk) -> None:
    found = await sample.json(f"/workspaces/{TRIAGE}/session-search")
    assert [row["kind"] for row in found] == ["activity", "memory"]
    assert (found[1]["label"], found[1]["method"], found[1]["status"]) == ("LOCAL", "", "")
    (handed, *_) = await sample.json(f"/workspaces/{ENGINEERING}/session-search?q=invoice export")
    assert (handed["label"], handed["request_body"]["task"]) == ("delegation", "Find out why invoice export times out")


@pytest.mark.parametrize(
    ("query", "rows"),
    [("q=TICKETS", 2), ("q= tickets ", 2), ("q=t_ckets", 2), ("q=never", 0), ("limit=1", 1), ("limit=x", 2), ("q=", 2)],
)
async def test_a_search_ignores_case_takes_wildcards_and_a_limit(sample: Desk, query: str, rows: int) -> None:
    assert len(await sample.json(f"/workspaces/{TRIAGE}/session-search?{query}")) == rows


async def test_a_search_sees_neither_error_details_nor_workspaces_it_never_knew(sample: Desk) -> None:
    data = sample_id("workspaces", "data")
    assert await sample.json(f"/workspaces/{data}/session-search?q=out of memory") == []
    assert await sample.json(f"/workspaces/{UNKNOWN}/session-search") == []


async def test_a_tenant_without_traces_says_so_for_any_id(desk: Desk) -> None:
    assert await desk.json("/workspaces/not-a-uuid/traces") == []


async def test_a_message_to_people_stands_in_the_activity_and_reaches_no_agent(sample: Desk) -> None:
    attached = {"uri": "workspace:/a.txt", "name": "a.txt", "size": 3}
    told = await sample.org.post(f"/workspaces/{TRIAGE}/notify", json={"message": "Look", "attachments": [attached]})
    assert (told.status_code, told.json()) == (200, {"status": "sent"})
    (row, *_) = await sample.json(f"/workspaces/{TRIAGE}/activity")
    assert (row["activity_type"], row["method"], row["source_id"]) == ("a2a_receive", "notify", None)
    assert row["response_body"] == {"result": "Look", "attachments": [attached]}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "message is required"),
        ({"message": ""}, "message is required"),
        ({"message": 1}, "message is required"),
        ({"message": "x", "attachments": [{"uri": "u"}]}, "attachment[0]: uri and name are required"),
    ],
)
async def test_a_message_to_people_needs_its_words(sample: Desk, body: dict[str, Any], error: str) -> None:
    told = await sample.org.post(f"/workspaces/{TRIAGE}/notify", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


@pytest.mark.parametrize("place", [UNKNOWN, "x", sample_id("workspaces", "old-planner")])
async def test_nobody_is_notified_by_a_workspace_that_is_not_there(sample: Desk, place: str) -> None:
    told = await sample.org.post(f"/workspaces/{place}/notify", json={"message": "x"})
    assert (told.status_code, told.json()) == (404, {"error": "workspace not found"})
