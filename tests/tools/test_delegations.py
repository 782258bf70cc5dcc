"""Tasks handed over and followed, and who may message whom, over the embedded tenant."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Clock, Counted, Rig, refused
from tests.tools.test_activity import UNKNOWN, dicts
from tests.tools.test_schedules import done

from molecule_mcp import embedded
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Caller, Done


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A rig whose tenant lives by the clock that a waiting tool moves."""
    clock = Clock()
    app = embedded.build(
        embedded.Options(agents=False, rate_limit=None, clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    )
    yield Rig(tmp_path, app, Counted(app), clock)
    app.close()


async def delegated(rig: Rig, giver: str, taker: str, **more: Any) -> dict[str, Any]:
    given = {"workspace_id": rig.named(giver), "target_id": rig.named(taker), "task": "Count the tickets", **more}
    return await done(rig, "delegate_task", given)


async def test_a_task_is_followed_to_its_answer_with_progress(rig: Rig) -> None:
    lines: list[str] = []

    async def progress(_done: float, _total: float | None, line: str) -> None:
        lines.append(line)

    given = {"workspace_id": rig.named("Engineering Lead"), "target_id": rig.named("Frontend Engineer"), "task": "Go"}
    outcome = await rig.road().call(Caller(progress=progress), "delegate_task", given)
    assert isinstance(outcome, Done)
    (told,) = outcome.structured["items"]
    assert (told["status"], told["reply"]) == ("completed", "Frontend Engineer (simulated) was told: Go")
    assert "error" not in told
    assert lines == ["pending after 0 s", "dispatched after 2 s"]


async def test_the_same_task_goes_out_once_and_another_key_repeats_it(rig: Rig) -> None:
    first = await delegated(rig, "Engineering Lead", "Frontend Engineer")
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    again = await delegated(rig, "Engineering Lead", "Frontend Engineer")
    assert (again["delegation_id"], again["repeated"]) == (first["delegation_id"], True)
    other = await delegated(rig, "Engineering Lead", "Frontend Engineer", idempotency_key="tomorrow")
    assert other["delegation_id"] != first["delegation_id"]
    assert "repeated" not in first | other


async def test_a_key_used_for_another_task_or_target_does_not_answer_with_the_first(rig: Rig) -> None:
    first = await delegated(rig, "Engineering Lead", "Frontend Engineer", idempotency_key="k")
    for taker, task in (("Frontend Engineer", "Something else"), ("Backend Engineer", "Count the tickets")):
        told = await delegated(rig, "Engineering Lead", taker, idempotency_key="k", task=task)
        assert told["delegation_id"] != first["delegation_id"]


async def test_an_agent_out_of_reach_is_told_as_failed_with_its_error(rig: Rig) -> None:
    told = await delegated(rig, "Engineering Lead", "QA Engineer", seconds=20)
    assert (told["status"], told["error"]) == ("failed", "failed to reach workspace agent")


async def test_what_is_still_under_way_when_the_time_is_over_is_told_as_such(rig: Rig) -> None:
    told = await delegated(rig, "Engineering Lead", "QA Engineer", seconds=3)
    assert (told["status"], "list_delegations" in told["note"]) == ("dispatched", True)
    none = await delegated(rig, "Engineering Lead", "Frontend Engineer", seconds=0)
    assert none["status"] == "pending"


async def test_a_busy_agent_ends_the_wait_with_a_warning(rig: Rig) -> None:
    begun = rig.clock.now
    told = await delegated(rig, "Research Lead", "Researcher", seconds=30)
    assert (told["status"], "lost for good" in told["note"], "reply" in told) == ("queued", True, False)
    assert rig.clock.now - begun < 5


@pytest.mark.parametrize(
    ("giver", "taker"),
    [
        ("Backend Engineer", "Copywriter"),
        ("Backend Engineer", "Backend Engineer"),
        ("Chief of Staff", "Campaign Planner 2024"),
        ("Campaign Planner 2024", "Chief of Staff"),
        ("Chief of Staff", UNKNOWN),
        (UNKNOWN, "Chief of Staff"),
    ],
)
async def test_what_would_be_accepted_and_vanish_is_not_sent(rig: Rig, giver: str, taker: str) -> None:
    ids = {name: name if name == UNKNOWN else rig.named(name) for name in (giver, taker)}
    given = {"workspace_id": ids[giver], "target_id": ids[taker], "task": "x"}
    error = await refused(rig.road().call(Caller(), "delegate_task", given))
    assert error.sent is False
    assert [line for line in rig.transport.changes if "/delegate" in line] == []


async def test_a_task_that_the_tenant_does_not_track_is_told_as_unseen(rig: Rig) -> None:
    answer = {"delegation_id": "d", "status": "delegated", "target_id": UNKNOWN, "warning": "no tracking"}

    async def instead(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(202, json=answer) if request.url.path.endswith("/delegate") else None

    rig.transport.before = instead
    told = await delegated(rig, "Engineering Lead", "Frontend Engineer")
    assert (told["status"], "cannot be seen" in told["note"]) == ("untracked", True)


async def test_an_outcome_that_cannot_be_read_is_no_failure_to_send(rig: Rig) -> None:
    async def instead(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500) if request.url.path.endswith("/delegations") else None

    rig.transport.before = instead
    given = {"workspace_id": rig.named("Engineering Lead"), "target_id": rig.named("Frontend Engineer"), "task": "x"}
    error = await refused(rig.road().call(Caller(), "delegate_task", given))
    assert (error.sent, "accepted it" in error.message) == (True, True)


async def test_both_rows_are_one_delegation_and_a_failure_is_told_once(rig: Rig) -> None:
    (one, other) = dicts(await done(rig, "list_delegations", {"workspace": "Engineering Lead"}))
    assert (one["status"], one["reply"]) == ("dispatched", None)
    assert (other["status"], other["reply"][:10]) == ("completed", "The export")
    assert other["ended_at"] > other["created_at"]
    assert [rig.named(each["target"]) for each in (one, other)] == [one["target_id"], other["target_id"]]
    (failed,) = dicts(await done(rig, "list_delegations", {"workspace": "Marketing Lead"}))
    assert (failed["status"], failed["error"]) == ("failed", "workspace Newsletter Editor is not reachable")


async def test_one_delivered_from_the_queue_is_completed_though_its_request_row_stays_queued(rig: Rig) -> None:
    await delegated(rig, "Research Lead", "Researcher")
    rig.app.database.execute("UPDATE workspaces SET active_tasks = 0 WHERE name = 'Researcher'")
    newest, *_ = dicts(await done(rig, "list_delegations", {"workspace": "Research Lead"}))
    assert (newest["status"], newest["reply"].startswith("Researcher (simulated)")) == ("completed", True)


@pytest.mark.parametrize("number", [1, 2])
async def test_result_rows_without_their_request_still_count(rig: Rig, number: int) -> None:
    row: dict[str, Any] = {"id": "r", "type": "delegation", "source_id": "", "target_id": "t", "summary": "s",
                           "status": "failed", "error": "e\u202ex", "created_at": "2026-11-23T06:59:45Z"}  # fmt: skip

    async def instead(request: httpx.Request) -> httpx.Response | None:
        rows = [row, {**row, "id": "q", "delegation_id": "d"}][:number]
        return httpx.Response(200, json=rows) if request.url.path.endswith("/delegations") else None

    rig.transport.before = instead
    (told,) = dicts(await done(rig, "list_delegations", {"workspace": rig.named("Research Lead")}))
    assert (told["id"], told["error"]) == ("r" if number == 1 else "d", "ex")


async def test_a_full_list_says_that_there_may_be_older_ones(rig: Rig) -> None:
    row = {"type": "delegation", "source_id": "", "target_id": "t", "summary": "s", "status": "pending",
           "created_at": "2026-11-23T06:59:45Z"}  # fmt: skip

    async def instead(request: httpx.Request) -> httpx.Response | None:
        rows = [{**row, "id": str(place), "delegation_id": f"d{place}"} for place in range(50)]
        return httpx.Response(200, json=rows) if request.url.path.endswith("/delegations") else None

    rig.transport.before = instead
    given = {"workspace": rig.named("Research Lead"), "limit": 20}
    told = await done(rig, "list_delegations", given)
    rest = await done(rig, "list_delegations", {**given, "limit": 50, "cursor": told["next_cursor"]})
    assert (len(told["rows"]), len(rest["rows"]), told["note"]) == (20, 30, "Older ones are out of reach.")


async def test_an_unknown_workspace_is_no_empty_list(rig: Rig) -> None:
    assert "404" in (await refused(rig.road().call(Caller(), "list_delegations", {"workspace": UNKNOWN}))).message


async def test_who_may_message_whom_is_told_with_whether_both_are_there(rig: Rig) -> None:
    chief, planner = rig.named("Chief of Staff"), rig.named("Campaign Planner 2024")
    told = await done(rig, "check_access", {"caller_id": chief, "target_id": planner})
    assert told == {"allowed": True, "caller": "online", "target": "removed"}
    given = {"caller_id": rig.named("Backend Engineer"), "target_id": rig.named("Copywriter")}
    assert (await done(rig, "check_access", given))["allowed"] is False
    same = {"caller_id": UNKNOWN, "target_id": UNKNOWN}
    assert "404" in (await refused(rig.road().call(Caller(), "check_access", same))).message


async def test_a_bound_profile_asks_about_its_own_workspaces_only(rig: Rig) -> None:
    backend, frontend, chief = (rig.named(name) for name in ("Backend Engineer", "Frontend Engineer", "Chief of Staff"))
    road = rig.road(replace(Profile(), bound=frozenset({backend, frontend})))
    outcome = await road.call(Caller(), "check_access", {"caller_id": backend, "target_id": frontend})
    assert isinstance(outcome, Done)
    assert outcome.structured["allowed"] is True
    rig.transport.lines.clear()
    error = await refused(road.call(Caller(), "check_access", {"caller_id": backend, "target_id": chief}))
    assert (error.kind, rig.transport.lines) == ("forbidden_by_policy", [])


async def test_the_key_is_a_digest_and_no_text_of_the_task(rig: Rig) -> None:
    await delegated(rig, "Engineering Lead", "Frontend Engineer", idempotency_key="mine")
    place = next(place for place, line in enumerate(rig.transport.lines) if line.endswith("/delegate"))
    sent = json.loads(rig.transport.bodies[place])
    assert set(sent) == {"target_id", "task", "idempotency_key"}
    assert len(bytes.fromhex(sent["idempotency_key"])) == 32
