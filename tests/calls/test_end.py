"""The end of a server process: in time and with code 0, whatever is open, and no call's outcome is lost.

A call that is under way gets a few seconds to finish. What has not finished by then is recorded as unknown.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.store.sqlite import SqliteStore
from tests.calls.faults import Faulty, faulty
from tests.calls.harness import PROGRAM, Doors, called, http_process

WAYS = {
    "copywriter": ("http", "2026-07-28"),
    "seo": ("http", "legacy"),
    "books": ("sse", "2026-07-28"),
    "triage": ("sse", "legacy"),
}
"""A workspace of the sample without any below it, for each door and era."""
SECONDS = 9
"""Within which every end is reached; the machine that stops a container waits ten."""

LEAF = {"workspace_id": sample_id("workspaces", "copywriter")}
Outcome = tuple[bool, dict[str, Any]]


@pytest.fixture
def portal() -> Generator[BlockingPortal]:
    """An event loop in a thread of its own, for clients and for the tenant."""
    with start_blocking_portal() as started:
        yield started


@pytest.fixture
def place(portal: BlockingPortal) -> Generator[Faulty]:
    """A tenant."""
    with portal.wrap_async_context_manager(faulty()) as started:
        yield started


@pytest.fixture
def doors(place: Faulty, tmp_path: Path) -> Generator[Doors]:
    """A server behind its HTTP doors."""
    with http_process(place, tmp_path) as started:
        yield started


def ended(doors: Doors, number: int = signal.SIGTERM) -> tuple[int, str]:
    """Ask a server to end. Returns its exit code and what it said on stderr after it began to serve."""
    doors.process.send_signal(number)
    _, said = doors.process.communicate(timeout=SECONDS)
    return doors.process.returncode, said


def refusing(port: int) -> bool:
    """Wait until nobody listens on a port."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)):
                return True
    return False


def states(folder: Path) -> list[str]:
    """How the sends of a state folder ended, as the process itself recorded it."""
    return [record.body["state"] for record in SqliteStore(folder).records() if record.kind == "outcome"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_quietly(doors: Doors, number: int) -> None:
    assert ended(doors, number) == (0, "")


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
@pytest.mark.parametrize("door", ["http", "sse"])
def test_an_open_session_does_not_hold_up_the_end(portal: BlockingPortal, doors: Doors, door: str, mode: str) -> None:
    with portal.wrap_async_context_manager(doors.client(door, mode=mode)) as connected:
        portal.call(connected.list_tools)
        assert ended(doors) == (0, "")


def test_an_open_stream_that_nobody_reads_does_not_hold_up_the_end(doors: Doors) -> None:
    headers = {"Authorization": f"Bearer {doors.bearers['first']}"}
    with httpx.stream("GET", f"http://127.0.0.1:{doors.port}/sse", headers=headers, trust_env=False) as stream:
        assert stream.status_code == 200
        assert ended(doors) == (0, "")


def pausing(portal: BlockingPortal, place: Faulty, doors: Doors) -> list[Future[Outcome]]:
    """A call through each door in each era whose changing request has reached the tenant, which has not answered it."""

    async def call(key: str, door: str, mode: str) -> Outcome:
        async with doors.client(door, mode=mode) as connected:
            await connected.list_tools()  # else the client asks for the schema once it has the answer
            return await called(connected, "pause_workspace", {"workspace_id": sample_id("workspaces", key)})

    portal.call(place.released.clear)
    futures = [portal.start_task_soon(call, key, *way) for key, way in WAYS.items()]
    assert all(place.arrived.acquire(timeout=SECONDS) for _ in futures)
    return futures


def test_calls_under_way_finish_and_are_answered(
    portal: BlockingPortal, place: Faulty, doors: Doors, tmp_path: Path
) -> None:
    futures = pausing(portal, place, doors)
    doors.process.terminate()
    assert refusing(doors.port)
    portal.call(place.released.set)
    answers = [future.result(SECONDS) for future in futures]
    assert [(worked, answer["items"][0]["status"]) for worked, answer in answers] == [(True, "paused")] * len(WAYS)
    assert doors.process.wait(SECONDS) == 0
    assert states(tmp_path / "state") == ["done"] * len(WAYS)


def test_calls_that_do_not_finish_are_recorded_as_unknown(
    portal: BlockingPortal, place: Faulty, doors: Doors, tmp_path: Path
) -> None:
    futures = pausing(portal, place, doors)
    assert ended(doors) == (0, "")
    for future in futures:
        assert future.exception(SECONDS) is not None or told_unknown(future.result())
    assert states(tmp_path / "state") == ["unknown"] * len(WAYS)


def told_unknown(outcome: Outcome) -> bool:
    """Whether a client was told that it is unknown what happened."""
    worked, answer = outcome
    return not worked and answer["sent"] == "unknown"


@contextmanager
def stdio_process(place: Faulty, folder: Path) -> Generator[subprocess.Popen[str]]:
    """A server on stdio that has been greeted."""
    env = {"MOLECULE_MCP_TOOLSETS": "all", "MOLECULE_API_URL": place.origin, "MOLECULE_ORG_TOKEN": place.key}
    command = [*PROGRAM, "serve", "--state", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | env, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            greeting = {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            }
            say(process, id=0, method="initialize", params=greeting)
            assert json.loads(process.stdout.readline())["id"] == 0
            say(process, method="notifications/initialized")
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], **message: Any) -> None:
    """Send a line."""
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def over(process: subprocess.Popen[str]) -> str:
    """Wait until a server has ended well. Returns what it still said on stdout."""
    assert process.wait(SECONDS) == 0
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stderr.read() == ""
    return process.stdout.read()


def test_an_idle_stdio_server_ends_with_its_input(place: Faulty, tmp_path: Path) -> None:
    with stdio_process(place, tmp_path) as process:
        assert process.communicate(timeout=SECONDS) == ("", "")
        assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_stdio_server_ends_with_a_signal(place: Faulty, tmp_path: Path, number: int) -> None:
    with stdio_process(place, tmp_path) as process:
        process.send_signal(number)
        assert over(process) == ""


@pytest.fixture
def paused(portal: BlockingPortal, place: Faulty, tmp_path: Path) -> Generator[subprocess.Popen[str]]:
    """A server on stdio with a call whose changing request the tenant has not answered."""
    with stdio_process(place, tmp_path) as process:
        portal.call(place.released.clear)
        say(process, id=1, method="tools/call", params={"name": "pause_workspace", "arguments": LEAF})
        assert place.arrived.acquire(timeout=SECONDS)
        yield process


def test_a_call_under_way_on_stdio_is_answered_after_the_signal(
    portal: BlockingPortal, place: Faulty, paused: subprocess.Popen[str], tmp_path: Path
) -> None:
    paused.terminate()
    portal.call(place.released.set)
    answer = json.loads(over(paused))
    assert (answer["id"], answer["result"]["isError"]) == (1, False)
    assert states(tmp_path) == ["done"]


def test_a_send_under_way_is_finished_after_the_end_of_input(
    portal: BlockingPortal, place: Faulty, paused: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert paused.stdin is not None
    paused.stdin.close()
    portal.call(place.released.set)
    over(paused)
    assert states(tmp_path) == ["done"]


def test_a_send_that_does_not_finish_after_the_end_of_input_is_recorded_as_unknown(
    paused: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert paused.stdin is not None
    paused.stdin.close()
    over(paused)
    assert states(tmp_path) == ["unknown"]
