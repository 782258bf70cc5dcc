"""Serving on stdio: only JSON-RPC leaves, in both protocol eras, whatever tools and hosts do."""

import asyncio
import json
import os
import shlex
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.to_thread
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.server import MCPServer

from molecule_mcp.road.underway import GRACE, UnderWay
from molecule_mcp.transports.stdio import LONGEST, Lines, Output, ending, not_blocking, serve_stdio, watched
from molecule_mcp.transports.streams import Private

NOISY = Path(__file__).with_name("noisy.py")
NOISES = ["before serving", "printed", "without a line end", "written to descriptor 1", "from C", "from a child",
          "warned", "at exit"]  # fmt: skip
Era = Literal["auto", "legacy"]


@pytest.fixture
def captured(tmp_path: Path) -> tuple[StdioServerParameters, Path, Path]:
    """The noisy server, with copies of all it writes to stdout and to stderr."""
    out, err = tmp_path / "out", tmp_path / "err"
    line = f"{shlex.quote(sys.executable)} {shlex.quote(str(NOISY))} 2>{err} | tee {out}"
    return StdioServerParameters(command="/bin/sh", args=["-c", line]), out, err


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_no_noise_of_a_tool_reaches_the_protocol(
    captured: tuple[StdioServerParameters, Path, Path], era: Era
) -> None:
    parameters, out, err = captured
    with anyio.fail_after(30):
        async with Client(stdio_client(parameters), mode=era) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == {"shout", "fail", "echo", "large"}
            assert (await client.call_tool("shout", {})).structured_content == {"result": "read ''"}
            assert (await client.call_tool("fail", {})).is_error
            assert (await client.call_tool("large", {"size": 3_000_000})).structured_content == {
                "result": "x" * 3_000_000
            }
    lines = out.read_text().splitlines()
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in lines)
    assert "NOISE" not in out.read_text()
    assert [noise for noise in NOISES if f"NOISE {noise}" not in err.read_text()] == []


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_line_of_twenty_megabytes_costs_that_call_and_nothing_else(
    captured: tuple[StdioServerParameters, Path, Path], era: Era
) -> None:
    with anyio.fail_after(30):
        async with Client(stdio_client(captured[0]), mode=era) as client:
            assert (await client.call_tool("echo", {"text": "x" * 3_000_000})).structured_content == {
                "result": 3_000_000
            }
            with pytest.raises(MCPError, match=f"longer than {LONGEST} bytes"):
                await client.call_tool("echo", {"text": "x" * 20_000_000})
            assert (await client.call_tool("echo", {"text": "x"})).structured_content == {"result": 1}


class Host:
    """The far ends of a server's pipes."""

    def __init__(self) -> None:
        self.private = Private(*self._pipes())
        self.received = b""

    def _pipes(self) -> tuple[int, int]:
        (stdin, self.writes), (self.reads, stdout) = os.pipe(), os.pipe()
        return stdin, stdout

    def send(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            os.write(self.writes, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def receive(self) -> dict[str, Any]:
        while b"\n" not in self.received:
            self.received += await anyio.to_thread.run_sync(os.read, self.reads, 1 << 16)
        line, _, self.received = self.received.partition(b"\n")
        return json.loads(line)

    def close(self, *names: Literal["writes", "reads"]) -> None:
        for name in names:
            os.close(getattr(self, name))
            setattr(self, name, -1)


@pytest.fixture
def host() -> Iterator[Host]:
    """A host before it started its server; its descriptors are closed at the end."""
    host = Host()
    yield host
    for descriptor in (host.private.stdin, host.private.stdout, host.reads, host.writes):
        if descriptor >= 0:
            os.close(descriptor)


def server() -> MCPServer[Any]:
    made = MCPServer[Any]("small")

    @made.tool()
    async def large(size: int) -> str:
        """A long answer."""
        return "x" * size

    assert large
    return made


@asynccontextmanager
async def served(host: Host, linger: float = 10) -> AsyncGenerator[None]:
    """The server, initialized in the older era; leaving waits until it ended by itself."""
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: serve_stdio(server(), host.private, linger=linger))
            client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
            host.send({"id": 0, "method": "initialize", "params": client})
            assert (await host.receive())["result"]["serverInfo"]["name"] == "small"
            host.send({"method": "notifications/initialized"})
            yield


def called(number: int, size: int) -> dict[str, Any]:
    return {"id": number, "method": "tools/call", "params": {"name": "large", "arguments": {"size": size}}}


async def test_the_end_of_input_ends_the_serving(host: Host) -> None:
    async with served(host):
        host.send({"id": 1, "method": "ping"})
        assert (await host.receive())["id"] == 1
        host.close("writes")
    assert os.get_blocking(host.private.stdout)


async def test_a_slow_reader_holds_up_answers_but_not_the_serving(host: Host) -> None:
    async with served(host):
        host.send(called(1, 300_000), called(2, 300_000))
        assert {(await host.receive())["id"], (await host.receive())["id"]} == {1, 2}
        host.close("writes")


async def test_lines_written_at_once_do_not_mix() -> None:
    reads, writes = os.pipe()
    output = Output(writes)

    def read_all() -> list[str]:
        with os.fdopen(reads) as reading:
            return sorted({line[0] + line[-2] for line in reading})

    async def write_all() -> None:
        with os.fdopen(writes, "wb"), not_blocking(writes):
            async with anyio.create_task_group() as writing:
                for letter in "abc":
                    writing.start_soon(output.write, letter * 300_000 + "\n")

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write_all)
            assert await anyio.to_thread.run_sync(read_all) == ["aa", "bb", "cc"]


