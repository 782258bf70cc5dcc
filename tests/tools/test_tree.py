"""What is alive below a removed workspace is counted and shown, though the list does not say that it is below."""

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.tools.naming import Known
from molecule_mcp.tools.tree import below

LABEL = "Alive below a removed one"


def put(rig: Rig, name: str, under: str, status: str = "") -> str:
    """Move a workspace; its id."""
    rig.app.database.execute(
        "UPDATE workspaces SET parent_id = ?, status = CASE ? WHEN '' THEN status ELSE ? END WHERE id = ?",
        (rig.named(under), status, status, rig.named(name)),
    )
    return rig.named(name)


@pytest.fixture
def cut_off(rig: Rig) -> str:
    """The id of one that is below Finance Lead by way of two removed ones."""
    put(rig, "Bookkeeper", "Finance Lead", "removed")
    put(rig, "Campaign Planner 2024", "Bookkeeper", "removed")
    return put(rig, "SEO Analyst", "Campaign Planner 2024")


async def shown(rig: Rig, tool: str, name: str) -> tuple[str, str]:
    """The risk of a call, and what its question says of orphans."""
    plan = (await asked(rig.road(), tool, {"workspace_id": rig.named(name)})).plan
    return plan.risk, "\n".join(plan.question.lines).partition(LABEL)[2]


@pytest.mark.parametrize(
    ("tool", "risk"),
    [("delete_workspace", "critical"), ("pause_workspace", "destroy"), ("resume_workspace", "destroy")],
)
async def test_one_below_removed_ones_raises_the_risk_and_is_shown(
    rig: Rig, cut_off: str, tool: str, risk: str
) -> None:
    if tool == "resume_workspace":
        rig.app.database.execute(
            "UPDATE workspaces SET status = 'paused' WHERE name IN ('Finance Lead', 'SEO Analyst')"
        )
    assert (await refused(rig.road().call(Caller(), tool, {"workspace_id": rig.named("Finance Lead")}))).kind == (
        "no_approver"
    )
    found, said = await shown(rig, tool, "Finance Lead")
    assert (found, cut_off in said) == (risk, True)
    assert rig.named("Bookkeeper") not in said


async def test_one_that_comes_below_after_the_question_makes_the_yes_worthless(rig: Rig, cut_off: str) -> None:
    given = {"workspace_id": rig.named("Finance Lead")}
    road = rig.road()
    question = await asked(road, "delete_workspace", given)
    put(rig, "Copywriter", "Bookkeeper")
    error = await refused(answered(road, "delete_workspace", given, question, phrase=question.plan.question.phrase))
    assert (error.kind, rig.transport.changes) == ("stale_plan", [])


async def test_what_is_below_a_removed_one_that_is_purged_is_shown(rig: Rig, cut_off: str) -> None:
    given = {"workspace_id": rig.named("Campaign Planner 2024"), "purge": True}
    lines = (await asked(rig.road(), "delete_workspace", given)).plan.question.lines
    assert cut_off in "\n".join(lines).partition(LABEL)[2]


async def test_a_way_that_is_erased_or_cannot_be_read_is_told_apart(rig: Rig, cut_off: str) -> None:
    """A purged parent is no way to anybody; a read that fails is no proof that nobody is there."""
    answer = httpx.Response(404, json={"error": "workspace not found"})
    gone = rig.named("Campaign Planner 2024")

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        return answer if request.url.path == f"/workspaces/{gone}" else None

    rig.transport.before = step_in
    assert await shown(rig, "delete_workspace", "Finance Lead") == ("destroy", "")
    answer = httpx.Response(500, json={"error": "query failed"})
    call = rig.road().call(can_ask(), "delete_workspace", {"workspace_id": rig.named("Marketing Lead")})
    assert (await refused(call)).kind == "refused"
    assert rig.transport.changes == []


async def test_nothing_more_is_read_or_said_where_nobody_hangs_below_a_removed_one(rig: Rig) -> None:
    call = rig.road().call(Caller(), "pause_workspace", {"workspace_id": rig.named("SEO Analyst")})
    assert isinstance(await call, Done)
    assert {line.split("?")[0] for line in rig.transport.lines if line.startswith("GET")} == {
        "GET /workspaces",
        f"GET /workspaces/{rig.named('SEO Analyst')}",
    }


def test_children_come_before_parents_and_a_cycle_ends() -> None:
    rows = [Known(id=key, name=key, status="online", parent_id=up) for key, up in (("a", "c"), ("b", "a"), ("c", "b"))]
    assert [row.id for row in below(rows, "a")] == ["c", "b", "a"]
    assert below(rows, "x") == []
