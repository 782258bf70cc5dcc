"""The HTTP doors: Streamable HTTP on /mcp, legacy SSE on /sse, behind Host, Origin and bearer checks.

A session belongs to the bearer that opened it; the SDK refuses it to any other as if it did not exist. Nothing of a
caller's request is sent on to the tenant.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from molecule_mcp import __version__
from molecule_mcp.server import MoleculeServer
from molecule_mcp.transports.bearers import Bearers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Doors:
    """What the doors accept.

    Args:
        hosts: Host names a request may be addressed to, without port.
        bearers: Who may call.
    """

    hosts: tuple[str, ...]
    bearers: Bearers


class Doorkeeper:
    """Refuses what is not addressed to this server, comes from a foreign page, or brings no bearer: 421, 403, 401."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self.refusal(request)
        if refusal is None and request.url.path != "/healthz":
            name = self._doors.bearers.name(request.headers.get("authorization", ""))
            if name is None:
                refusal = answer(401, "a bearer is needed", {"WWW-Authenticate": "Bearer"})
            else:
                # The token itself goes no further than here.
                scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))
        await (refusal or self._app)(scope, receive, send)

    def refusal(self, request: Request) -> JSONResponse | None:
        """The answer to a foreign Host or Origin."""
        if hostname(f"//{request.headers.get('host', '')}") not in self._doors.hosts:
            return answer(421, "this server does not answer to that host")
        origin = request.headers.get("origin")
        if origin is not None and hostname(origin) not in self._doors.hosts:
            return answer(403, "requests from that page are not accepted")
        return None


def hostname(address: str) -> str:
    """The host of an address, in brackets when it is IPv6; "" when there is none."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host


def answer(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal as JSON."""
    return JSONResponse({"error": why}, status_code=status, headers=headers)


async def healthz(_request: Request) -> JSONResponse:
    """Alive; says nothing about the tenant."""
    return JSONResponse({"status": "ok", "version": __version__})


def application(server: MoleculeServer, doors: Doors) -> Starlette:
    """One application with both doors and /healthz."""
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[each for host in doors.hosts for each in (host, f"{host}:*")],
        allowed_origins=[each for host in doors.hosts for scheme in ("http", "https")
                         for each in (f"{scheme}://{host}", f"{scheme}://{host}:*")],
    )  # fmt: skip
    streamable = server.streamable_http_app(transport_security=security)
    sse = server.sse_app(transport_security=security)
    return Starlette(
        routes=[*streamable.routes, *sse.routes, Route("/healthz", healthz)],
        middleware=[Middleware(Doorkeeper, doors=doors), Middleware(AuthContextMiddleware)],
        lifespan=lambda _app: server.session_manager.run(),
    )
