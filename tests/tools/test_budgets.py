"""Budgets read and set, and token usage, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, can_ask, refused

from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.tools.budgets import standing


async def done(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    """The first item of a change, or the whole answer of a read."""
    outcome = await rig.road().call(can_ask(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured.get("items", [outcome.structured])[0]


def limit(rig: Rig, workspace_id: str) -> int | None:
    """The stored limit."""
    sql = "SELECT budget_limit FROM workspaces WHERE id = ?"
    return rig.app.database.execute(sql, (workspace_id,)).fetchone()[0]


async def test_a_budget_tells_how_the_spend_stands(rig: Rig) -> None:
    told = await done(rig, "get_budget", workspace_id=rig.named("Bookkeeper"))
    assert (told["limit_cents"], told["spend_cents"]) == (5000, 5004)
    assert told["state"].startswith("blocked")
    told = await done(rig, "get_budget", workspace_id=rig.named("Finance Lead"))
    assert (told["state"], "limit_cents" in told) == ("no limit", False)


@pytest.mark.parametrize(
    ("spend", "most", "said"),
    [(0, None, "no limit"), (0, 0, "blocked"), (0, -5, "blocked"), (79, 100, "within"), (80, 100, "near")],
)
def test_how_a_spend_stands(spend: int, most: int | None, said: str) -> None:
    assert standing(spend, most).startswith(said)


async def test_setting_a_limit_tells_the_former_one_and_what_it_does(rig: Rig) -> None:
    lead = rig.named("Marketing Lead")
    told = await done(rig, "set_budget", workspace_id=lead, limit_cents=4000)
    assert (told["before_cents"], told["limit_cents"], told["spend_cents"]) == (10000, 4000, 4210)
    assert told["state"].startswith("blocked")
    assert limit(rig, lead) == 4000


async def test_a_limit_is_removed_only_when_asked_for_by_name(rig: Rig) -> None:
    lead = rig.named("Marketing Lead")
    told = await done(rig, "set_budget", workspace_id=lead, no_limit=True)
    assert (told["before_cents"], told["state"], limit(rig, lead)) == (10000, "no limit", None)


@pytest.mark.parametrize(
    "given",
    [{}, {"limit_cents": 5, "no_limit": True}, {"limit_cents": -1}, {"limit_cents": 2**53}, {"limit_cents": 1.5}],
)
async def test_what_the_tenant_would_turn_into_a_block_is_refused_here(rig: Rig, given: dict[str, Any]) -> None:
    call = rig.road().call(Caller(), "set_budget", {"workspace_id": rig.named("Marketing Lead"), **given})
    error = await refused(call)
    assert error.kind == "arguments"
    assert ("no_limit=true alone removes" in str(error.advice)) == (given == {} or "no_limit" in given)
    assert rig.transport.lines == []


async def test_a_removed_workspace_takes_no_limit(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Campaign Planner 2024"), "limit_cents": 5}
    assert (await refused(rig.road().call(Caller(), "set_budget", given))).sent is False
    assert rig.transport.changes == []


async def test_a_limit_that_is_not_there_afterwards_is_not_reported(rig: Rig) -> None:
    async def pretend(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            return httpx.Response(200, json={"budget_limit": 5, "monthly_spend": 0, "budget_remaining": 5})
        return None

    rig.transport.before = pretend
    given = {"workspace_id": rig.named("Marketing Lead"), "limit_cents": 5}
    error = await refused(rig.road().call(Caller(), "set_budget", given))
    assert (error.sent, "another one" in error.message) == (True, True)


async def test_usage_is_of_today(rig: Rig) -> None:
    rig.app.database.execute("DELETE FROM token_usage")
    chief = rig.named("Chief of Staff")
    when = "2999-01-01T00:00:00.000000Z"
    rig.app.database.execute("INSERT INTO token_usage VALUES (?, 8000, 1600, ?)", (chief, when))
    told = await done(rig, "get_token_usage", workspace_id=chief)
    assert (told["input_tokens"], told["total_calls"], told["estimated_cost_usd"]) == (8000, 1, "0.048000")
    assert told["period_start"].endswith("T00:00:00Z")
