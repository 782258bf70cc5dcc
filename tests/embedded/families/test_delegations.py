"""Delegations: accepted at once, checked later, listed as two rows."""

import json
from typing import Any

import pytest

from molecule_mcp.embedded.families.delegations import preview
from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk

MARKETING = sample_id("workspaces", "marketing")
ENGINEERING = sample_id("workspaces", "engineering")
FRONTEND = sample_id("workspaces", "frontend")


async def handed(desk: Desk, target: str, source: str = ENGINEERING, **more: Any) -> dict[str, Any]:
    told = await desk.org.post(f"/workspaces/{source}/delegate", json={"target_id": target, "task": "Do it", **more})
    assert told.status_code == 202, told.text
    return told.json()


async def statuses(desk: Desk, source: str = ENGINEERING) -> list[str]:
    """Of the newest delegation's rows, newest first."""
    rows = await desk.json(f"/workspaces/{source}/delegations")
    begun = next(place for place, row in enumerate(rows) if row["summary"].startswith("Delegating"))
    return [row["status"] for row in rows[: begun + 1]]


async def test_a_delegation_shows_as_two_rows(sample: Desk) -> None:
    review, result, request = await sample.json(f"/workspaces/{ENGINEERING}/delegations")
    assert (review["status"], "response_preview" in review) == ("dispatched", False)
    assert result["delegation_id"] == request["delegation_id"]
    assert (result["status"], request["status"]) == ("completed", "completed")
    assert result["response_preview"].startswith("The export loads")


async def test_a_failed_result_row_has_no_delegation_id(sample: Desk) -> None:
    result, request = await sample.json(f"/workspaces/{MARKETING}/delegations")
    assert "delegation_id" not in result
    assert (request["status"], request["error"]) == ("failed", "workspace Newsletter Editor is not reachable")


def test_a_long_reply_is_cut_at_300_bytes() -> None:
    assert preview("x" * 300) == "x" * 300
    assert preview("ä" * 151) == "ä" * 150 + "..."
    assert json.dumps(preview("a" + "ä" * 150))


async def test_a_task_is_pending_then_dispatched_then_answered(sample: Desk) -> None:
    told = await handed(sample, FRONTEND)
    assert (told["status"], told["target_id"]) == ("delegated", FRONTEND)
    assert await statuses(sample) == ["pending"]
    sample.clock.advance(seconds=1)
    assert await statuses(sample) == ["dispatched"]
    (received, *_) = await sample.json(f"/workspaces/{FRONTEND}/activity")
    assert (received["activity_type"], received["source_id"]) == ("a2a_receive", ENGINEERING)
    sample.clock.advance(seconds=2)
    assert await statuses(sample) == ["completed", "completed"]
    (result, *_) = await sample.json(f"/workspaces/{ENGINEERING}/delegations")
    assert (result["delegation_id"], result["response_preview"]) == (
        told["delegation_id"],
        "Frontend Engineer (simulated) was told: Do it",
    )
    kinds = [event["event_type"] for event in await sample.json(f"/events/{ENGINEERING}")]
    assert kinds[:3] == ["DELEGATION_COMPLETE", "DELEGATION_STATUS", "DELEGATION_SENT"]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (UNKNOWN, "access denied: workspaces cannot communicate per hierarchy rules"),
        (sample_id("workspaces", "triage"), "access denied: workspaces cannot communicate per hierarchy rules"),
    ],
)
async def test_who_may_not_be_messaged_is_accepted_and_fails_later(sample: Desk, target: str, error: str) -> None:
    await handed(sample, target)
    sample.clock.advance(seconds=1)
    result, request = (await sample.json(f"/workspaces/{ENGINEERING}/delegations"))[:2]
    assert (request["status"], request["error"]) == ("failed", error)
    assert (result["status"], "delegation_id" in result) == ("failed", False)


