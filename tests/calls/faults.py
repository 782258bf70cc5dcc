"""The sample's tenant on a raw socket of this machine, which misbehaves at the requests that a test names.

It stands in the test's own process, so that the server under test is the only other one. What arrives is counted
whether it is then answered or not.
"""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from molecule_mcp import embedded
from molecule_mcp.capability import READING_POSTS
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.embedded.tokens import mint_org_key
from molecule_mcp.errors import Sent
from molecule_mcp.tenant.inprocess import EVENT_STREAM, InProcess
from tests.tenant.loopback import Act, announced, floods, hangs_up, resets, said, says, silent

HTML = b"<!doctype html><title>500</title><h1>Something went wrong</h1>"
WHEN = Callable[[str], bool]
"""Which request lines ("DELETE /workspaces/x") are hit."""


@dataclass(frozen=True)
class Fault:
    """One way for a tenant to fail.

    Args:
        act: What it does instead of answering; None: nobody listens.
        change: What can honestly be said of a changing request that met it.
        patient: Whether finding out takes the whole deadline.
        taken: Whether it is an answer to who reads a file: that there is none, or what is in it.
        alone: Whether calls come one at a time, so that one answer is in memory at once.
    """

    act: Act | None
    change: Sent
    patient: bool = False
    taken: bool = False
    alone: bool = False


def error(status: str, *more: str) -> Act:
    """An error as the tenant writes it."""
    return says(said(b'{"error":"injected"}', status, "application/json", *more))


FAULTS = {
    "401": Fault(error("401 Unauthorized"), True),
    "404": Fault(error("404 Not Found"), True, taken=True),
    "409": Fault(error("409 Conflict"), True),
    "429 for ever": Fault(error("429 Too Many Requests", "Retry-After: 0"), True, patient=True),
    "500 in HTML": Fault(says(said(HTML, "500 Internal Server Error", "text/html")), "unknown"),
    "cut off": Fault(hangs_up(said(b'{"status":"ok","items":[' + b" " * 2000)[:-1000]), "unknown"),
    "half a JSON": Fault(says(said(b'[{"id":"28f5febc-a42c-4eb1-abd6')), "unknown", taken=True),
    "another shape": Fault(says(said(b"42")), "unknown", taken=True),
    "refused": Fault(None, False),
    "reset": Fault(resets, "unknown"),
    "silence": Fault(silent, "unknown", patient=True),
    "50 MB": Fault(floods, "unknown", alone=True),
}


def every(_line: str) -> bool:
    """All requests."""
    return True


def changing(line: str) -> bool:
    """The requests that can change the tenant."""
    return (line not in READING_POSTS and not line.startswith("GET ")) or line == "GET /approvals/pending"


class Faulty:
    """The server.

    Args:
        port: Where it listens; the same again after nobody did.
        key: An organization key.
        seen: The line of every request that arrived, in order.
        left: How many more requests arrive before nobody listens any more; None: always somebody does.
        arrived: Counts the changing requests that came, up.
        released: Changing requests are answered while it is set.
    """

    def __init__(self, org_id: str | None = None) -> None:
        self.app = embedded.build(embedded.Options(rate_limit=None, agents=False, org_id=org_id))
        self.org_id = org_id
        # Bound, as some routes want it, to the organization whose root is this workspace.
        bound = sample_id("workspaces", "chief")
        self.key = mint_org_key(self.app.instance, "test", by="admin-token", org_id=bound).plaintext
        self.seen: list[str] = []
        self.port = 0
        self.left: int | None = None
        self.arrived = threading.Semaphore(0)
        self.released = asyncio.Event()
        self.released.set()
        self._act: Act | None = None
        self._when: WHEN = every
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._inner: httpx.AsyncBaseTransport = InProcess(self.app)
        self._sample = sqlite3.connect(":memory:", check_same_thread=False)
        self.app.database.backup(self._sample)

    @property
    def origin(self) -> str:
        """Where a server finds it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def changes(self) -> list[str]:
        """The changing requests that arrived, in order."""
        return [line for line in self.seen if changing(line)]

    def renew(self) -> None:
        """Back to the sample as it was at the start, and to no requests."""
        self._sample.backup(self.app.database)
        self.seen.clear()

    async def read(self, path: str) -> Any:
        """What the tenant holds, read past the server."""
        headers = {"Authorization": f"Bearer {self.key}", "X-Molecule-Org-Id": self.org_id or ""}
        told = await self._inner.handle_async_request(httpx.Request("GET", self.origin + path, headers=headers))
        return json.loads(await told.aread())

    async def fail(self, act: Act | None = None, when: WHEN = every) -> None:
        """From now on do this instead of answering these requests; None: answer all."""
        self._act, self._when, self.left = act, when, None
        await self.listen()

    async def fall_silent_after(self, requests: int) -> None:
        """Answer so many more requests, and have nobody listen after them."""
        self._act, self.left = None, requests
        await (self.listen() if requests else self.hang_up())

    async def listen(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Refuse connections; those that stand go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def hang_up(self) -> None:
        """Refuse connections, and break those that stand."""
        self.stop_listening()
        self.released.set()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._serving)

    def close(self) -> None:
        """Close the databases."""
        self.app.close()
        self._sample.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._writers.add(writer)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                await self._handle(head, await reader.readexactly(announced(head)), writer, reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            self._serving.discard(task)
            self._writers.discard(writer)

    async def _handle(
        self, head: bytes, body: bytes, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> None:
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        line = first.rsplit(" ", 1)[0]
        self.seen.append(line)
        if changing(line):
            self.arrived.release()
            await self.released.wait()
        if self._act and self._when(line):
            await self._act(writer)
            return
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.stop_listening()
        headers = [(name, value) for name, _, value in (each.partition(": ") for each in lines)]
        method, path = line.split(" ", 1)
        request = httpx.Request(method, self.origin + path, headers=headers, content=body)
        told = await self._inner.handle_async_request(request)
        if told.headers.get("content-type", "").startswith(EVENT_STREAM):
            await self._stream(told, writer, reader)
            return
        writer.write(await self._answer(told))
        await writer.drain()
        if self.left is not None:
            writer.close()

    async def _stream(self, told: httpx.Response, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        """Pass on an endless answer until its reader is gone."""
        writer.write(f"HTTP/1.1 200 Answer\r\nContent-Type: {EVENT_STREAM}\r\nConnection: close\r\n\r\n".encode())

        async def pump() -> None:
            async for part in told.aiter_raw():
                writer.write(part)

        pumping, gone = asyncio.create_task(pump()), asyncio.create_task(reader.read(1))
        await asyncio.wait({pumping, gone}, return_when=asyncio.FIRST_COMPLETED)
        pumping.cancel()
        gone.cancel()
        await asyncio.wait({pumping, gone})
        await told.aclose()
        writer.close()

    async def _answer(self, told: httpx.Response) -> bytes:
        """What the tenant answers, as bytes."""
        content = await told.aread()
        kept = [f"{name}: {value}" for name, value in told.headers.items() if name not in FRAMING]
        closing = [] if self.left is None else ["Connection: close"]
        top = [f"HTTP/1.1 {told.status_code} Answer", *kept, f"Content-Length: {len(content)}", *closing, "", ""]
        return "\r\n".join(top).encode("latin-1") + content


FRAMING = {"content-length", "transfer-encoding", "connection"}


@asynccontextmanager
async def faulty(org_id: str | None = None) -> AsyncGenerator[Faulty]:
    """A server that runs while the block does; with an organization id it is a hosted tenant."""
    place = Faulty(org_id)
    await place.listen()
    try:
        yield place
    finally:
        await place.hang_up()
        place.close()
