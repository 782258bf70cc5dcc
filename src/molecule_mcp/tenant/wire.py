"""The connection to one tenant: one origin, one key, deadlines, pacing, retries of what is safe to repeat, size caps.

The guard sits in the transport, behind httpx's own URL handling: only a request whose final method, origin and path
are those that were permitted leaves the process. Redirects, proxies and netrc are never followed or read.
"""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import anyio
import httpx

from molecule_mcp import __version__
from molecule_mcp.errors import ConfigurationError, PolicyRefusal, Sent, TenantUnreachable, TenantUnreadable
from molecule_mcp.tenant import paths
from molecule_mcp.tenant.permit import Request, changing
from molecule_mcp.tenant.translate import waits

SMALL, LARGE = 4 << 20, 32 << 20
"""Bytes of the largest answer: of any route, and of routes that carry files."""

CARRIES_FILES = ("/files", "/bundles", "/chat/", "/download")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

JSON_BODY = (b"Content-Type", b"application/json")

TOGETHER = 8
"""Requests under way at once."""

PLENTY = 100
"""Requests left in the tenant's window above which nothing is slowed down."""

ATTEMPTS = 3
"""Times a read is tried when nothing was sent or the connection broke."""

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures that come before the first byte leaves."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds; `total` spans all attempts and waits of one exchange."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 10.0
    pool: float = 30.0
    total: float = 60.0


