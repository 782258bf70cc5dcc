"""Serve MCP on the descriptors that `streams.private_stdio` put aside, without a thread hop per message.

One line is one message, at most `LONGEST` bytes; a longer one is skipped, and answered with an error when its id
can be told. A reader that is slow holds up the answers, not the calls; one that went away ends the serving quietly.
Protocol, framing and both protocol eras are the SDK's.
"""

import logging
import os
import re
import signal
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import anyio
import anyio.lowlevel
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

from molecule_mcp.road.underway import GRACE, LAST, UnderWay
from molecule_mcp.transports.streams import Private

LONGEST = 16 * 1024 * 1024
"""Bytes of the longest line that is read."""
LINGER = 10.0
"""Seconds that answers may still take to be read after the host closed its side."""

_CHUNK = 64 * 1024
_KEPT = 1024
_ID = rb'"id"\s*:\s*(-?\d{1,19}|"[^"\\\x00-\x1f]{0,256}")'
_SCALAR = rb'"(?:jsonrpc|method)"\s*:\s*"[^"\\]{0,256}"'
_ID_IN_HEAD = re.compile(rb"\s*\{(?:\s*" + _SCALAR + rb"\s*,)*\s*" + _ID + rb"\s*[,}]")
_ID_IN_TAIL = re.compile(rb",\s*" + _ID + rb"(?:\s*,\s*" + _SCALAR + rb")*\s*\}\s*\Z")

logger = logging.getLogger(__name__)


async def serve_stdio(
    server: MCPServer[Any], private: Private, *, calls: UnderWay | None = None, linger: float = LINGER
) -> None:
    """Run a server until the host closes its input or goes away, or SIGTERM or SIGINT comes.

    Args:
        private: What `private_stdio` returned at the very start of the process.
        calls: The calls under way: they may finish for a while, and are then cut off.
        linger: Seconds that answers may still take to be read after that.
    """
    # The SDK's run_stdio_async takes no streams; this is what it does with its own.
    low_level = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    output = Output(private.stdout)
    lines = Lines(private.stdin, output)
    try:
        with not_blocking(private.stdout), anyio.CancelScope() as scope:
            async with (
                ending(lines, UnderWay() if calls is None else calls),
                stdio_server(cast("Any", lines), cast("Any", output)) as (read, write),
            ):
                await low_level.run(read, write, low_level.create_initialization_options())
                scope.deadline = anyio.current_time() + linger
    except* (BrokenPipeError, ConnectionResetError):
        logger.info("the host closed its end")


@asynccontextmanager
async def ending(lines: "Lines", calls: UnderWay) -> AsyncGenerator[None]:
    """See to the end while the block runs: after the input's end or a signal calls have a while to finish.

    A second wish to end cuts that short: a host that closed the input and then sends SIGTERM kills next.
    """

    async def finish() -> None:
        await lines.ended.wait()
        await calls.finish(GRACE)
        lines.end()
        await calls.cut(LAST)

    async def listen() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                if lines.ended.is_set():
                    await calls.cut(LAST)
                lines.ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(finish)
        group.start_soon(listen)
        yield
        group.cancel_scope.cancel()


class Output:
    """The SDK's idea of a text file to write to: whole lines, also from several tasks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = anyio.Lock()

    async def write(self, text: str) -> None:
        """Write all of a text, waiting for the reader where it must.

        Raises: BrokenPipeError or ConnectionResetError when nobody reads any more.
        """
        async with self._lock:
            left = memoryview(text.encode())
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    await anyio.wait_writable(self._descriptor)

    async def flush(self) -> None:
        """Nothing is held back."""


class Lines:
    """The SDK's idea of a text file to read from: an asynchronous iterator of lines, without their ends."""

    def __init__(self, descriptor: int, output: Output, longest: int = LONGEST) -> None:
        self._descriptor = descriptor
        self._output = output
        self._longest = longest
        self._watched = watched(descriptor)
        self._over = False
        self._waiting = anyio.CancelScope()
        self.ended = anyio.Event()
        """Set at the end of the input, or when a signal asks to end."""

    def end(self) -> None:
        """Read no more, as if the input had ended."""
        self.ended.set()
        self._over = True
        self._waiting.cancel()

    async def __aiter__(self) -> AsyncIterator[str]:
        line, size = bytearray(), 0
        while chunk := await self._read():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                line, size = self._longer(line, end), size + len(end)
                if size <= self._longest:
                    yield line.decode("utf-8", "replace")
                else:
                    await self._refuse(bytes(line[:_KEPT] + line[-_KEPT:]))
                line, size = bytearray(), 0
            line, size = self._longer(line, rest), size + len(rest)
        self.ended.set()
        if 0 < size <= self._longest:
            yield line.decode("utf-8", "replace")

    def _longer(self, line: bytearray, piece: bytes) -> bytearray:
        """The line with its next piece; of one that is too long the middle goes, so that memory is bounded."""
        line += piece
        return line if len(line) <= self._longest else line[:_KEPT] + line[_KEPT:][-_KEPT:]

    async def _read(self) -> bytes:
        """What has come, or nothing at the end; a connection that broke is at its end."""
        with anyio.CancelScope() as self._waiting:
            while not self._over:
                await (anyio.wait_readable(self._descriptor) if self._watched else anyio.lowlevel.checkpoint())
                try:
                    return os.read(self._descriptor, _CHUNK)
                except BlockingIOError:
                    continue
                except OSError:
                    break
        return b""

    async def _refuse(self, ends: bytes) -> None:
        logger.warning("a message of more than %d bytes was skipped", self._longest)
        found = _ID_IN_HEAD.match(ends) or _ID_IN_TAIL.search(ends)
        if found and b'"method"' in ends:
            message = f"The message is longer than {self._longest} bytes and was not read."
            error = f'{{"code":-32600,"message":"{message}"}}'
            await self._output.write(f'{{"jsonrpc":"2.0","id":{found[1].decode()},"error":{error}}}\n')


def watched(descriptor: int) -> bool:
    """Whether the event loop can tell when it is readable; it cannot for files and the null device."""
    return _is_stream(descriptor) or os.isatty(descriptor)


@contextmanager
def not_blocking(descriptor: int) -> Generator[None]:
    """Let writes to a pipe or socket return early; a terminal is left alone, since stderr shares its mode."""
    if not _is_stream(descriptor):
        yield
        return
    os.set_blocking(descriptor, False)
    try:
        yield
    finally:
        os.set_blocking(descriptor, True)


def _is_stream(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
