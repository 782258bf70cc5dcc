"""An ASGI application in the place of the network.

httpx's own transport waits for the whole answer, which an event stream never gives; such an answer comes here piece by
piece as it is sent.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

EVENT_STREAM = "text/event-stream"


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to an application; those that accept an event stream are answered while it goes on."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._whole = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("accept") != EVENT_STREAM:
            return await self._whole.handle_async_request(request)
        stream = Stream(self._app, request)
        status, headers = await stream.begun()
        return httpx.Response(status, headers=headers, stream=stream)


class Stream(httpx.AsyncByteStream):
    """An answer under way; closing it tells the application that its reader is gone, and waits for it to end."""

    def __init__(self, app: Any, request: httpx.Request) -> None:
        self._started: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.Future()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._asked = False
        self._task = asyncio.create_task(self._run(app, scope(request)))

    async def begun(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers.

        Raises: httpx.RemoteProtocolError when the application ends without an answer.
        """
        try:
            return await asyncio.shield(self._started)
        except BaseException:
            await self.aclose()
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._parts.get()) is not None:
            yield part

    async def aclose(self) -> None:
        self._gone.set()
        await asyncio.wait({self._task})

    async def _run(self, app: Any, given: dict[str, Any]) -> None:
        try:
            await app(given, self._receive, self._send)
        finally:
            self._parts.put_nowait(None)
            if not self._started.done():
                self._started.set_exception(httpx.RemoteProtocolError("no answer"))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._started.set_result((message["status"], message["headers"]))
        elif message.get("body"):
            self._parts.put_nowait(message["body"])
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._parts.put_nowait(None)


def scope(request: httpx.Request) -> dict[str, Any]:
    """A request as ASGI has it."""
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": path,
        "query_string": query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
