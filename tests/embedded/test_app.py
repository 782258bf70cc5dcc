"""The application: redirects, unknown routes, cancelled callers, broken handlers, databases."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from molecule_mcp.embedded import App, Options
from molecule_mcp.embedded.app import build
from molecule_mcp.embedded.auth import anyone
from molecule_mcp.embedded.calls import Call, Refusal, answer
from molecule_mcp.embedded.routing import Route
from tests.embedded.support import Clock, Desk


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nope"), ("POST", "/health"), ("HEAD", "/health"), ("PUT", "/admin/secrets")],
)
async def test_an_unknown_path_and_an_unknown_method_are_the_same_page(desk: Desk, method: str, path: str) -> None:
    answer = await desk.org.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain")


async def test_a_trailing_slash_is_redirected_before_anything_is_checked(desks: Callable[..., Desk]) -> None:
    desk = desks(rate_limit=1)
    got = await desk.http.get("/workspaces/?a=b", headers={"Origin": "http://elsewhere.example"})
    assert (got.status_code, got.headers["location"]) == (301, "/workspaces?a=b")
    posted = await desk.http.post("/workspaces/")
    assert (posted.status_code, posted.headers["location"]) == (307, "/workspaces")
    assert (await desk.http.get("/nope/")).status_code == 404


async def test_a_cancelled_caller_does_not_cancel_the_request(desks: Callable[..., Desk]) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def waiting(call: Call) -> Response:
        entered.set()
        await asyncio.sleep(0)
        left.set()
        return answer({})

    desk = desks(routes=[Route("POST", "/waiting", anyone, waiting)])
    caller = asyncio.create_task(desk.http.post("/waiting"))
    await entered.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait_for(left.wait(), 5)


def broken(call: Call) -> Response:
    call.db.insert("global_secrets", key="half", value=b"", created_at="", updated_at="")
    raise RuntimeError("by intention")


def refused(call: Call) -> Response:
    call.db.insert("global_secrets", key="kept", value=b"", created_at="", updated_at="")
    raise Refusal(500, "after all")


async def slow(call: Call) -> Response:
    await asyncio.sleep(0)
    return answer({"body": call.body.decode()})


async def slow_refused(call: Call) -> Response:
    await asyncio.sleep(0)
    raise Refusal(409, "too late")


ODD = [
    Route("GET", "/broken", anyone, broken),
    Route("GET", "/refused", anyone, refused),
    Route("POST", "/slow", anyone, slow),
    Route("POST", "/slow-refused", anyone, slow_refused),
]


@pytest.fixture
def odd(desks: Callable[..., Desk]) -> Desk:
    """A tenant with handlers of our own."""
    return desks(routes=ODD)


async def test_a_handler_that_breaks_stores_nothing_and_answers_an_empty_500(odd: Desk) -> None:
    told = await odd.http.get("/broken")
    assert (told.status_code, told.content) == (500, b"")
    assert odd.cell("SELECT count(*) FROM global_secrets") == 0


async def test_a_refusal_keeps_what_was_stored_before_it(odd: Desk) -> None:
    assert (await odd.http.get("/refused")).status_code == 500
    assert odd.cell("SELECT key FROM global_secrets") == "kept"


async def test_a_database_that_cannot_be_had_is_a_503_and_nothing_was_stored(
    desks: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = desks(db=tmp_path / "tenant.db")
    desk.app.database.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "tenant.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    told = await desk.org.post("/workspaces", json={"name": "n"})
    assert (told.status_code, told.json()["code"]) == (503, "platform_unavailable")
    other.close()
    assert await desk.json("/workspaces") == []


async def test_a_handler_may_wait(odd: Desk) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"in two "
        yield b"parts"

    assert (await odd.http.post("/slow", content=parts())).json() == {"body": "in two parts"}
    assert (await odd.http.post("/slow-refused")).json() == {"error": "too late"}


async def test_only_http_is_taken(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="websocket"):
        await desk.app({"type": "websocket"}, None, None)  # pyright: ignore[reportArgumentType]


async def test_a_peer_without_an_address_is_served(desk: Desk) -> None:
    transport = httpx.ASGITransport(desk.app, client=None)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url="http://tenant") as client:
        assert (await client.get("/health")).status_code == 200


async def test_a_file_is_kept_and_not_planted_again(tmp_path: Path, clock: Clock) -> None:
    options = Options(db=tmp_path / "made" / "tenant.db", clock=clock, agents=False)
    first = build(options)
    planted = first.database.execute("SELECT count(*) FROM workspaces").fetchone()[0]
    first.database.execute("DELETE FROM workspaces WHERE name = 'Reviewer'")
    first.close()
    again = build(options)
    assert again.database.execute("SELECT count(*) FROM workspaces").fetchone()[0] == planted - 2
    again.close()


def test_processes_that_open_a_new_file_at_once_plant_it_once(tmp_path: Path, clock: Clock) -> None:
    options = Options(db=tmp_path / "tenant.db", clock=clock, agents=False)
    with ThreadPoolExecutor(4) as threads:
        apps = list(threads.map(build, [options] * 4))
    assert len({app.database.execute("SELECT count(*) FROM workspaces").fetchone()[0] for app in apps}) == 1
    for app in apps:
        app.close()


def test_an_empty_tenant_stays_empty(tmp_path: Path, clock: Clock) -> None:
    for empty in (True, False):
        app = build(Options(db=tmp_path / "tenant.db", empty=empty, clock=clock))
        assert app.database.execute("SELECT count(*) FROM workspaces").fetchone()[0] == 0
        app.close()


async def test_secrets_in_a_file_are_readable_after_a_restart_and_not_in_clear_before(
    tmp_path: Path, desks: Callable[..., Desk]
) -> None:
    path = tmp_path / "tenant.db"
    first = desks(db=path)
    outside = await first.external()
    await first.org.post(f"/workspaces/{outside}/secrets", json={"key": "K", "value": "very-secret-value"})
    await first.org.put("/settings/secrets", json={"key": "G", "value": "another-secret"})
    stored = first.cell("SELECT value FROM workspace_secrets") + first.cell("SELECT value FROM global_secrets")
    assert b"very-secret-value" not in stored
    assert b"another-secret" not in stored
    assert (await desks(db=path).json(f"/workspaces/{outside}/secrets/values"))["K"] == "very-secret-value"


def test_keys_and_tokens_are_stored_as_digests_only(desk: Desk) -> None:
    dump = "\n".join(desk.app.database.iterdump())
    assert desk.key not in dump
    assert desk.key[:8] in dump


def test_a_closed_tenant_has_closed_its_database(clock: Clock) -> None:
    app: App = build(Options(clock=clock, empty=True))
    app.close()
    with pytest.raises(sqlite3.ProgrammingError):
        app.tick()
