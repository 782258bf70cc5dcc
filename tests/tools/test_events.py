"""The structure events of everybody, and of one workspace."""

import json
from typing import Any

import anyio
import httpx
import pytest
from tests.road.rig import Rig, can_ask, refused
from tests.tools.test_activity import UNKNOWN, dicts
from tests.tools.test_schedules import done

from molecule_mcp.road.traffic import Caller, Done


async def test_events_of_everybody_are_newest_first_with_whose_they_are(rig: Rig) -> None:
    told = await done(rig, "list_events", {"limit": 5})
    assert told["columns"] == ["created_at", "type", "workspace_id", "workspace", "payload"]
    assert all(row["workspace_id"] == rig.named(row["workspace"]) for row in dicts(told))
    times = [row["created_at"] for row in dicts(told)]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    following = await done(rig, "list_events", {"limit": 5, "cursor": told["next_cursor"]})
    assert dicts(following)[0]["created_at"] <= times[-1]
    assert dicts(following)[0] not in dicts(told)


async def test_an_event_of_a_removed_workspace_has_its_id_alone(rig: Rig) -> None:
    every = dicts(await done(rig, "list_events", {"limit": 100}))
    gone = [row for row in every if row["workspace_id"] == rig.named("Campaign Planner 2024")]
    assert gone and all(row["workspace"] is None for row in gone)
    assert any(row["workspace"] for row in every)


async def test_names_are_read_only_for_events_that_are_told(rig: Rig) -> None:
    before = len(rig.transport.lines)
    assert (await done(rig, "list_events", {"kind": "NO_SUCH"}))["rows"] == []
    assert rig.transport.lines[before:] == ["GET /events"]


async def test_a_kind_is_the_beginning_of_a_type(rig: Rig) -> None:
    every = dicts(await done(rig, "list_events", {"kind": "APPROVAL_", "limit": 100}))
    assert {row["type"] for row in every} == {"APPROVAL_REQUESTED"}


async def test_events_of_one_do_not_repeat_its_id(rig: Rig) -> None:
    told = await done(rig, "list_workspace_events", {"workspace_id": rig.named("Newsletter Editor")})
    newest, *_ = dicts(told)
    assert newest["type"] == "WORKSPACE_PROVISION_FAILED"
    assert newest["payload"]["error"].startswith("model provider answered 401")
    assert "workspace_id" not in told["columns"]
    assert "note" not in told


async def test_events_outlive_their_workspace_which_is_said(rig: Rig) -> None:
    planner = rig.named("Campaign Planner 2024")
    assert (await done(rig, "list_workspace_events", {"workspace_id": planner}))["note"] == "Removed."
    rig.app.database.execute("DELETE FROM workspaces WHERE id = ?", (planner,))
    assert (await done(rig, "list_workspace_events", {"workspace_id": planner}))["note"] == "The workspace is purged."


async def test_an_id_that_was_never_issued_is_not_told_as_quiet(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "list_workspace_events", {"workspace_id": UNKNOWN}))
    assert "404" in error.message


@pytest.mark.parametrize(("number", "note"), [(100, True), (99, False)])
async def test_a_filter_over_a_full_list_says_that_older_events_are_out_of_reach(
    rig: Rig, number: int, note: bool
) -> None:
    event: dict[str, Any] = {"event_type": "WORKSPACE_ONLINE", "created_at": "2026-11-23T06:59:47Z", "payload": {}}

    async def instead(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{**event, "id": str(place)} for place in range(number)])

    rig.transport.before = instead
    told = await done(rig, "list_events", {"kind": "APPROVAL_"})
    assert ("out of reach" in told.get("note", ""), told["rows"]) == (note, [])


def streaming(rig: Rig, *parts: bytes, status: int = 200, kind: str = "text/event-stream") -> None:
    """Have the tenant stream this and close."""

    async def instead(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"Content-Type": kind}, content=b"".join(parts))

    rig.transport.before = instead


def event(kind: str, **data: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, 'timestamp': 1795417185082, 'data': data})}\n\n".encode()


async def followed(rig: Rig, **given: Any) -> dict[str, Any]:
    return await done(rig, "stream_workspace_events", {"workspace_id": rig.named("Ticket Triage"), **given})


async def test_what_happens_while_it_listens_is_told_in_its_order(rig: Rig) -> None:
    triage = rig.named("Ticket Triage")
    road = rig.road()
    found: list[dict[str, Any]] = []

    async def listen() -> None:
        outcome = await road.call(
            Caller(), "stream_workspace_events", {"workspace_id": triage, "kind": "A", "limit": 2, "seconds": 30}
        )
        assert isinstance(outcome, Done)
        found.append(outcome.structured)

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        assert rig.app.instance.hub.following == 1
        await road.call(can_ask(), "pause_workspace", {"workspace_id": triage})
        await road.call(can_ask(), "notify_user", {"workspace_id": triage, "message": "Look"})
    (told,) = found
    assert [row[1] for row in told["rows"]] == ["ACTIVITY_LOGGED", "AGENT_MESSAGE"]
    assert (told["rows"][1][2]["message"], told["ended"]) == ("Look", "enough")
    assert rig.app.instance.hub.following == 0


async def test_a_quiet_workspace_is_listened_to_for_the_time_that_was_asked(rig: Rig) -> None:
    lines: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, line: str) -> None:
        lines.append((done, total, line))

    given = {"workspace_id": rig.named("Ticket Triage"), "seconds": 1}
    outcome = await rig.road().call(Caller(progress=progress), "stream_workspace_events", given)
    assert isinstance(outcome, Done)
    assert (outcome.structured["ended"], outcome.structured["rows"]) == ("time", [])
    assert lines[0][1:] == (1, "0 events")
    assert rig.app.instance.hub.following == 0


async def test_events_are_cleaned_and_cut_and_comments_are_none(rig: Rig) -> None:
    streaming(rig, b": ping\n\n", event("AGENT_MESSAGE", message="do\u202ene"), event("X", text="y" * 3000))
    told = await followed(rig)
    (message, long) = told["rows"]
    assert message == [1795417185082, "AGENT_MESSAGE", {"message": "done"}]
    assert len(long[2]) == 1000
    assert told["ended"] == "closed"


async def test_too_much_for_one_answer_ends_it(rig: Rig) -> None:
    streaming(rig, *(event("X", text="\U0001f600" * 900) for _ in range(90)))
    told = await followed(rig, limit=100)
    assert told["ended"] == "enough"
    assert 4 < len(told["rows"]) < 90
    assert len(json.dumps(told["rows"], ensure_ascii=False).encode()) <= 25_000


@pytest.mark.parametrize(
    ("body", "status", "kind", "says"),
    [
        (b'{"error":"workspace not found"}', 404, "application/json", "404: workspace not found"),
        (b"<html>", 200, "text/html", "other than an event stream"),
        (b"data: {]\n", 200, "text/event-stream", "cut off or no JSON"),
        (b'data: {"type":"X"}\n', 200, "text/event-stream", "not as its contract says, at: timestamp"),
    ],
)
async def test_what_is_no_stream_of_events_is_told(rig: Rig, body: bytes, status: int, kind: str, says: str) -> None:
    streaming(rig, body, status=status, kind=kind)
    given = {"workspace_id": rig.named("Ticket Triage")}
    error = await refused(rig.road().call(Caller(), "stream_workspace_events", given))
    assert says in error.message
    assert error.sent is False