@dataclass(frozen=True)
class Answer:
    """What the tenant answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Guard(httpx.AsyncBaseTransport):
    """Lets out only what was permitted, byte for byte."""

    def __init__(self, origin: str, inner: httpx.AsyncBaseTransport) -> None:
        parts = httpx.URL(origin)
        self._origin = (parts.scheme, parts.raw_host, parts.port)
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        permitted: Request | None = request.extensions.get("permitted")
        url = request.url
        if (
            permitted is None
            or (request.method, url.raw_path) != (permitted.method, permitted.path.encode())
            or (url.scheme, url.raw_host, url.port) != self._origin
            or not paths.match(permitted.template, url.raw_path.split(b"?", 1)[0])
        ):
            raise PolicyRefusal("The final request is not the one that was permitted; nothing was sent.")
        return await self._inner.handle_async_request(request)


class Pace:
    """Spreads requests once the tenant says that few are left in its window.

    The tenant counts per address, and everybody behind one address shares its 600 a minute; it tells how many are left
    with every answer. While there is plenty, nothing is slowed down.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = PLENTY
        self._until = 0.0

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what the tenant says is left of its window, and for how many seconds."""
        left, seconds = headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-reset", "")
        if left.isdecimal() and seconds.isdecimal():
            self._left, self._until = int(left), self._clock() + int(seconds)

    def wait(self) -> float:
        """Seconds to wait before the next request."""
        rest = self._until - self._clock()
        if self._left >= PLENTY or rest <= 0:
            return 0.0
        self._left = max(0, self._left - 1)
        return min(rest, rest / (self._left + 1))


class Wire:
    """One tenant's connection; shared by every call of the process.

    Args:
        origin: "https://host"; http only on loopback.
        token: The organization key; sent to this origin only.
        org_id: Value of X-Molecule-Org-Id on hosted tenants.
        transport: Instead of the network: the embedded tenant, or a test's.
        sample: Whether this is the embedded tenant.
        clock: Monotonic seconds. sleep: waits that many.
    Raises: ConfigurationError for an origin that would send the key in the clear.
    """

    def __init__(
        self,
        origin: str,
        token: str,
        *,
        org_id: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sample: bool = False,
        deadlines: Deadlines | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        parts = urlsplit(origin)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise ConfigurationError(
                "The tenant's address must be https, or on this machine.", advice="Correct MOLECULE_API_URL."
            )
        self.origin = origin.rstrip("/")
        self.org_id = org_id
        self.sample = sample
        self.deadlines = deadlines or Deadlines()
        self._token = token
        self._transport = transport
        self._pace = Pace(clock)
        self._clock = clock
        self._sleep = sleep

    @cached_property
    def _guard(self) -> Guard:
        # Made at the first request: the TLS context alone takes tens of milliseconds. A transport, not a client:
        # a client would follow cookies, auth flows and redirects, none of which has a place here.
        inner = self._transport or httpx.AsyncHTTPTransport(
            trust_env=False, limits=httpx.Limits(max_connections=TOGETHER, max_keepalive_connections=TOGETHER)
        )
        return Guard(self.origin, inner)

    @cached_property
    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            "Host": httpx.URL(self.origin).netloc.decode(),
            "Authorization": f"Bearer {self._token}",
            # A decoded body could be far larger than what came over the wire, in one step.
            "Accept-Encoding": "identity",
            "Accept": "application/json",
            "User-Agent": f"molecule-mcp/{__version__}",
        }
        if self.org_id:
            headers["X-Molecule-Org-Id"] = self.org_id
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    @cached_property
    def _timeout(self) -> dict[str, float]:
        limits = self.deadlines
        return {"connect": limits.connect, "read": limits.read, "write": limits.write, "pool": limits.pool}

    @cached_property
    def _slots(self) -> anyio.Semaphore:
        return anyio.Semaphore(TOGETHER, fast_acquire=True)

    async def exchange(self, request: Request) -> Answer:
        """Send one permitted request, and return what the tenant answered, whatever the status.

        Raises:
            TenantUnreachable: No answer; `sent` is "unknown" once bytes of a changing request may have left.
            TenantUnreadable: The answer is too large or encoded.
        """
        progress = Progress(changing(request.route))
        with anyio.move_on_after(self.deadlines.total) as scope:
            return await self._attempts(request, progress)
        assert scope.cancelled_caught
        raise progress.lost(f"no answer within {self.deadlines.total:g} s")

    async def _attempts(self, request: Request, progress: "Progress") -> Answer:
        until = self._clock() + self.deadlines.total
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._once(request, progress)
            except NOT_SENT as error:
                progress.left = False
                if progress.changing or attempt >= ATTEMPTS:
                    raise progress.lost(kind(error)) from error
                await self._sleep(random.uniform(0.25, 0.5) * attempt)
                continue
            except httpx.TransportError as error:
                if progress.changing or attempt >= ATTEMPTS or isinstance(error, httpx.TimeoutException):
                    raise progress.lost(kind(error)) from error
                continue
            pause = waits(answer.status, answer.headers, answer.body)
            if pause is None or self._clock() + pause >= until:
                return answer
            # The tenant says these before its handler runs, so repeating is safe for any method.
            progress.left = False
            await self._sleep(pause)

    async def _once(self, request: Request, progress: "Progress") -> Answer:
        if pause := self._pace.wait():
            await self._sleep(pause)
        async with self._slots:
            progress.left = True
            response = await self._guard.handle_async_request(self._built(request))
            stream = response.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            try:
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw
                }
                self._pace.learn(headers)
                return Answer(response.status_code, headers, await self._body(request, headers, stream, progress))
            finally:
                await stream.aclose()

    def _built(self, request: Request) -> httpx.Request:
        """The request as httpx sends it: our own headers and no others."""
        length = [(b"Content-Length", str(len(request.body)).encode()), JSON_BODY] if request.body else []
        return httpx.Request(
            request.method,
            self.origin + request.path,
            headers=[*self._headers, *length],
            stream=httpx.ByteStream(request.body),
            extensions={"permitted": request, "timeout": self._timeout},
        )

    async def _body(
        self, request: Request, headers: Mapping[str, str], stream: httpx.AsyncByteStream, progress: "Progress"
    ) -> bytes:
        """The body, never more than its cap in memory."""
        most = LARGE if any(part in request.template for part in CARRIES_FILES) else SMALL
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise TenantUnreadable("The answer is compressed, which was not asked for.", sent=progress.sent)
        chunks: list[bytes] = []
        size = 0
        async for chunk in stream:
            size += len(chunk)
            if size > most:
                raise TenantUnreadable(f"The answer is larger than {most >> 20} MiB.", sent=progress.sent)
            chunks.append(chunk)
        return b"".join(chunks)


@dataclass
class Progress:
    """How far one exchange got: whether bytes of it may have left."""

    changing: bool
    left: bool = False

    @property
    def sent(self) -> Sent:
        """What can honestly be said of a changing request."""
        return "unknown" if self.changing and self.left else False

    def lost(self, why: str) -> TenantUnreachable:
        """The error for an exchange without an answer."""
        advice = (
            "It may or may not have happened: read the present state before anything else."
            if self.sent
            else "Nothing was changed. Check that the tenant is up and MOLECULE_API_URL is right, then try again."
        )
        return TenantUnreachable(f"The tenant did not answer: {why}.", sent=self.sent, advice=advice)


def kind(error: httpx.TransportError) -> str:
    """A transport error in words; its own text may hold addresses, which help nobody and may tell too much."""
    names: dict[type[httpx.TransportError], str] = {
        httpx.ConnectError: "no connection",
        httpx.ConnectTimeout: "no connection in time",
        httpx.PoolTimeout: "too many calls at once",
        httpx.ReadTimeout: "silence",
        httpx.WriteTimeout: "it took no data",
    }
    return names.get(type(error), "the connection broke")