@pytest.mark.parametrize(
    ("key", "source", "error"),
    [
        ("old-planner", None, "workspace not found"),
        ("books", "finance", "workspace budget limit exceeded"),
    ],
)
async def test_a_target_that_is_gone_or_has_spent_its_budget_fails(
    sample: Desk, key: str, source: str | None, error: str
) -> None:
    giver = sample_id("workspaces", source or "chief")
    await handed(sample, sample_id("workspaces", key), giver)
    sample.clock.advance(seconds=1)
    (_, request, *_) = await sample.json(f"/workspaces/{giver}/delegations")
    assert request["error"] == error


async def test_an_agent_out_of_reach_is_tried_once_more_before_it_fails(sample: Desk) -> None:
    await handed(sample, sample_id("workspaces", "qa"))
    sample.clock.advance(seconds=2)
    assert await statuses(sample) == ["dispatched"]
    sample.clock.advance(seconds=8)
    assert await statuses(sample) == ["failed", "failed"]


async def test_a_busy_agent_leaves_it_queued_and_later_only_the_result_row_says_completed(sample: Desk) -> None:
    lead, researcher = sample_id("workspaces", "research"), sample_id("workspaces", "researcher")
    told = await handed(sample, researcher, lead)
    sample.clock.advance(seconds=1)
    assert await statuses(sample, lead) == ["queued", "queued"]
    (note, *_) = await sample.json(f"/workspaces/{lead}/delegations")
    assert json.loads(note["response_preview"])["queued"] is True
    sample.app.database.execute("UPDATE workspaces SET active_tasks = 0 WHERE id = ?", (researcher,))
    sample.clock.advance(seconds=5)
    assert await statuses(sample, lead) == ["completed", "queued"]
    (result, *_) = await sample.json(f"/workspaces/{lead}/delegations")
    assert result["delegation_id"] == told["delegation_id"]


async def test_a_key_seen_before_tells_the_first_delegation_even_for_another_task(sample: Desk) -> None:
    first = await handed(sample, FRONTEND, idempotency_key="k")
    body = {"target_id": MARKETING, "task": "Other", "idempotency_key": "k"}
    again = await sample.org.post(f"/workspaces/{ENGINEERING}/delegate", json=body)
    assert (again.status_code, again.json()) == (
        200,
        {
            "delegation_id": first["delegation_id"],
            "status": "pending",
            "target_id": FRONTEND,
            "idempotent_hit": True,
        },
    )


async def test_a_failed_one_runs_anew_under_its_key(sample: Desk) -> None:
    first = await handed(sample, UNKNOWN, idempotency_key="k")
    sample.clock.advance(seconds=1)
    second = await handed(sample, FRONTEND, idempotency_key="k")
    assert second["delegation_id"] != first["delegation_id"]
    requests = [row for row in await sample.json(f"/workspaces/{ENGINEERING}/delegations") if "delegation_id" in row]
    assert first["delegation_id"] not in {row["delegation_id"] for row in requests}


@pytest.mark.parametrize("source", [UNKNOWN, "not-a-uuid"])
async def test_an_unknown_source_is_accepted_with_a_warning_and_vanishes(sample: Desk, source: str) -> None:
    told = await handed(sample, FRONTEND, source)
    assert told["warning"] == "delegation dispatched but status tracking unavailable"
    assert sample.cell("SELECT count(*) FROM handovers") == 0


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"task": "x"}, "invalid delegation request"),
        ({"target_id": FRONTEND}, "invalid delegation request"),
        ({"target_id": FRONTEND, "task": 1}, "invalid delegation request"),
        ({"target_id": "x", "task": "x"}, "target_id must be a valid UUID"),
        ({"target_id": ENGINEERING, "task": "x"}, "self-delegation not permitted"),
    ],
)
async def test_what_is_no_delegation_is_refused_at_once(sample: Desk, body: dict[str, Any], error: str) -> None:
    told = await sample.org.post(f"/workspaces/{ENGINEERING}/delegate", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_a_malformed_id_is_a_server_error_when_listing(desk: Desk) -> None:
    assert (await desk.org.get("/workspaces/x/delegations")).json() == {"error": "query failed"}
