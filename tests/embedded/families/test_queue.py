"""The queue of messages."""

import pytest

from tests.embedded.support import Desk

PATH = "/admin/a2a-queue/drop-stale"


async def queued(desk: Desk) -> tuple[str, str]:
    """A lead whose delegation waits for a busy member."""
    lead = await desk.workspace("lead")
    member = await desk.workspace("member", parent_id=lead)
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 1 WHERE id = ?", (member,))
    told = await desk.org.post(f"/workspaces/{lead}/delegate", json={"target_id": member, "task": "t"})
    assert told.status_code == 202, told.text
    desk.clock.advance(seconds=5)
    desk.app.tick()
    return lead, member


async def statuses(desk: Desk, lead: str) -> set[str]:
    return {row["status"] for row in await desk.json(f"/workspaces/{lead}/delegations")}


async def test_what_waits_longer_is_dropped_and_its_delegation_stays_queued_for_ever(desk: Desk) -> None:
    lead, member = await queued(desk)
    desk.clock.advance(minutes=59)
    assert (await desk.org.post(PATH)).json() == {"dropped": 0}
    assert (await desk.org.post(f"{PATH}?max_age_minutes=58&workspace_id={lead}")).json() == {"dropped": 0}
    desk.clock.advance(minutes=2)
    assert (await desk.org.post(PATH)).json() == {"dropped": 1}
    assert (await desk.org.post(f"{PATH}?max_age_minutes=1&workspace_id={member}")).json() == {"dropped": 0}
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 0")
    desk.clock.advance(minutes=1)
    assert await statuses(desk, lead) == {"queued"}


async def test_what_is_kept_is_delivered_once_there_is_room(desk: Desk) -> None:
    lead, member = await queued(desk)
    desk.clock.advance(minutes=30)
    assert (await desk.org.post(f"{PATH}?max_age_minutes=31&workspace_id={member}")).json() == {"dropped": 0}
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 0")
    assert "completed" in await statuses(desk, lead)


@pytest.mark.parametrize("age", ["0", "-1", "x", "1.5"])
async def test_an_age_that_is_none_is_refused(desk: Desk, age: str) -> None:
    told = await desk.org.post(f"{PATH}?max_age_minutes={age}")
    assert (told.status_code, told.json()) == (400, {"error": "max_age_minutes must be a positive integer"})


async def test_a_workspace_that_is_none_is_a_server_error(desk: Desk) -> None:
    told = await desk.org.post(f"{PATH}?workspace_id=x")
    assert (told.status_code, told.json()) == (500, {"error": "failed to drop stale items"})
