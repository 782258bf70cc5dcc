"""The sample organization."""

from collections.abc import Callable
from typing import Any

import pytest

from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import Clock, Desk


@pytest.fixture
async def rows(sample: Desk) -> dict[str, dict[str, Any]]:
    """Listed workspaces by id."""
    return {row["id"]: row for row in await sample.json("/workspaces")}


async def test_about_twenty_five_workspaces_in_teams(rows: dict[str, dict[str, Any]]) -> None:
    assert 23 <= len(rows) <= 28
    roots = [row for row in rows.values() if row["parent_id"] is None]
    assert [root["name"] for root in roots] == ["Chief of Staff"]
    assert all(row["parent_id"] in rows for row in rows.values() if row not in roots)


async def test_every_status_but_provisioning_and_removed_is_listed(rows: dict[str, dict[str, Any]]) -> None:
    statuses = {row["status"] for row in rows.values()}
    assert statuses == {"online", "degraded", "offline", "failed", "paused", "hibernated"}


async def test_failed_ones_tell_why(rows: dict[str, dict[str, Any]]) -> None:
    assert all(row["last_sample_error"] for row in rows.values() if row["status"] == "failed")


async def test_it_holds_the_cases_that_mislead(sample: Desk, rows: dict[str, dict[str, Any]]) -> None:
    names = [row["name"] for row in rows.values()]
    assert names.count("Reviewer") == 2
    assert rows[sample_id("workspaces", "social")]["active_tasks"] == 2
    assert rows[sample_id("workspaces", "social")]["status"] == "paused"
    assert rows[sample_id("workspaces", "qa")]["active_tasks"] == 0
    assert rows[sample_id("workspaces", "partner")]["runtime"] == "external"
    reviewer = rows[sample_id("workspaces", "code-review")]
    assert (reviewer["status"], reviewer["active_tasks"]) == ("online", 0)
    newest = (await sample.json(f"/workspaces/{reviewer['id']}/activity"))[0]
    assert newest["created_at"] == "2026-11-24T08:59:30Z"


async def test_a_removed_one_still_answers_by_its_id(sample: Desk) -> None:
    assert await sample.status(sample_id("workspaces", "old-planner")) == "removed"


async def test_fresh_and_overdue_approvals_wait_and_the_sweep_denies_the_old_ones(sample: Desk) -> None:
    pending = "SELECT count(*) FROM approvals WHERE status = 'pending'"
    assert sample.cell(pending) == 4
    listed = await sample.json("/approvals/pending")
    assert {row["action"] for row in listed} == {"refund_order", "publish_page"}
    assert sample.cell(pending) == 2


async def test_secrets_channels_schedules_delegations_and_keys_are_there(sample: Desk) -> None:
    assert len(await sample.json("/settings/secrets")) == 3
    support = sample_id("workspaces", "support")
    assert [row["channel_type"] for row in await sample.json(f"/workspaces/{support}/channels")] == [
        "telegram",
        "slack",
    ]
    chief = sample_id("workspaces", "chief")
    assert (await sample.json(f"/workspaces/{chief}/schedules"))[0]["next_run_at"] == "2026-11-30T07:00:00Z"
    engineering = sample_id("workspaces", "engineering")
    assert len(await sample.json(f"/workspaces/{engineering}/delegations")) == 3
    assert {key.get("name") for key in (await sample.json("/org/tokens"))["tokens"]} == {
        "ci-deploy",
        "grafana",
        None,
        "tests",
    }
    assert (await sample.json(f"/workspaces/{chief}/memories?scope=GLOBAL&q=release"))[0]["namespace"] == "facts"


async def test_every_managed_workspace_holds_a_token_so_values_stay_closed(sample: Desk) -> None:
    chief = sample_id("workspaces", "chief")
    assert (await sample.org.get(f"/workspaces/{chief}/secrets/values")).status_code == 401


async def test_two_tenants_have_the_same_ids(desks: Callable[..., Desk], clock: Clock) -> None:
    first = [row["id"] for row in await desks(empty=False).json("/events")]
    clock.advance(days=1)
    assert [row["id"] for row in await desks(empty=False).json("/events")] == first
