"""One workspace watched for a bounded time."""

from typing import Any

import anyio
import httpx
import pytest
from tests.road.rig import Rig, refused
from tests.tools.test_activity import UNKNOWN

from molecule_mcp.road.traffic import Caller, Done

Row = tuple[str, int]


async def watched(rig: Rig, rows: list[Row | int], wait: Any = None, **given: Any) -> dict[str, Any]:
    """Watch a workspace that shows these states, one a read, the last for good; a number is an error status."""
    left = list(rows)

    async def instead(request: httpx.Request) -> httpx.Response:
        state = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(state, int):
            return httpx.Response(state, json={"error": "no"})
        return httpx.Response(200, json={"id": UNKNOWN, "name": "n", "status": state[0], "active_tasks": state[1]})

    rig.transport.before = instead
    road = rig.road(**({"wait": wait} if wait else {}))
    outcome = await road.call(Caller(), "watch_workspace", {"workspace": UNKNOWN, **given})
    assert isinstance(outcome, Done)
    return outcome.structured


async def test_a_start_is_watched_until_it_is_online_and_every_change_is_told(rig: Rig) -> None:
    told = await watched(rig, [("provisioning", 0), ("provisioning", 0), ("online", 0)], until="online")
    assert (told["outcome"], told["status"], told["seconds"]) == ("reached", "online", 6)
    assert told["changes"] == [[0, "provisioning", 0], [6, "online", 0]]
    assert "note" not in told


@pytest.mark.parametrize(
    ("until", "rows"),
    [
        ("change", [("online", 0), ("online", 1)]),
        ("change", [("online", 0), ("degraded", 0)]),
        ("settled", [("provisioning", 0), ("failed", 0)]),
        ("idle", [("online", 1), ("degraded", 0)]),
        ("busy", [("online", 0), ("online", 2)]),
        ("paused", [("online", 0), ("paused", 0)]),
    ],
)
async def test_what_was_waited_for_ends_the_watch(rig: Rig, until: str, rows: list[Row | int]) -> None:
    told = await watched(rig, rows, until=until)
    assert (told["outcome"], len(rig.transport.lines)) == ("reached", 2)


async def test_a_state_that_is_there_already_needs_one_look(rig: Rig) -> None:
    told = await watched(rig, [("online", 0)], until="idle")
    assert (told["outcome"], told["seconds"], len(rig.transport.lines)) == ("reached", 0, 1)


@pytest.mark.parametrize("status", ["paused", "hibernated", "provisioning"])
async def test_no_load_is_idle_only_while_it_runs(rig: Rig, status: str) -> None:
    assert (await watched(rig, [(status, 0)], until="idle"))["outcome"] == "timeout"


async def test_time_that_is_over_is_told_and_reads_keep_their_pace(rig: Rig) -> None:
    told = await watched(rig, [("online", 1)], seconds=10)
    assert (told["outcome"], told["seconds"], told["status"]) == ("timeout", 10, "online")
    assert "call again" in told["note"]
    assert len(rig.transport.lines) == 5, "at once, then after 3, 6, 9 and 10 seconds"


@pytest.mark.parametrize("status", ["failed", "paused", "removed"])
async def test_what_will_not_come_by_itself_is_not_waited_for(rig: Rig, status: str) -> None:
    told = await watched(rig, [("provisioning", 0), (status, 0)], until="online")
    assert (told["outcome"], told["seconds"]) == ("ended", 3)
    assert told["note"].startswith(f"It is {status}")


async def test_one_that_was_failed_before_may_be_started_meanwhile(rig: Rig) -> None:
    told = await watched(rig, [("failed", 0), ("failed", 0), ("provisioning", 0), ("online", 0)], until="online")
    assert (told["outcome"], len(told["changes"])) == ("reached", 3)
    assert (await watched(rig, [("removed", 0)], until="online"))["outcome"] == "ended"


async def test_a_purge_meanwhile_is_told(rig: Rig) -> None:
    told = await watched(rig, [("online", 0), 404], until="failed")
    assert (told["outcome"], told["status"], told["note"]) == ("gone", "online", "It was purged meanwhile.")


async def test_reads_that_fail_are_counted_and_do_not_end_the_watch(rig: Rig) -> None:
    told = await watched(rig, [("provisioning", 0), 500, 403, ("online", 0)], until="online")
    assert (told["outcome"], told["unread"]) == ("reached", 2)


async def test_an_unknown_workspace_is_told_at_once(rig: Rig) -> None:
    assert "404" in (await refused(rig.road().call(Caller(), "watch_workspace", {"workspace": UNKNOWN}))).message


async def test_progress_says_what_is_seen(rig: Rig) -> None:
    lines: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, line: str) -> None:
        lines.append((done, total, line))

    given = {"workspace": "Copywriter", "until": "failed", "seconds": 5}
    await rig.road().call(Caller(progress=progress), "watch_workspace", given)
    assert lines == [(0, 5, "online, 1 active"), (3, 5, "online, 1 active")]


async def test_a_read_that_hangs_does_not_outlast_the_watch(rig: Rig) -> None:
    first = True

    async def instead(request: httpx.Request) -> httpx.Response:
        nonlocal first
        if not first:
            await anyio.sleep_forever()
        first = False
        return httpx.Response(200, json={"id": UNKNOWN, "name": "n", "status": "online", "active_tasks": 0})

    rig.transport.before = instead
    outcome = await rig.road().call(Caller(), "watch_workspace", {"workspace": UNKNOWN, "seconds": 3})
    assert isinstance(outcome, Done)
    assert (outcome.structured["outcome"], outcome.structured["seconds"]) == ("timeout", 3)
