"""Budgets and token usage."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk


async def test_a_budget_is_set_cleared_and_told_with_what_is_left(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/budget"
    desk.app.database.execute("UPDATE workspaces SET monthly_spend = 1234")
    assert await desk.json(path) == {"budget_limit": None, "monthly_spend": 1234, "budget_remaining": None}
    told = await desk.org.patch(path, json={"budget_limit": 10000})
    assert told.json() == {"budget_limit": 10000, "monthly_spend": 1234, "budget_remaining": 8766}
    assert (await desk.org.patch(path, json={"budget_limit": 0})).json()["budget_remaining"] == -1234
    assert (await desk.org.patch(path, json={"budget_limit": None})).json()["budget_limit"] is None


@pytest.mark.parametrize(("given", "kept"), [(1.9, 1), (1e30, -(2**63)), (2**63, -(2**63)), (2**40, 2**40)])
async def test_fractions_are_cut_and_huge_limits_turn_negative(desk: Desk, given: Any, kept: int) -> None:
    path = f"/workspaces/{await desk.workspace()}/budget"
    assert (await desk.org.patch(path, json={"budget_limit": given})).json()["budget_limit"] == kept
    assert (await desk.json(path))["budget_limit"] == kept


async def test_a_negative_limit_blocks_every_message(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await desk.org.patch(f"/workspaces/{workspace_id}/budget", json={"budget_limit": 1e30})
    told = await desk.org.post(f"/workspaces/{workspace_id}/a2a", json={"method": "message/send", "params": {}})
    assert told.status_code == 402


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"[]", "invalid request body"),
        (b"", "invalid request body"),
        (b"{}", "budget_limit field is required"),
        (b'{"budget_limit": "5"}', "budget_limit must be an integer (USD cents) or null"),
        (b'{"budget_limit": true}', "budget_limit must be an integer (USD cents) or null"),
        (b'{"budget_limit": -1}', "budget_limit must be >= 0 (USD cents)"),
    ],
)
async def test_what_is_no_limit_is_refused(desk: Desk, body: bytes, error: str) -> None:
    told = await desk.org.patch(f"/workspaces/{await desk.workspace()}/budget", content=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_removed_and_unknown_workspaces_have_no_budget_and_an_id_that_is_none_differs(desk: Desk) -> None:
    gone = await desk.workspace()
    await desk.org.delete(f"/workspaces/{gone}")
    for each in (gone, UNKNOWN, "x"):
        told = await desk.org.patch(f"/workspaces/{each}/budget", json={"budget_limit": 1})
        assert (told.status_code, told.json()) == (404, {"error": "workspace not found"})
    assert (await desk.org.get(f"/workspaces/{gone}/budget")).status_code == 404
    told = await desk.org.get("/workspaces/x/budget")
    assert (told.status_code, told.json()) == (500, {"error": "query failed"})


async def test_a_workspace_reads_its_budget_and_may_not_set_it(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    own = desk.client(await desk.token(workspace_id))
    assert (await own.get(f"/workspaces/{workspace_id}/budget")).status_code == 200
    assert (await own.patch(f"/workspaces/{workspace_id}/budget", json={"budget_limit": 1})).status_code == 401


async def test_tokens_count_since_midnight_at_a_flat_price(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    for when in ("2026-11-24T00:00:00.000000Z", "2026-11-24T08:00:00.000000Z", "2026-11-23T23:59:59.999999Z"):
        desk.app.database.execute("INSERT INTO token_usage VALUES (?, 4000, 800, ?)", (workspace_id, when))
    assert await desk.json(f"/workspaces/{workspace_id}/metrics") == {
        "input_tokens": 8000,
        "output_tokens": 1600,
        "total_calls": 2,
        "estimated_cost_usd": "0.048000",
        "period_start": "2026-11-24T00:00:00Z",
        "period_end": "2026-11-25T00:00:00Z",
    }


async def test_usage_of_a_removed_workspace_is_told_and_of_an_unknown_one_is_not(desk: Desk) -> None:
    gone = await desk.workspace()
    await desk.org.delete(f"/workspaces/{gone}")
    assert (await desk.json(f"/workspaces/{gone}/metrics"))["estimated_cost_usd"] == "0.000000"
    assert (await desk.org.get(f"/workspaces/{UNKNOWN}/metrics")).status_code == 404
    told = await desk.org.get("/workspaces/x/metrics")
    assert (told.status_code, told.json()) == (500, {"error": "failed to verify workspace"})
