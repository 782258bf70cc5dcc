"""The HTTP doors: Streamable HTTP on /mcp, legacy SSE on /sse, behind Host, Origin and bearer checks.

A session belongs to the bearer that opened it; the SDK refuses it to any other as if it did not exist. Nothing of a
caller's request is sent on to the tenant.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from molecule_mcp import __version__
from molecule_mcp.console.guard import Receive, Scope, Send, hostname
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.server import MoleculeServer
from molecule_mcp.settings import Selection
from molecule_mcp.transports.bearers import Bearers

CHOSEN = re.compile(r"(?P<door>/mcp|/sse)?/t/(?P<names>[a-z_,-]+)(?(door)|(?P<messages>/messages/))")
"""An address that names toolsets."""

PAGE = "/page"
"""Where people find their page; its own guard stands before it, since a browser brings no bearer."""


@dataclass(frozen=True)
class Doors:
    """What the doors accept.

    Args:
        hosts: Host names a request may be addressed to, without port.
        bearers: Who may call.
        choose: The tools of a selection; raises ConfigurationError for names that do not exist or are not allowed.
    """

    hosts: tuple[str, ...]
    bearers: Bearers
    choose: Callable[[Selection], object]


class Doorkeeper:
    """Refuses what is not addressed to this server, comes from a foreign page, or brings no bearer: 421, 403, 401."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, headers = str(scope["path"]), Headers(scope=scope)
        if is_page(path):
            await self._app(scope, receive, send)
            return
        refusal = self.refusal(headers)
        if refusal is None and path != "/healthz":
            name = self._doors.bearers.name(headers.get("authorization", ""))
            if name is None:
                refusal = answer(401, "a bearer is needed", {"WWW-Authenticate": "Bearer"})
            else:
                refusal = self.enter(scope, name)
        await (refusal or self._app)(scope, receive, send)

    def enter(self, scope: Scope, name: str) -> JSONResponse | None:
        """Put down who calls and the toolsets that the address ends in: `/mcp/t/secrets,approvals`.

        The token itself goes no further than here. Returns: 404 when a toolset does not exist.
        """
        found = CHOSEN.fullmatch(str(scope["path"]))
        toolsets = [each for each in found["names"].split(",") if each] if found else []
        if found:
            try:
                self._doors.choose(Selection(tuple(toolsets)))
            except ConfigurationError as error:
                return answer(404, f"{error.message} {error.advice}")
            path = found["door"] or found["messages"]
            # The SSE door tells its client to post below this, so that each message names the toolsets too.
            root = f"/t/{found['names']}" if path == "/sse" else ""
            scope.update({"path": path, "raw_path": path.encode(), "root_path": root})
        scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name, scopes=toolsets))
        return None

    def refusal(self, headers: Headers) -> JSONResponse | None:
        """The answer to a foreign Host or Origin."""
        if hostname(f"//{headers.get('host', '')}") not in self._doors.hosts:
            return answer(421, "this server does not answer to that host")
        origin = headers.get("origin")
        if origin is not None and hostname(origin) not in self._doors.hosts:
            return answer(403, "requests from that page are not accepted")
        return None


def is_page(path: str) -> bool:
    """Whether an address is one of the page for people."""
    return path.startswith(f"{PAGE}/")


def answer(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal as JSON."""
    return JSONResponse({"error": why}, status_code=status, headers=headers)


async def healthz(_request: Request) -> JSONResponse:
    """Alive; says nothing about the tenant."""
    return JSONResponse({"status": "ok", "version": __version__})


def application(server: MoleculeServer, doors: Doors, page: Starlette) -> Starlette:
    """One application with both doors, the page for people and /healthz."""
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[each for host in doors.hosts for each in (host, f"{host}:*")],
        allowed_origins=[each for host in doors.hosts for scheme in ("http", "https")
                         for each in (f"{scheme}://{host}", f"{scheme}://{host}:*")],
    )  # fmt: skip
    streamable = server.streamable_http_app(transport_security=security)
    sse = server.sse_app(transport_security=security)
    return Starlette(
        routes=[*streamable.routes, *sse.routes, Route("/healthz", healthz), Mount(PAGE, page)],
        middleware=[Middleware(Doorkeeper, doors=doors), Middleware(AuthContextMiddleware)],
        lifespan=lambda _app: server.session_manager.run(),
    )
