"""An application in the place of the network: whole answers, and streams while they go on."""

from typing import Any

import anyio
import httpx
import pytest

from molecule_mcp.tenant.inprocess import InProcess

STREAM = {"Accept": "text/event-stream"}


class App:
    """Answers a first part, and then a second one when let go on; notes when its reader is gone."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.go_on = anyio.Event()
        self.gone = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 207, "headers": [(b"x-it", b"1")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        if scope["path"] == "/endless":
            self.gone = (await receive())["type"] == "http.disconnect"
            return
        await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"two"})


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=InProcess(app), base_url="http://tenant")


async def test_parts_of_a_stream_come_before_it_ends() -> None:
    app = App()
    async with client(app) as http, http.stream("GET", "/a%2Fb?q=1", headers=STREAM) as told:
        parts = told.aiter_bytes()
        assert (await anext(parts), told.status_code, told.headers["x-it"]) == (b"one", 207, "1")
        app.go_on.set()
        assert [part async for part in parts] == [b"two"]
    assert (app.scope["raw_path"], app.scope["query_string"], app.scope["path"]) == (b"/a%2Fb", b"q=1", "/a/b")


async def test_closing_a_stream_tells_the_application_and_waits_for_it() -> None:
    app = App()
    async with client(app) as http, http.stream("GET", "/endless", headers=STREAM) as told:
        assert await anext(told.aiter_bytes()) == b"one"
    assert app.gone


async def test_other_requests_get_their_whole_answer() -> None:
    app = App()
    app.go_on.set()
    async with client(app) as http:
        assert (await http.get("/")).content == b"onetwo"


async def test_an_application_without_an_answer_is_a_broken_connection() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return

    async with client(silent) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/", headers=STREAM)
