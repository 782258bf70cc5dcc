"""Why a workspace fails or is quiet, and which schedules are broken, each finding from what the tenant holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused

from molecule_mcp.road.traffic import Caller, Done


async def answer(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured


def change(rig: Rig, sql: str, *values: Any) -> None:
    rig.app.database.execute(sql, values)


async def found(rig: Rig, workspace: str) -> str:
    return "\n".join((await answer(rig, "diagnose_workspace", workspace=workspace))["findings"])


@pytest.mark.parametrize(
    ("workspace", "cause"),
    [
        ("Newsletter Editor", "OPENAI_API_KEY is not valid"),
        ("Newsletter Editor", 'Schedule "monthly issue"'),
        ("Data Engineer", "out of memory"),
        ("Social Media Manager", "paused since"),
        ("Social Media Manager", "1 approval pending"),
        ("Bookkeeper", "5004 of 5000 cents"),
        ("Bookkeeper", "log of the last 7 days is empty"),
        ("QA Engineer", "its agent does not answer"),
        ("Night Shift", "sleeps until a message comes"),
        ("Release Manager", "62 % of its last calls failed"),
        ("Researcher", "It is full (2 of 2 tasks)"),
        ("Partner Bot", "never sent a heartbeat"),
    ],
)
async def test_the_cause_that_the_sample_has_is_found(rig: Rig, workspace: str, cause: str) -> None:
    assert cause in await found(rig, workspace)
    assert rig.transport.changes == []


async def test_a_paused_ancestor_is_named_and_a_cycle_of_ancestors_ends(rig: Rig) -> None:
    lead, below = rig.named("Finance Lead"), rig.named("Bookkeeper")
    change(rig, "UPDATE workspaces SET status = 'paused' WHERE id = ?", lead)
    assert 'Its ancestor "Finance Lead" is paused' in await found(rig, "Bookkeeper")
    change(rig, "UPDATE workspaces SET parent_id = ? WHERE id = ?", below, lead)
    assert 'Its ancestor "Finance Lead" is paused' in await found(rig, "Bookkeeper")


async def test_silence_and_a_missing_address_are_findings(rig: Rig) -> None:
    old = f"{datetime.now(UTC) - timedelta(hours=49):%Y-%m-%dT%H:%M:%S.%fZ}"
    change(rig, "UPDATE activity SET created_at = ? WHERE workspace_id = ?", old, rig.named("Copywriter"))
    assert "Nothing in its log for 49 hours" in await found(rig, "Copywriter")
    change(rig, "UPDATE workspaces SET url = '' WHERE name = 'Partner Bot'")
    assert "gave no address" in await found(rig, "Partner Bot")


async def test_a_healthy_workspace_is_said_to_be_so(rig: Rig) -> None:
    told = await answer(rig, "diagnose_workspace", workspace="Marketing Lead")
    healthy = told["findings"] == ["Nothing that can be read from outside stands in its way."]
    assert healthy or all("log" in each for each in told["findings"])
    assert told["unread"] == []


async def test_what_cannot_be_read_is_told_and_the_rest_still_answers(rig: Rig) -> None:
    async def no_schedules(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(404, json={"error": "gone"}) if request.url.path.endswith("/schedules") else None

    rig.transport.before = no_schedules
    told = await answer(rig, "diagnose_workspace", workspace="Newsletter Editor")
    assert len(told["unread"]) == 1
    assert told["unread"][0].startswith("schedules: ")
    assert "OPENAI_API_KEY is not valid" in "\n".join(told["findings"])


async def test_a_removed_workspace_is_not_diagnosed(rig: Rig) -> None:
    gone = rig.named("Campaign Planner 2024")
    error = await refused(rig.road().call(Caller(), "diagnose_workspace", {"workspace": gone}))
    assert "removed" in str(error.advice)


BROKEN = (
    ("last_status = 'ok', next_run_at = '0001-01-01T00:00:00.000000Z'", "never matches"),
    ("last_status = 'error', last_error = 'boom'", 'its last run failed: "boom"'),
    ("last_status = 'stale'", "answered with nothing at least three times in a row; see diagnose_workspace"),
    ("last_status = 'skipped'", "its last run was skipped: its agent was at capacity for 2 minutes; see diagnose_"),
    ("last_status = 'ok', next_run_at = '2026-01-01T00:00:00.000000Z'", "was due 2026-01-01"),
)


@pytest.mark.parametrize(("change_of", "why"), BROKEN)
async def test_each_way_a_schedule_is_broken_is_told(rig: Rig, change_of: str, why: str) -> None:
    one = rig.app.database.execute(
        "SELECT schedules.id, workspaces.name FROM schedules JOIN workspaces ON workspaces.id = workspace_id "
        "WHERE enabled AND status = 'online' AND last_status != 'error'"
    ).fetchone()
    change(rig, "UPDATE schedules SET last_status = 'ok', last_error = ''")
    assert one[0] not in {row["schedule_id"] for row in (await answer(rig, "find_broken_schedules"))["broken"]}
    change(rig, f"UPDATE schedules SET {change_of} WHERE id = ?", one[0])
    rows = {row["schedule_id"]: row for row in (await answer(rig, "find_broken_schedules"))["broken"]}
    assert why in rows[one[0]]["why"]
    assert rows[one[0]]["workspace"] == one[1]


async def test_a_schedule_of_a_workspace_that_does_not_run_is_broken_and_one_switched_off_is_not(rig: Rig) -> None:
    change(rig, "UPDATE schedules SET last_status = 'ok', enabled = 1")
    change(rig, "UPDATE workspaces SET status = 'paused' WHERE status != 'removed'")
    told = await answer(rig, "find_broken_schedules")
    assert told["checked"] == len(told["broken"]) > 0
    assert "; the workspace is paused; see diagnose_workspace" in told["broken"][0]["why"]
    change(rig, "UPDATE workspaces SET status = 'failed', last_sample_error = 'no such image'")
    change(rig, "UPDATE schedules SET last_status = 'error', last_error = 'no answer'")
    assert (await answer(rig, "find_broken_schedules"))["broken"][0]["why"] == (
        'its last run failed: "no answer"; the workspace is failed, last error: "no such image"; see diagnose_workspace'
    )
    change(rig, "UPDATE schedules SET enabled = 0")
    told = await answer(rig, "find_broken_schedules")
    assert (told["broken"], told["switched_off"]) == ([], told["checked"])


async def test_a_schedule_of_a_workspace_that_starts_is_broken_only_by_what_it_shows_itself(rig: Rig) -> None:
    change(rig, "UPDATE schedules SET last_status = 'ok', enabled = 1, next_run_at = '2999-01-01T00:00:00.000000Z'")
    begun = "2999-01-01T00:00:00.000000Z"
    change(rig, "UPDATE workspaces SET status = 'provisioning', provisioning_at = ? WHERE status != 'removed'", begun)
    told = await answer(rig, "find_broken_schedules")
    assert (told["broken"], told["checked"] > 0) == ([], True)
    assert "Schedule" not in await found(rig, "Newsletter Editor")
    change(rig, "UPDATE schedules SET last_status = 'stale'")
    assert len((await answer(rig, "find_broken_schedules"))["broken"]) == told["checked"]


async def test_schedules_that_could_not_be_read_are_named_by_workspace(rig: Rig) -> None:
    hidden = rig.named("Copywriter")

    async def refuse(request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(404, json={"error": "no"}) if request.url.path == f"/workspaces/{hidden}/schedules" else None
        )

    rig.transport.before = refuse
    assert list((await answer(rig, "find_broken_schedules"))["unread"]) == [hidden]


async def test_a_time_that_is_none_makes_the_read_a_failed_one(rig: Rig) -> None:
    change(rig, "UPDATE activity SET created_at = 'yesterday' WHERE workspace_id = ?", rig.named("Copywriter"))
    told = await answer(rig, "diagnose_workspace", workspace="Copywriter")
    assert told["unread"][0].startswith("activity: ")
