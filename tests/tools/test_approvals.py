"""Approvals: listed without denying any, opened once, decided by a person only."""

from typing import Any

from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_lifecycle import done

from molecule_mcp.road.traffic import Caller, Done


async def read(rig: Rig, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call a read."""
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured


async def test_listing_marks_what_is_overdue_and_denies_nothing(rig: Rig) -> None:
    listed = await read(rig, "list_pending_approvals", {})
    assert {row["overdue"] for row in listed["pending"]} == {True, False}
    assert listed["workspaces_unread"] == 0
    assert rig.transport.changes == []
    assert await read(rig, "list_pending_approvals", {}) == listed


async def test_a_request_is_opened_listed_and_decided_by_a_person(rig: Rig) -> None:
    workspace = rig.named("Copywriter")
    given = {"workspace_id": workspace, "action": "publish", "reason": "the press waits"}
    opened = await done(rig, "create_approval", given)
    rows = (await read(rig, "list_approvals", {"workspace_id": workspace}))["approvals"]
    assert (rows[0]["approval_id"], rows[0]["status"]) == (opened["approval_id"], "pending")
    question = await asked(
        rig.road(), "decide_approval", {"workspace_id": workspace, "approval_id": opened["approval_id"]}
    )
    lines = question.plan.question.lines
    assert any('"publish"' in line for line in lines)
    assert question.plan.question.answers == ("approve", "deny", "leave")


async def test_a_person_decides_on_every_word_of_a_request_and_sees_what_is_hidden_in_it(rig: Rig) -> None:
    action, reason = "Clear the cache \u202e " + "a" * 160 + " and drop the database", "b" * 1980 + " the end"
    given = {"workspace_id": rig.named("Copywriter"), "action": action, "reason": reason}
    opened = await done(rig, "create_approval", given)
    given = {"workspace_id": given["workspace_id"], "approval_id": opened["approval_id"]}
    lines = (await asked(rig.road(), "decide_approval", given)).plan.question.lines
    assert r'  - "Clear the cache \u{202e} ' + "a" * 142 + '"' in lines
    assert f'  - "{"a" * 18} and drop the database"' in lines
    assert f'  - "{"b" * 60} the end"' in lines


async def test_a_sweep_shows_the_whole_of_what_it_denies(rig: Rig) -> None:
    action = "refund " + "a" * 180 + " to myself"
    rig.app.database.execute("UPDATE approvals SET action = ? WHERE status = 'pending'", (action,))
    rig.app.database.commit()
    lines = (await asked(rig.road(), "list_pending_approvals", {"sweep": True})).plan.question.lines
    assert any(line.endswith(f'{action}"') for line in lines)


async def test_the_same_request_is_not_opened_twice(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "action": "publish"}
    opened = await done(rig, "create_approval", given)
    before = len(rig.transport.changes)
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    error = await refused(rig.road().call(can_ask(), "create_approval", given))
    assert error.details["approval_id"] == opened["approval_id"]
    assert len(rig.transport.changes) == before


async def test_what_is_not_there_or_decided_is_not_asked_about(rig: Rig) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    given = {"workspace_id": rig.named("Copywriter"), "approval_id": unknown}
    assert (await refused(rig.road().call(can_ask(), "decide_approval", given))).details["status"] == 404
    error = await refused(rig.road().call(Caller(), "list_approvals", {"workspace_id": unknown}))
    assert error.details["status"] == 404
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    rig.app.database.execute("UPDATE approvals SET status = 'denied' WHERE id = ?", (row[1],))
    rig.app.database.commit()
    error = await refused(
        rig.road().call(can_ask(), "decide_approval", {"workspace_id": row[0], "approval_id": row[1]})
    )
    assert error.kind == "nothing_to_do"


async def test_a_removed_workspace_asks_for_nothing(rig: Rig) -> None:
    workspace = rig.named("Copywriter")
    await done(rig, "delete_workspace", {"workspace_id": workspace})
    error = await refused(
        rig.road().call(can_ask(), "create_approval", {"workspace_id": workspace, "action": "publish"})
    )
    assert error.kind == "nothing_to_do"
