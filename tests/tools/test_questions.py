"""Who is idle, among a thousand: exact counts, few reads, small pages."""

import json
from typing import Any

import pytest
from tests.road.rig import Rig, refused

from molecule_mcp.road.traffic import Caller, Done

SQL = (
    "INSERT INTO workspaces (id, name, status, active_tasks, uptime_seconds, runtime, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, 60, 'langgraph', 't', 't')"
)
STATUSES = ("online", "degraded", "paused", "failed")


@pytest.fixture
def crowded(rig: Rig) -> Rig:
    """A thousand more workspaces, of which some run and some of those work."""
    rig.app.database.executemany(
        SQL,
        [
            (f"00000000-0000-4000-8000-{number:012}", f"Crowd {number}", STATUSES[number % 4], number % 3)
            for number in range(1000)
        ],
    )
    return rig


async def pages(rig: Rig, **given: Any) -> list[tuple[dict[str, Any], int, list[str]]]:
    """Every page: the answer, its bytes, and the requests it took."""
    found: list[tuple[dict[str, Any], int, list[str]]] = []
    cursor: str | None = ""
    while cursor is not None:
        before = len(rig.transport.lines)
        outcome = await rig.road().call(Caller(), "find_idle_workspaces", {**given, "cursor": cursor})
        assert isinstance(outcome, Done)
        answer = json.loads(outcome.text)
        found.append((answer, len(outcome.text.encode()), rig.transport.lines[before:]))
        cursor = answer.get("next_cursor")
    return found


@pytest.mark.parametrize("limit", [50, 200])
async def test_the_idle_among_a_thousand_are_exact_and_every_page_is_small(crowded: Rig, limit: int) -> None:
    running = "status IN ('online', 'degraded')"
    truth = {
        row[0]
        for row in crowded.app.database.execute(f"SELECT id FROM workspaces WHERE {running} AND active_tasks = 0")
    }
    busy = crowded.app.database.execute(f"SELECT count(*) FROM workspaces WHERE {running} AND active_tasks > 0")
    told = await pages(crowded, limit=limit)
    rows = [row for answer, _, _ in told for row in answer["rows"]]
    assert {row[0] for row in rows} == truth
    assert len(rows) == len(truth)
    count = busy.fetchone()[0]
    for answer, size, lines in told:
        assert (answer["idle_total"], answer["busy"]) == (len(truth), count)
        assert size <= 12_000
        assert lines.count("GET /workspaces") == 1
        assert len(lines) <= 21
        assert all(answer["reasons"][row[3]] for row in answer["rows"])


async def test_a_hundred_workspaces_are_listed_in_ten_kilobytes(crowded: Rig) -> None:
    outcome = await crowded.road().call(Caller(), "list_workspaces", {"limit": 100})
    assert isinstance(outcome, Done)
    assert len(outcome.structured["rows"]) == 100
    assert outcome.structured["columns"] == ["id", "name", "status", "parent", "active_tasks"]
    assert len(outcome.text.encode()) <= 10_000


async def test_a_parent_is_a_row_of_the_table_that_is_shown_or_else_an_id(rig: Rig) -> None:
    outcome = await rig.road().call(Caller(), "list_workspaces", {"name_contains": "Lead", "limit": 200})
    assert isinstance(outcome, Done)
    parents = {row[3] for row in outcome.structured["rows"]}
    assert parents == {rig.named("Chief of Staff")}
    whole = await rig.road().call(Caller(), "list_workspaces", {"limit": 200})
    assert isinstance(whole, Done)
    rows = whole.structured["rows"]
    lead = next(row for row in rows if row[1] == "Marketing Lead")
    assert rows[lead[3]][1] == "Chief of Staff"


async def test_one_whose_budget_is_used_up_is_idle_but_takes_nothing(rig: Rig) -> None:
    (answer, _, _), *_ = await pages(rig)
    found = {row[1]: (row[4], answer["reasons"][row[3]]) for row in answer["rows"]}
    free, why = found["Bookkeeper"]
    assert (free, "budget is used up" in why) == (0, True)
    free, why = found["Finance Lead"]
    assert (free, "budget" in why) == (2, False)


async def test_of_two_with_one_name_it_is_told_where_they_belong(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "get_workspace", {"workspace": "Reviewer"}))
    assert {row["under"] for row in error.details["candidates"]} == {"Engineering Lead", "Support Lead"}


async def test_idle_is_no_status_and_a_list_by_it_is_led_to_the_question(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "list_workspaces", {"status": "idle"}))
    assert error.message.count("must be one of") == 1
    assert "'removed' or 'any'" in error.message and "find_idle_workspaces" in error.message
