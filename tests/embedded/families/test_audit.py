"""The audit ledger."""

import pytest

from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk

BOOKS = sample_id("workspaces", "books")


async def test_the_ledger_is_told_oldest_first_and_its_chain_is_not_checked(sample: Desk) -> None:
    told = await sample.json(f"/workspaces/{BOOKS}/audit")
    assert [event["operation"] for event in told["events"]] == ["task_start", "llm_call", "tool_call", "task_end"]
    assert (told["total"], told["chain_valid"], told["events"][3]["human_oversight_flag"]) == (4, None, True)


@pytest.mark.parametrize("place", [UNKNOWN, sample_id("workspaces", "chief")])
async def test_no_event_is_null_and_not_a_list(sample: Desk, place: str) -> None:
    assert await sample.json(f"/workspaces/{place}/audit") == {"events": None, "total": 0, "chain_valid": None}


@pytest.mark.parametrize(
    ("query", "shown", "total"),
    [
        ("limit=2", 2, 4),
        ("limit=2&offset=3", 1, 4),
        ("offset=-1", 4, 4),
        ("limit=x", 4, 4),
        ("agent_id=bookkeeper", 4, 4),
        ("agent_id=other", 0, 0),
        ("session_id=month-end-2026-10", 4, 4),
        ("from=2026-11-23T18:00:00Z", 2, 2),
        ("to=2026-11-23T18:00:00%2B00:00", 2, 2),
    ],
)
async def test_filters_and_pages(sample: Desk, query: str, shown: int, total: int) -> None:
    told = await sample.json(f"/workspaces/{BOOKS}/audit?{query}")
    assert (len(told["events"] or []), told["total"]) == (shown, total)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("text", ["yesterday", "2026-11-23", "2026-11-23T10:00:00"])
async def test_a_bound_has_to_be_a_full_time(sample: Desk, name: str, text: str) -> None:
    told = await sample.org.get(f"/workspaces/{BOOKS}/audit?{name}={text}")
    assert told.status_code == 400
    assert told.json()["error"].startswith(f"{name} must be RFC 3339 (e.g. 2026-04-17T")


async def test_a_malformed_id_is_a_server_error(sample: Desk) -> None:
    assert (await sample.org.get("/workspaces/x/audit")).status_code == 500
