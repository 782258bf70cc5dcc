"""Questions that one read answers: the organization at a glance, its spending, a workspace by name."""

from typing import Any

from tests.road.rig import Rig, refused

from molecule_mcp.road.traffic import Caller, Done


async def answer(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured


async def test_the_overview_is_one_read_and_its_numbers_are_the_tenants(rig: Rig) -> None:
    told = await answer(rig, "get_overview")
    assert rig.transport.lines == ["GET /workspaces"]
    live = {key: status for key, status in rig.statuses().items() if status != "removed"}
    assert told["workspaces"] == len(live) == sum(told["by_status"].values()) == len(told["tree"])
    assert {row["id"] for row in told["failing"]} == {
        key for key, status in live.items() if status in {"failed", "offline", "degraded"}
    }
    assert told["blocked_by_budget"] == ["Bookkeeper"]
    spent = rig.app.database.execute("SELECT sum(monthly_spend) FROM workspaces WHERE status != 'removed'").fetchone()
    assert told["spend_cents"] == spent[0]


async def test_the_tree_shows_who_is_below_whom(rig: Rig) -> None:
    tree = (await answer(rig, "get_overview"))["tree"]
    lead = tree.index("  Marketing Lead (online, 0/3)")
    assert tree[0].startswith("Chief of Staff")
    assert tree[lead + 1].startswith("    ")


async def test_a_cycle_in_the_tree_ends_and_loses_nobody(rig: Rig) -> None:
    lead, below = rig.named("Finance Lead"), rig.named("Bookkeeper")
    rig.app.database.execute("UPDATE workspaces SET parent_id = ? WHERE id = ?", (below, lead))
    told = await answer(rig, "get_overview")
    assert len(told["tree"]) == told["workspaces"]


async def test_a_large_organization_is_cut_and_says_so(rig: Rig) -> None:
    sql = "INSERT INTO workspaces (id, name, status, created_at, updated_at) VALUES (?, ?, 'failed', 't', 't')"
    rig.app.database.executemany(sql, [(f"00000000-0000-4000-8000-{n:012}", f"w{n}") for n in range(200)])
    told = await answer(rig, "get_overview")
    assert (len(told["tree"]), told["tree_cut"]) == (120, told["workspaces"] - 120)
    assert (len(told["failing"]), told["failing_total"]) == (20, 205)


async def test_spending_is_sorted_and_says_who_is_blocked_or_near(rig: Rig) -> None:
    rig.app.database.execute("UPDATE workspaces SET budget_limit = 4300 WHERE name = 'Marketing Lead'")
    told = await answer(rig, "get_spend", limit=10)
    amounts = [row[2] for row in told["rows"]]
    assert amounts == sorted(amounts, reverse=True)
    states = {row[1]: row[4] for row in told["rows"]}
    assert states["Engineering Lead"] == "within its limit"
    assert states["Bookkeeper"].startswith("blocked")
    assert told["left_out"] == len([1 for each in rig.statuses().values() if each != "removed"]) - 10
    every = {row[1]: row[4] for row in (await answer(rig, "get_spend"))["rows"]}
    assert every["Marketing Lead"] == "near its limit"
    assert every["Copywriter"] == "no limit"


async def test_a_name_that_one_has_is_sure_and_one_that_two_have_is_not(rig: Rig) -> None:
    told = await answer(rig, "find_workspace", name="Copywriter")
    assert (told["sure"], told["candidates"][0]["id"]) == (True, rig.named("Copywriter"))
    told = await answer(rig, "find_workspace", name="Reviewer")
    assert (told["sure"], told["total"]) == (False, 2)
    assert {row["under"] for row in told["candidates"]} == {"Engineering Lead", "Support Lead"}


async def test_other_spellings_parts_roles_and_typing_errors_give_candidates_only(rig: Rig) -> None:
    for name in ("copywriter", "copywr", "landing pages", "Copywritr"):
        told = await answer(rig, "find_workspace", name=name)
        assert not told["sure"], name
        assert told["candidates"][0]["name"] == "Copywriter", name
        assert "note" not in told, name
    told = await answer(rig, "find_workspace", name="zzzzzz")
    assert (told["candidates"], "list_workspaces" in told["note"]) == ([], True)


async def test_a_name_must_be_given(rig: Rig) -> None:
    assert (await refused(rig.road().call(Caller(), "find_workspace", {"name": ""}))).kind == "arguments"
