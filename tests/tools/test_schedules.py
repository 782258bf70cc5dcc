"""Schedules made, changed, run, read and deleted, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.traffic import Asked, Caller

GIVEN = {"name": "digest", "cron_expr": "0 9 * * 1-5", "prompt": "Write the digest", "timezone": "Asia/Tokyo"}


async def done(rig: Rig, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call, say yes to whatever is asked, and return the first item, or the whole answer of a read."""
    road = rig.road()
    outcome = await road.call(can_ask(), tool, given)
    if isinstance(outcome, Asked):
        outcome = await answered(road, tool, given, outcome, allow=True)
    return outcome.structured.get("items", [outcome.structured])[0]


async def made(rig: Rig, **more: Any) -> dict[str, Any]:
    """The ids of a new schedule."""
    workspace = rig.named("SEO Analyst")
    told = await done(rig, "create_schedule", {"workspace_id": workspace, **GIVEN, **more})
    return {"workspace_id": workspace, "schedule_id": told["id"]}


def row(rig: Rig, schedule: str) -> dict[str, Any]:
    cursor = rig.app.database.execute("SELECT * FROM schedules WHERE id = ?", (schedule,))
    return dict(zip([each[0] for each in cursor.description], cursor.fetchone(), strict=True))


async def test_a_new_schedule_says_when_it_runs_first_and_is_listed(rig: Rig) -> None:
    ids = await made(rig, prompt="x" * 400)
    told = await done(rig, "list_schedules", {"workspace_id": ids["workspace_id"]})
    (listed,) = told["schedules"]
    assert (listed["id"], listed["cron_expr"], len(listed["prompt"])) == (ids["schedule_id"], "0 9 * * 1-5", 300)
    assert listed["next_run_at"].endswith("T00:00:00Z")
    assert "note" not in told


async def test_a_workspace_that_does_not_run_is_said_to_fail_its_schedules(rig: Rig) -> None:
    told = await done(rig, "list_schedules", {"workspace_id": rig.named("Newsletter Editor")})
    assert "keep firing and fail" in told["note"]