async def test_a_reader_that_went_away_ends_the_serving_quietly(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with served(host):
        host.close("reads")
        host.send(called(1, 10))
    assert "the host closed its end" in caplog.text
    assert "Traceback" not in caplog.text


async def test_an_answer_that_nobody_reads_does_not_keep_the_process_after_the_end(host: Host) -> None:
    async with served(host, linger=0.01):
        host.send(called(1, 3_000_000))
        # The answer's first byte has come, so the rest of it is on its way and cannot all fit into the pipe.
        await anyio.to_thread.run_sync(os.read, host.reads, 1)
        host.close("writes")


async def lines_of(data: bytes, longest: int = LONGEST) -> tuple[list[str], list[dict[str, Any]]]:
    """What is read of some bytes that a host sends before it closes, and what it is answered meanwhile."""
    answers, out = os.pipe()
    near, far = socket.socketpair()

    async def send() -> None:
        await anyio.to_thread.run_sync(far.sendall, data)
        far.shutdown(socket.SHUT_WR)

    read: list[str] = []
    with near, far, anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            read += [line async for line in Lines(near.fileno(), Output(out), longest)]
    os.close(out)
    with os.fdopen(answers) as told:
        return read, [json.loads(line) for line in told]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one\ntwo\r\n\nthree", ["one", "two\r", "", "three"]),
        ("\u00e9\u2028\U0001f600\x0b\n".encode(), ["\u00e9\u2028\U0001f600\x0b"]),
        (b"\xff\n", ["\ufffd"]),
        (b"x" * 1_000_000 + b"\ny\n", ["x" * 1_000_000, "y"]),
    ],
)
async def test_only_line_feeds_end_a_line(data: bytes, lines: list[str]) -> None:
    assert await lines_of(data) == (lines, [])


@pytest.mark.parametrize(
    ("message", "answered"),
    [
        ('{"jsonrpc":"2.0","id":7,"method":"m","params":{"t":"%s"}}', 7),
        ('{"method":"m","params":{"t":"%s","id":1},"jsonrpc":"2.0","id":"a-b"}', "a-b"),
        ('{"method":"m","params":{"t":"%s"},"id" : 7 , "jsonrpc":"2.0"} \r', 7),
        ('{"method":"m","id":7,"params":{"id":1,"t":"%s"}}', 7),
    ],
)
async def test_a_line_that_is_too_long_is_answered_by_its_id(message: str, answered: int | str) -> None:
    """JSON-RPC-defined: -32600 is an invalid request."""
    read, answers = await lines_of((message % ("x" * 200_000)).encode() + b"\nnext\n", longest=100_000)
    assert read == ["next"]
    assert [(each["id"], each["error"]["code"]) for each in answers] == [(answered, -32600)]


