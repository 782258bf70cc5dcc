"""The embedded tenant as an ASGI application."""

import asyncio
import inspect
import logging
import sqlite3
import time
from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from molecule_mcp.embedded import delegations, sample
from molecule_mcp.embedded.agents import Agents
from molecule_mcp.embedded.calls import Call, Refusal, answer, not_a_route
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.lifecycle import catch_up
from molecule_mcp.embedded.options import Options
from molecule_mcp.embedded.routes import ROUTES
from molecule_mcp.embedded.routing import Route, Router
from molecule_mcp.embedded.screen import screen
from molecule_mcp.embedded.tokens import mint_org_key

log = logging.getLogger(__name__)
UNAVAILABLE = {"error": "platform datastore unavailable — retry shortly", "code": "platform_unavailable"}


def build(options: Options) -> "App":
    """A tenant on its database: the sample organization unless the file was used before or `empty` was asked for."""
    app = App(Instance(options))
    # Several processes may open the same new file at once: the first to lock it plants, and marks it in the same step.
    with app.instance.db.transaction():
        if not app.instance.db.begun and not options.empty:
            sample.plant(app.instance)
        app.instance.db.begin()
    return app


class App:
    """One tenant, called like any ASGI application.

    A request runs in a task of its own: cancelling the caller does not cancel it, as on a socket.

    Args:
        instance: What the tenant runs on.
        routes: The operations that it knows.
    """

    def __init__(self, instance: Instance, routes: Sequence[Route] = ROUTES) -> None:
        self.instance = instance
        self.instance.tick = self.tick
        self._router = Router(routes)
        self._agents = Agents(instance) if instance.options.agents else None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def database(self) -> sqlite3.Connection:
        """The open connection."""
        return self.instance.db.connection

    def mint_org_key(self, name: str) -> str:
        """Mint an organization key outside any request, as its deployer could; the plaintext."""
        return mint_org_key(self.instance, name, by="admin-token").plaintext

    def tick(self) -> None:
        """Apply what is due by now: starts that end, tasks handed over, agents that work."""
        with self.instance.db.transaction():
            catch_up(self.instance)
            delegations.step(self.instance)
            if self._agents is not None:
                self._agents.step(self.instance.now())

    def end_streams(self) -> None:
        """End the answers that have no end of their own."""
        self.instance.hub.close()

    def close(self) -> None:
        """Close the database, and end what still streams from it."""
        self.end_streams()
        self.instance.db.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the embedded tenant takes no {scope['type']} connections")
        task = asyncio.create_task(self._serve(scope, receive, send))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        call = Call(self.instance, scope)
        told = self._redirect(call)
        if told is None:
            headers: dict[str, str] = {}
            told = screen(call, headers) or await self._route(call, receive)
            for name, value in headers.items():
                told.headers.setdefault(name, value)
            self._count(call, told.status_code, time.perf_counter() - begun)
        await told(scope, receive, send)

    def _redirect(self, call: Call) -> Response | None:
        shorter = call.raw_path[:-1]
        if not call.raw_path.endswith("/") or self._router.find(call.method, shorter) is None:
            return None
        target = f"{shorter}?{call.raw_query}" if call.raw_query else shorter
        return Response(status_code=301 if call.method == "GET" else 307, headers={"Location": target})

    async def _route(self, call: Call, receive: Receive) -> Response:
        found = self._router.find(call.method, call.raw_path)
        if found is None:
            return not_a_route()
        route, call.path = found
        call.pattern = route.template
        call.body = await _body(receive)
        try:
            self.tick()
            with self.instance.db.transaction():
                told = _handled(route, call)
            return await told if inspect.isawaitable(told) else told
        except Refusal as refused:
            return refused.answer
        except sqlite3.OperationalError:
            # Nothing of the request was stored, which is what clients take this answer for.
            return answer(UNAVAILABLE, 503)
        except Exception:
            log.exception("%s %s failed", route.method, route.template)
            return Response(status_code=500)

    def _count(self, call: Call, status: int, seconds: float) -> None:
        key = (call.method, call.pattern, status)
        count, total = self.instance.counted.get(key, (0, 0.0))
        self.instance.counted[key] = (count + 1, total + seconds)


def _handled(route: Route, call: Call) -> Response:
    # A refusal ends the handler, not the transaction: what was stored before it stays, as on the tenant.
    try:
        route.guard(call)
        return route.handler(call)
    except Refusal as refused:
        return refused.answer


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
