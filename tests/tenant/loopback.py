"""A tenant on a raw socket of this machine: counts every byte that reaches it, and answers as a test says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.tenant.making import KEY

from molecule_mcp.tenant import Deadlines, Permit, Tenant, Wire

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def said(body: bytes, status: str = "200 OK", kind: str = "application/json", *more: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(raw: bytes) -> Act:
    """Write these bytes and keep the connection."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return act


def hangs_up(raw: bytes = b"") -> Act:
    """Write these bytes and close."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return act


async def resets(writer: asyncio.StreamWriter) -> None:
    """Break the connection."""
    writer.transport.abort()


async def silent(_: asyncio.StreamWriter) -> None:
    """Say nothing."""


async def drips(writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never end it, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    gone = asyncio.create_task(writer.wait_closed())
    while not gone.done():
        writer.write(b" ")
        await asyncio.wait([gone], timeout=0.005)
    gone.exception()


async def floods(writer: asyncio.StreamWriter) -> None:
    """50 MB of JSON, of no announced length."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
    for _ in range(50):
        writer.write(b"0," * 500_000)
        await writer.drain()
    writer.close()


class Loopback:
    """The server: does the next act for every request, the last one for ever.

    Args:
        received: Every byte that came, over all connections.
        requests: How many whole requests came.
        connections: How many connections came.
    """

    def __init__(self, acts: tuple[Act, ...]) -> None:
        self.acts = list(acts)
        self.received = b""
        self.requests = 0
        self.connections = 0
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.serving: list[asyncio.Task[None] | None] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.writers.append(writer)
        self.serving.append(asyncio.current_task())
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                self.received += head
                self.received += await reader.readexactly(announced(head))
                self.requests += 1
                await (self.acts.pop(0) if len(self.acts) > 1 else self.acts[0])(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def announced(head: bytes) -> int:
    """How long the body of a request is."""
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(lengths[0]) if lengths else 0


@asynccontextmanager
async def loopback(*acts: Act) -> AsyncGenerator[Loopback]:
    """A server that runs while the block does."""
    place = Loopback(acts)
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        server.close()
        for writer in place.writers:
            writer.transport.abort()
        await server.wait_closed()
        await asyncio.gather(*(task for task in place.serving if task))


@asynccontextmanager
async def connected(origin: str, permit: Permit, deadlines: Deadlines | None = None) -> AsyncGenerator[Tenant]:
    """A tenant over the real network, whose waits take no time."""

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    wire = Wire(origin, KEY, deadlines=deadlines, sleep=sleep)
    try:
        yield Tenant(wire, permit)
    finally:
        await wire.close()
