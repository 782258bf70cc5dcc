"""Activity and delegations."""

import json

import pytest

from molecule_mcp.embedded.families.activity import preview
from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk

MARKETING = sample_id("workspaces", "marketing")
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
    for path in ("activity", "delegations"):
        assert (await desk.org.get(f"/workspaces/x/{path}")).json() == {"error": "query failed"}


async def test_a_delegation_shows_as_two_rows(sample: Desk) -> None:
    review, result, request = await sample.json(f"/workspaces/{ENGINEERING}/delegations")
    assert (review["status"], "response_preview" in review) == ("dispatched", False)
    assert result["delegation_id"] == request["delegation_id"]
    assert (result["status"], request["status"]) == ("completed", "completed")
    assert result["response_preview"].startswith("The export loads")


async def test_a_failed_result_row_has_no_delegation_id(sample: Desk) -> None:
    result, request = await sample.json(f"/workspaces/{MARKETING}/delegations")
    assert "delegation_id" not in result
    assert (request["status"], request["error"]) == ("failed", "workspace Newsletter Editor is not reachable")


def test_a_long_reply_is_cut_at_300_bytes() -> None:
    assert preview("x" * 300) == "x" * 300
    assert preview("ä" * 151) == "ä" * 150 + "..."
    assert json.dumps(preview("a" + "ä" * 150))
