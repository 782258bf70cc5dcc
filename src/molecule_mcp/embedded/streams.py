"""Events as they happen, for whoever follows a workspace: no replay, no memory, a slow reader loses some."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

BUFFER = 64
"""Events that wait for one reader at most."""
TICK_SECONDS = 3.0
"""How often time is applied while somebody follows."""

Queue = asyncio.Queue[bytes | None]


class Hub:
    """Hands events to their readers once the transaction that they belong to is committed."""

    def __init__(self) -> None:
        self._readers: dict[str, set[Queue]] = {}
        self._pending: list[tuple[str, bytes]] = []

    @property
    def following(self) -> int:
        """How many workspaces have a reader just now."""
        return len(self._readers)

    def publish(self, workspace_id: str, kind: str, at: int, data: Any) -> None:
        """Add an event; `at` is Unix milliseconds."""
        if workspace_id in self._readers:
            told = {"type": kind, "timestamp": at, "data": data}
            text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
            self._pending.append((workspace_id, f"data: {text}\n\n".encode()))

    def settle(self, committed: bool) -> None:
        """The open transaction ended: hand out what it published, or forget it."""
        pending, self._pending = self._pending, []
        for workspace_id, line in pending if committed else []:
            for reader in self._readers.get(workspace_id, ()):
                with suppress(asyncio.QueueFull):
                    reader.put_nowait(line)

    @contextmanager
    def reader(self, workspace_id: str) -> Generator[Queue]:
        """A queue of what happens to one workspace from now on; None ends it."""
        queue = Queue(BUFFER)
        self._readers.setdefault(workspace_id, set()).add(queue)
        try:
            yield queue
        finally:
            self._readers[workspace_id].discard(queue)
            if not self._readers[workspace_id]:
                del self._readers[workspace_id]

    def close(self) -> None:
        """End every stream; one whose reader is behind loses what waits for it."""
        for reader in [each for readers in self._readers.values() for each in readers]:
            while not reader.empty():
                reader.get_nowait()
            reader.put_nowait(None)


class Following(Response):
    """An endless answer: a ping, then a line for each event, until the reader goes or the tenant ends.

    Args:
        tick: Applies the time that passes meanwhile.
    """

    def __init__(self, hub: Hub, workspace_id: str, tick: Callable[[], None]) -> None:
        super().__init__(media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        del self.headers["content-length"]
        self._hub, self._workspace_id, self._tick = hub, workspace_id, tick

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        with self._hub.reader(self._workspace_id) as queue:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b": ping\n\n", "more_body": True})
            gone = asyncio.create_task(_disconnected(receive))
            try:
                while line := await self._next(queue, gone):
                    await send({"type": "http.response.body", "body": line, "more_body": True})
            finally:
                gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, queue: Queue, gone: asyncio.Task[None]) -> bytes | None:
        """The next event; None when there is none to come."""
        event = asyncio.create_task(queue.get())
        try:
            while True:
                done, _ = await asyncio.wait({event, gone}, timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    break
                # Another process may hold the file; the next tick catches up.
                with suppress(sqlite3.OperationalError):
                    self._tick()
            return event.result() if event.done() and not gone.done() else None
        finally:
            event.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
