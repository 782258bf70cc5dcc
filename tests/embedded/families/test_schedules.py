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


async def scheduled(desk: Desk, **more: Any) -> str:
    """The path of a new schedule."""
    base = f"/workspaces/{await desk.workspace()}/schedules"
    made = await desk.org.post(base, json={"name": "a", "cron_expr": "0 9 * * *", "prompt": "p", **more})
    return f"{base}/{made.json()['id']}"


async def only(desk: Desk, path: str) -> dict[str, Any]:
    return (await desk.json(path.rsplit("/", 1)[0]))[0]


async def test_only_an_expression_or_a_zone_moves_the_next_run(desk: Desk) -> None:
    path = await scheduled(desk)
    before = await only(desk, path)
    assert (await desk.org.patch(path, json={"enabled": False, "prompt": ""})).json() == {"status": "updated"}
    after = await only(desk, path)
    assert (after["enabled"], after["prompt"], after["next_run_at"]) == (False, "", before["next_run_at"])
    await desk.org.patch(path, json={"cron_expr": "0 10 * * *", "timezone": ""})
    assert (await only(desk, path))["next_run_at"] != before["next_run_at"]
    assert (await desk.org.patch(path, json={})).status_code == 200


async def test_a_change_that_cannot_be_is_refused_as_the_tenant_does(desk: Desk) -> None:
    path = await scheduled(desk)
    await desk.org.post(path.rsplit("/", 1)[0], json={"name": "b", "cron_expr": "* * * * *", "prompt": "p"})
    cases: list[tuple[str, Any, int, str]] = [
        (path, {"name": 1}, 400, "invalid JSON"),
        (path, {"cron_expr": "x"}, 400, "invalid request body"),
        (path, {"timezone": "Mars/Base"}, 400, "invalid timezone: Mars/Base"),
        (path, {"name": "b"}, 500, "failed to update schedule"),
        (f"{path}x", {}, 500, "failed to update schedule"),
        (f"{path}x", {"cron_expr": "* * * * *"}, 404, "schedule not found"),
        (path[:-36] + UNKNOWN, {}, 404, "schedule not found"),
    ]
    for place, body, status, error in cases:
        told = await desk.org.patch(place, json=body)
        assert (told.status_code, told.json()) == (status, {"error": error}), body


async def test_run_answers_the_prompt_and_runs_nothing(desk: Desk) -> None:
    path = await scheduled(desk)
    told = (await desk.org.post(f"{path}/run")).json()
    assert told == {"status": "fired", "workspace_id": path.split("/")[2], "prompt": "p"}
    assert (await only(desk, path))["run_count"] == 0
    assert (await desk.org.post(f"{path}x/run")).json() == {"error": "failed to read schedule"}


async def test_a_deleted_schedule_is_gone_and_its_history_stays(desk: Desk) -> None:
    path = await scheduled(desk)
    body = f'{{"schedule_id": "{path.rsplit("/", 1)[1]}", "schedule_name": "a", "cron_expr": "0 9 * * *"}}'
    columns = "id, workspace_id, activity_type, request_body, created_at"
    sql = f"INSERT INTO activity ({columns}) VALUES ('r', ?, 'cron_run', ?, ?)"
    desk.app.database.execute(sql, (path.split("/")[2], body, "2026-11-24T08:00:00.000000Z"))
    assert (await desk.org.delete(path)).json() == {"status": "deleted"}
    assert (await desk.org.delete(path)).status_code == 404
    assert (await desk.org.delete(f"{path}x")).json() == {"error": "failed to delete schedule"}
    (run,) = await desk.json(f"{path}/history")
    assert (run["status"], run["timestamp"], run["request"]["schedule_name"]) == ("ok", "2026-11-24T08:00:00Z", "a")
    assert await desk.json(f"{path}x/history") == []
    assert (await desk.org.get("/workspaces/x/schedules/y/history")).json() == {"error": "failed to query history"}


async def test_health_knows_when_one_ran_and_nothing_else(desk: Desk) -> None:
    path = await scheduled(desk)
    await desk.org.patch(path, json={"enabled": False})
    (row,) = await desk.json("/admin/schedules/health")
    assert (row["status"], row["stale_threshold_seconds"], row["last_run_at"]) == ("never_run", 2 * 86400, None)
    for when, status in (("2026-11-24T08:00:00.000000Z", "ok"), ("2026-01-01T00:00:00.000000Z", "stale")):
        desk.app.database.execute("UPDATE schedules SET last_run_at = ?, last_status = 'error'", (when,))
        assert (await desk.json("/admin/schedules/health"))[0]["status"] == status
    await desk.org.patch(path, json={"cron_expr": "0 0 31 2 *"})
    assert (await desk.json("/admin/schedules/health"))[0]["stale_threshold_seconds"] == 0
