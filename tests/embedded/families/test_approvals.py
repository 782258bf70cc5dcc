"""Approvals."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def test_a_request_is_pending_and_told_to_the_parent(desk: Desk) -> None:
    parent = await desk.workspace("parent")
    child = await desk.workspace("child", parent_id=parent)
    body = {"action": "delete_repo", "reason": "cleanup", "task_id": "t-1", "context": {"repo": "x"}}
    told = await desk.org.post(f"/workspaces/{child}/approvals", json=body)
    assert (told.status_code, told.json()["status"]) == (201, "pending")
    approval_id = told.json()["approval_id"]
    row = (await desk.json(f"/workspaces/{child}/approvals"))[0]
    assert (row["id"], row["task_id"], row["decided_by"], row["decided_at"]) == (approval_id, "t-1", None, None)
    pending = (await desk.json("/approvals/pending"))[0]
    assert (pending["workspace_name"], pending["workspace_id"]) == ("child", child)
    escalated, requested = (await desk.json("/events"))[:2]
    assert (escalated["event_type"], escalated["workspace_id"]) == ("APPROVAL_ESCALATED", parent)
    assert escalated["payload"]["from_workspace_id"] == child
    assert (requested["event_type"], requested["workspace_id"]) == ("APPROVAL_REQUESTED", child)


@pytest.mark.parametrize("body", [{}, {"action": ""}, {"action": 5}, {"action": "a", "context": []}])
async def test_a_request_needs_an_action_and_an_object_as_context(desk: Desk, body: dict[str, Any]) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/approvals", json=body)
    assert (told.status_code, told.json()) == (400, {"error": "invalid request body"})


@pytest.mark.parametrize("workspace_id", [UNKNOWN, "x"])
async def test_an_unknown_workspace_cannot_ask(desk: Desk, workspace_id: str) -> None:
    told = await desk.org.post(f"/workspaces/{workspace_id}/approvals", json={"action": "a"})
    assert (told.status_code, told.json()) == (500, {"error": "failed to create approval"})


async def ask(desk: Desk, workspace_id: str, action: str = "spend") -> str:
    return (await desk.org.post(f"/workspaces/{workspace_id}/approvals", json={"action": action})).json()["approval_id"]


async def test_listing_pending_ones_denies_what_is_older_than_ten_minutes_without_an_event(
    desk: Desk, clock: Clock
) -> None:
    workspace_id = await desk.workspace()
    await ask(desk, workspace_id, "old")
    clock.advance(minutes=9)
    await ask(desk, workspace_id, "new")
    assert [row["action"] for row in await desk.json("/approvals/pending")] == ["new", "old"]
    events = len(await desk.json("/events"))
    clock.advance(minutes=1)
    assert len(await desk.json("/approvals/pending")) == 2
    clock.advance(seconds=1)
    assert [row["status"] for row in await desk.json(f"/workspaces/{workspace_id}/approvals")] == ["pending"] * 2
    assert [row["action"] for row in await desk.json("/approvals/pending")] == ["new"]
    old = (await desk.json(f"/workspaces/{workspace_id}/approvals"))[1]
    assert (old["status"], old["decided_by"], old["decided_at"]) == ("denied", "auto-expired", "2026-11-24T09:10:02Z")
    assert len(await desk.json("/events")) == events


@pytest.mark.parametrize(
    ("body", "by"), [({"decision": "approved", "decided_by": "alice"}, "alice"), ({"decision": "denied"}, "human")]
)
async def test_a_decision_is_final_and_told(desk: Desk, body: dict[str, str], by: str) -> None:
    workspace_id = await desk.workspace()
    approval_id = await ask(desk, workspace_id)
    path = f"/workspaces/{workspace_id}/approvals/{approval_id}/decide"
    told = await desk.org.post(path, json=body)
    assert told.json() == {"status": body["decision"], "approval_id": approval_id}
    row = (await desk.json(f"/workspaces/{workspace_id}/approvals"))[0]
    assert (row["status"], row["decided_by"]) == (body["decision"], by)
    assert (await desk.json("/events"))[0]["event_type"] == f"APPROVAL_{body['decision'].upper()}"
    again = await desk.org.post(path, json=body)
    assert (again.status_code, again.json()) == (404, {"error": "approval not found or already decided"})


async def test_an_old_request_that_no_sweep_met_can_still_be_approved_by_its_own_workspace(
    desk: Desk, clock: Clock
) -> None:
    workspace_id = await desk.workspace()
    approval_id = await ask(desk, workspace_id)
    client = desk.client(await desk.token(workspace_id))
    clock.advance(minutes=30)
    told = await client.post(
        f"/workspaces/{workspace_id}/approvals/{approval_id}/decide", json={"decision": "approved"}
    )
    assert told.status_code == 200


async def test_another_workspaces_request_is_not_found(desk: Desk) -> None:
    a, b = await desk.workspace("a"), await desk.workspace("b")
    approval_id = await ask(desk, a)
    told = await desk.org.post(f"/workspaces/{b}/approvals/{approval_id}/decide", json={"decision": "denied"})
    assert told.status_code == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid request body"),
        ({"decision": 1}, "invalid request body"),
        ({"decision": "yes"}, "decision must be 'approved' or 'denied'"),
    ],
)
async def test_any_other_decision_is_refused(desk: Desk, body: dict[str, Any], error: str) -> None:
    told = await desk.org.post(f"/workspaces/{UNKNOWN}/approvals/{UNKNOWN}/decide", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_malformed_ids_are_server_errors(desk: Desk) -> None:
    told = await desk.org.post(f"/workspaces/{UNKNOWN}/approvals/x/decide", json={"decision": "denied"})
    assert (told.status_code, told.json()) == (500, {"error": "failed to update"})
    assert (await desk.org.get("/workspaces/x/approvals")).json() == {"error": "query failed"}