@pytest.mark.parametrize(
    "message",
    [
        '{"jsonrpc":"2.0","method":"notified","params":{"id":7,"t":"%s"}}',
        '{"jsonrpc":"2.0","method":"notified","params":{"t":"%s","id":7}}',
        '{"jsonrpc":"2.0","method":"notified","params":{"t":"%s,\\"id\\":7}"}}',
        '{"jsonrpc":"2.0","id":7,"result":{"t":"%s"}}',
        "%s",
    ],
)
async def test_a_line_that_is_too_long_and_no_request_is_skipped_without_an_answer(message: str) -> None:
    assert await lines_of((message % ("x" * 200_000)).encode() + b"\nnext", longest=100_000) == (["next"], [])


@pytest.mark.parametrize(("over", "lines"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_the_limit_is_exact_also_for_a_last_line_without_an_end(over: int, lines: int, end: bytes) -> None:
    read, _ = await lines_of(b"x" * (100_000 + over) + end, longest=100_000)
    assert len(read) == lines


async def test_memory_for_a_line_that_is_too_long_is_bounded() -> None:
    class Watched(Lines):
        most = 0

        def _longer(self, line: bytearray, piece: bytes) -> bytearray:
            longer = super()._longer(line, piece)
            self.most = max(self.most, len(longer))
            return longer

    source, sink = os.pipe()
    with os.fdopen(source) as reading, anyio.fail_after(20):
        lines = Watched(source, Output(sink), longest=100_000)
        async with anyio.create_task_group() as tasks:

            def send() -> None:
                with os.fdopen(sink, "wb") as writing:
                    writing.write(b"x" * 5_000_000)

            tasks.start_soon(anyio.to_thread.run_sync, send)
            assert [line async for line in lines] == []
    assert reading.closed
    assert lines.most <= 100_000


async def test_a_file_or_the_null_device_can_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    path.write_text("one\ntwo\n")
    for source, lines in ((path, ["one", "two"]), (Path(os.devnull), [])):
        with source.open("rb") as file:
            assert not watched(file.fileno())
            assert [line async for line in Lines(file.fileno(), Output(-1))] == lines


async def test_a_terminal_is_watched_and_its_mode_left_alone() -> None:
    ours, terminal = os.openpty()
    assert watched(terminal)
    with not_blocking(terminal):
        assert os.get_blocking(terminal)
    os.write(ours, b"typed\n")
    assert await anext(aiter(Lines(terminal, Output(-1)))) == "typed"
    os.close(ours)
    os.close(terminal)


async def test_an_input_that_somebody_made_non_blocking_is_waited_for() -> None:
    """Somebody may also take what the event loop just announced."""
    loop = asyncio.get_running_loop()
    source, sink = os.pipe()
    os.set_blocking(source, False)
    thief = os.dup(source)

    def steal() -> None:
        assert os.read(thief, 99) == b"stolen\n"
        loop.remove_reader(thief)
        # Two rounds later, so that the reader has found nothing in between.
        loop.call_soon(loop.call_soon, os.write, sink, b"kept\n")

    loop.add_reader(thief, steal)
    loop.call_soon(os.write, sink, b"stolen\n")
    with anyio.fail_after(20):
        assert await anext(aiter(Lines(source, Output(-1)))) == "kept"
    for descriptor in (source, sink, thief):
        os.close(descriptor)


async def test_a_connection_that_breaks_is_at_its_end() -> None:
    near, far = socket.socketpair()
    with near:
        near.send(b"never read")
        far.send(b"one\ntw")
        lines = aiter(Lines(near.fileno(), Output(-1)))
        assert await anext(lines) == "one"
        # With bytes of ours unread, closing is a reset.
        far.close()
        assert [line async for line in lines] == ["tw"]


async def test_a_second_wish_to_end_cuts_off_the_calls_at_once(host: Host) -> None:
    calls, begun = UnderWay(), anyio.Event()

    async def call() -> None:
        with calls.one():
            begun.set()
            await anyio.sleep_forever()

    lines = Lines(host.private.stdin, Output(-1))
    task = asyncio.create_task(call())
    await begun.wait()
    with anyio.fail_after(GRACE / 2):
        async with ending(lines, calls):
            await anyio.lowlevel.checkpoint()  # from here on a signal is not the end of these tests
            host.close("writes")
            assert [line async for line in lines] == []
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait([task])
    assert task.cancelled()
