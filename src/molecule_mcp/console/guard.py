"""What stands before the page: Host, Origin, rate, and headers that let a browser load and send nothing else.

A form counts only with the token that this process made for the browser's cookie; the cookie by itself opens nothing.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Host names of this machine."""

COOKIE, TOKEN = "molecule_page", "token"
SHOWN = "shown"
"""The field of a form that says which plan it was shown under, by its digest."""

LARGEST = 256 * 1024
"""Bytes of the largest form; a secret of 64 KiB, percent-encoded, still fits."""

RATES = {"GET": 300, "POST": 60, "elsewhere": 60}
"""Requests a minute that are answered, from everybody together: five wrong passphrases lock, codes have 40 bits. What
a page from elsewhere leads a browser to is counted by itself, so that such a page uses up nobody else's.
"""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: with that a browser sends "Origin: null" along with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Refusal(Exception):
    """A request that is not answered with a page: its status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Guard:
    """The page's own doorkeeper.

    Args:
        hosts: Host names that a request may be addressed to, without port.
        clock: Seconds that only go forward.
    """

    def __init__(self, app: App, hosts: tuple[str, ...], clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._hosts = hosts
        self._clock = clock
        self._seen = {method: deque[float]() for method in RATES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            self.check(Request(scope))
        except Refusal as refusal:
            headers = {"Retry-After": "60"} if refusal.status == 429 else None
            answer = PlainTextResponse(refusal.why, refusal.status, headers)
            await answer(scope, receive, hardened)
            return
        await self._app(scope, receive, hardened)

    def check(self, request: Request) -> None:
        """Raises: Refusal for a foreign Host, a form from a foreign page, parts of one, or too many requests."""
        host = request.headers.get("host", "")
        if hostname(f"//{host}") not in self._hosts:
            raise Refusal(421, "This page does not answer to that host.")
        method = "POST" if request.method == "POST" else "GET"
        if method == "POST" and not from_here(request.headers.get("origin", ""), host):
            raise Refusal(403, "Forms from other pages are not accepted.")
        kind = "elsewhere" if is_led_here(request) else method
        now, seen = self._clock(), self._seen[kind]
        while seen and seen[0] <= now - 60:
            seen.popleft()
        if len(seen) >= RATES[kind]:
            raise Refusal(429, "Too many requests; wait a minute.")
        seen.append(now)


def is_led_here(request: Request) -> bool:
    """Whether a page of another site made the browser ask, as it says since it sends Fetch Metadata.

    Raises: Refusal when not even a person followed a link there: no page is to hold a part of this one.
    """
    if request.headers.get("sec-fetch-site") not in {"cross-site", "same-site"}:
        return False
    if request.headers.get("sec-fetch-mode") != "navigate" or request.headers.get("sec-fetch-dest") != "document":
        raise Refusal(403, "Parts of this page are not given to other pages.")
    return True


def hostname(address: str) -> str:
    """The host of an address, in brackets when it is IPv6; "" when there is none."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host


def from_here(origin: str, host: str) -> bool:
    """Whether an Origin header names exactly the host and port that the request is addressed to."""
    scheme, _, rest = origin.partition("://")
    return scheme in {"http", "https"} and rest.lower() == host.lower()


class Forms:
    """Forms that only a browser we gave them to can send back."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def cookie(self, request: Request) -> str:
        """The browser's cookie, a new one when it brings none."""
        return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)

    def token(self, cookie: str) -> str:
        """What a form must hold beside that cookie (hex)."""
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    async def fields(self, request: Request) -> dict[str, str]:
        """A form's fields.

        Raises: Refusal when it is too large, no form, or lacks the token.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            raise Refusal(415, "That is no form.")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise Refusal(413, "That form is too large.")
        try:
            read = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError:
            raise Refusal(400, "That form cannot be read.") from None
        fields = {name: values[-1] for name, values in read.items()}
        cookie = request.cookies.get(COOKIE, "")
        if not cookie or not hmac.compare_digest(self.token(cookie).encode(), fields.pop(TOKEN, "").encode()):
            raise Refusal(403, "This form was not made for this browser, or the program was restarted. Load it anew.")
        return fields
