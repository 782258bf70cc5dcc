"""Schedules."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk


async def test_a_schedule_says_when_it_is_due_and_is_listed_oldest_first(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    body = {
        "name": "digest",
        "cron_expr": "0 9 * * 1-5",
        "timezone": "Asia/Tokyo",
        "prompt": "a\r\nb",
        "enabled": False,
    }
    told = await desk.org.post(f"/workspaces/{workspace_id}/schedules", json=body)
    assert (told.status_code, told.json()["next_run_at"]) == (201, "2026-11-25T00:00:00Z")
    await desk.org.post(f"/workspaces/{workspace_id}/schedules", json={"cron_expr": "* * * * *", "prompt": " "})
    first, second = await desk.json(f"/workspaces/{workspace_id}/schedules")
    assert (first["name"], first["prompt"], first["enabled"], first["timezone"]) == (
        "digest",
        "a\nb",
        False,
        "Asia/Tokyo",
    )
    assert (second["name"], second["enabled"], second["timezone"], second["last_run_at"]) == ("", True, "UTC", None)


async def test_a_date_that_never_comes_is_due_in_year_one(desk: Desk) -> None:
    body = {"cron_expr": "0 0 31 2 *", "prompt": "p"}
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/schedules", json=body)
    assert told.json()["next_run_at"] == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "cron_expr and prompt are required"),
        ({"cron_expr": "* * * * *", "prompt": ""}, "cron_expr and prompt are required"),
        ({"cron_expr": 1, "prompt": "p"}, "cron_expr and prompt are required"),
        ({"cron_expr": "@hourly", "prompt": "p"}, "invalid request body"),
        ({"cron_expr": "* * * * *", "prompt": "p", "timezone": "Mars/Base"}, "invalid timezone: Mars/Base"),
    ],
)
async def test_what_cannot_be_scheduled_is_refused(desk: Desk, body: dict[str, Any], error: str) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/schedules", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_a_name_taken_and_unknown_workspaces_are_server_errors(desk: Desk) -> None:
    workspace_id, body = await desk.workspace(), {"cron_expr": "* * * * *", "prompt": "p"}
    await desk.org.post(f"/workspaces/{workspace_id}/schedules", json=body)
    for each in (workspace_id, UNKNOWN, "x"):
        told = await desk.org.post(f"/workspaces/{each}/schedules", json=body)
        assert (told.status_code, told.json()) == (500, {"error": "failed to create schedule"})
    assert (await desk.org.get("/workspaces/x/schedules")).json() == {"error": "failed to query schedules"}


async def test_a_deleted_workspace_takes_schedules(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await desk.org.delete(f"/workspaces/{workspace_id}")
    body = {"cron_expr": "* * * * *", "prompt": "p"}
    assert (await desk.org.post(f"/workspaces/{workspace_id}/schedules", json=body)).status_code == 201