async def test_a_new_schedule_of_a_workspace_that_does_not_run_says_that_it_will_fail(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Newsletter Editor"), **GIVEN}
    assert "failed: schedules keep firing and fail" in (await done(rig, "create_schedule", given))["note"]
    assert "note" not in await done(rig, "create_schedule", {**given, "name": "switched off", "enabled": False})
    assert "note" not in await done(rig, "create_schedule", {**given, "workspace_id": rig.named("SEO Analyst")})


async def test_a_workspace_that_starts_fails_no_schedule(rig: Rig) -> None:
    ids = await made(rig)
    sql = "UPDATE workspaces SET status = 'provisioning', provisioning_at = '2999-01-01T00:00:00.000000Z' WHERE id = ?"
    rig.app.database.execute(sql, (ids["workspace_id"],))
    assert "note" not in await done(rig, "list_schedules", {"workspace_id": ids["workspace_id"]})


@pytest.mark.parametrize(
    "change", [{"cron_expr": "0 0 31 2 *"}, {"cron_expr": "@daily"}, {"timezone": "Mars/Base"}, {"prompt": ""}]
)
async def test_what_the_tenant_would_take_and_never_run_is_refused(rig: Rig, change: dict[str, str]) -> None:
    call = rig.road().call(Caller(), "create_schedule", {"workspace_id": rig.named("SEO Analyst"), **GIVEN, **change})
    error = await refused(call)
    assert error.kind == "arguments"
    assert ("Europe/Berlin" in error.message) == ("timezone" in change)
    assert ("0 2 * * *" in str(error.advice)) == ("cron_expr" in change), "an example of what would be taken"
    assert rig.transport.changes == []


async def test_a_name_that_is_taken_and_a_removed_workspace_are_refused(rig: Rig) -> None:
    ids = await made(rig)
    again = {"workspace_id": ids["workspace_id"], **GIVEN}
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert "of this name" in (await refused(rig.road().call(Caller(), "create_schedule", again))).message
    gone = {"workspace_id": rig.named("Campaign Planner 2024"), **GIVEN}
    assert "removed" in (await refused(rig.road().call(Caller(), "create_schedule", gone))).message


async def test_a_change_tells_before_and_after(rig: Rig) -> None:
    ids = await made(rig)
    told = await done(rig, "update_schedule", {**ids, "prompt": "Write it shorter"})
    assert told["before"] == {"prompt": "Write the digest"}
    assert told["after"] == {"prompt": "Write it shorter"} == {"prompt": row(rig, ids["schedule_id"])["prompt"]}


async def test_one_switched_off_names_no_next_run(rig: Rig) -> None:
    told = await done(rig, "update_schedule", {**await made(rig), "enabled": "no"})
    assert told["after"] == {"enabled": False}
    assert "next_run_at" not in told


async def test_one_switched_on_again_does_not_fire_at_once_for_a_run_long_past(rig: Rig) -> None:
    ids = await made(rig, enabled=False)
    rig.app.database.execute("UPDATE schedules SET next_run_at = '2020-01-01T00:00:00.000000Z'")
    told = await done(rig, "update_schedule", {**ids, "enabled": "yes"})
    assert told["after"] == {"enabled": True}
    assert told["next_run_at"] > "2021"


async def test_a_change_to_nothing_or_to_a_date_that_never_comes_is_refused(rig: Rig) -> None:
    ids = await made(rig)
    sent = len(rig.transport.changes)
    for change in (
        {},
        {"cron_expr": "0 0 30 2 *"},
        {"schedule_id": "00000000-0000-4000-8000-000000000000", "name": "x"},
    ):
        assert (await refused(rig.road().call(Caller(), "update_schedule", {**ids, **change}))).kind == "arguments"
    assert len(rig.transport.changes) == sent


async def test_running_one_really_sends_its_prompt_and_tells_the_answer(rig: Rig) -> None:
    ids = await made(rig)
    told = await done(rig, "run_schedule", ids)
    assert told["state"] == "answered"
    assert "Write the digest" in told["text"]
    assert rig.transport.changes[-1] == f"POST /workspaces/{ids['workspace_id']}/a2a"
    rig.app.database.execute("UPDATE schedules SET prompt = '' WHERE id = ?", (ids["schedule_id"],))
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert "no prompt" in (await refused(rig.road().call(Caller(), "run_schedule", ids))).message


async def test_running_one_tells_nothing_to_an_agent_that_has_no_address(rig: Rig) -> None:
    ids = await made(rig)
    sent = len(rig.transport.changes)
    rig.app.database.execute("UPDATE workspaces SET url = '' WHERE id = ?", (ids["workspace_id"],))
    error = await refused(rig.road().call(Caller(), "run_schedule", ids))
    assert (error.sent, "no address" in error.message, len(rig.transport.changes)) == (False, True, sent)


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_running_one_leaves_open_what_an_agent_did_before_its_error(rig: Rig, status: int) -> None:
    ids = await made(rig)

    async def agents_own(request: httpx.Request) -> httpx.Response | None:
        told = {"error": "no such file", "code": "platform_unavailable"}
        return httpx.Response(status, json=told) if request.url.path.endswith("/a2a") else None

    rig.transport.before = agents_own
    error = await refused(rig.road().call(Caller(), "run_schedule", ids))
    assert (error.sent, "is not known" in error.message) == ("unknown", True)
    assert sum(line.endswith("/a2a") for line in rig.transport.changes) == 1


async def test_a_delete_is_asked_about_and_read_back(rig: Rig) -> None:
    ids = await made(rig)
    question = await asked(rig.road(), "delete_schedule", ids)
    assert question.plan.risk == "destroy"
    assert any("Write the digest" in line for line in question.plan.question.lines)
    assert (await done(rig, "delete_schedule", ids))["state"] == "deleted"
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (await refused(rig.road().call(can_ask(), "delete_schedule", ids))).kind == "arguments"


@pytest.mark.parametrize(("answer", "said"), [(200, "still shows it"), (404, "reading back failed")])
async def test_a_delete_that_cannot_be_seen_is_not_reported(rig: Rig, answer: int, said: str) -> None:
    ids = await made(rig)
    gone: list[bool] = []

    async def pretend(request: httpx.Request) -> httpx.Response | None:
        if request.method == "DELETE":
            gone.append(True)
            return httpx.Response(200, json={"status": "deleted"})
        return httpx.Response(404, json={"error": "x"}) if gone and answer == 404 else None

    road = rig.road()
    question = await asked(road, "delete_schedule", ids)
    rig.transport.before = pretend
    error = await refused(answered(road, "delete_schedule", ids, question, allow=True))
    assert (error.sent, said in error.message) == (True, True)


async def test_a_change_that_cannot_be_read_back_says_that_it_was_sent(rig: Rig) -> None:
    ids = await made(rig)
    gone: list[bool] = []

    async def then_silent(request: httpx.Request) -> httpx.Response | None:
        gone.extend([True] if request.method == "PATCH" else [])
        return httpx.Response(404, json={"error": "x"}) if gone and request.method == "GET" else None

    rig.transport.before = then_silent
    error = await refused(rig.road().call(Caller(), "update_schedule", {**ids, "name": "y"}))
    assert (error.sent, "reading back" in error.message) == (True, True)


async def test_history_and_health_are_told(rig: Rig) -> None:
    ids = await made(rig)
    assert (await done(rig, "list_schedule_history", ids))["runs"] == []
    told = await done(rig, "list_all_schedule_health", {"limit": 3})
    count = rig.app.database.execute("SELECT count(*) FROM schedules").fetchone()[0]
    assert (len(told["rows"]), told["left_out"]) == (3, count - 3)
