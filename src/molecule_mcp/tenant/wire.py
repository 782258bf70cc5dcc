"""The connection to one tenant: one origin, one key, deadlines, pacing, retries of what is safe to repeat, size caps.

The guard sits in the transport, behind httpx's own URL handling: only a request whose final method, origin and path
are those that were permitted leaves the process. Redirects, proxies and netrc are never followed or read.
"""

import random
import time
from collections.abc import Awaitable, Callable
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
    """What the tenant answered."""

    status: int
    headers: httpx.Headers
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

    async def aclose(self) -> None:
        await self._inner.aclose()


class Pace:
    """Spreads requests once the tenant says that few are left in its window.

    The tenant counts per address, and everybody behind one address shares its 600 a minute; it tells how many are left
    with every answer. While there is plenty, nothing is slowed down.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = PLENTY
        self._until = 0.0

    def learn(self, headers: httpx.Headers) -> None:
        """Take what the tenant says is left of its window, and for how many seconds."""
        left, seconds = headers.get("X-Ratelimit-Remaining", ""), headers.get("X-Ratelimit-Reset", "")
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
    def _client(self) -> httpx.AsyncClient:
        # Made at the first request: the TLS context alone takes tens of milliseconds.
        limits = self.deadlines
        headers = {
            "Authorization": f"Bearer {self._token}",
            # A decoded body could be far larger than what came over the wire, in one step.
            "Accept-Encoding": "identity",
            "Accept": "application/json",
            "User-Agent": f"molecule-mcp/{__version__}",
        }
        if self.org_id:
            headers["X-Molecule-Org-Id"] = self.org_id
        inner = self._transport or httpx.AsyncHTTPTransport(
            trust_env=False, limits=httpx.Limits(max_connections=8, max_keepalive_connections=8)
        )
        timeout = httpx.Timeout(connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool)
        return httpx.AsyncClient(
            transport=Guard(self.origin, inner),
            headers=headers,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    @cached_property
    def _slots(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(8)

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
            built = self._client.build_request(
                request.method,
                self.origin + request.path,
                content=request.body or None,
                headers={"Content-Type": "application/json"} if request.body else None,
                extensions={"permitted": request},
            )
            progress.left = True
            response = await self._client.send(built, stream=True)
            self._pace.learn(response.headers)
            try:
                return Answer(response.status_code, response.headers, await self._body(request, response, progress))
            finally:
                await response.aclose()

    async def _body(self, request: Request, response: httpx.Response, progress: "Progress") -> bytes:
        """The body, never more than its cap in memory."""
        most = LARGE if any(part in request.template for part in CARRIES_FILES) else SMALL
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise TenantUnreadable("The answer is compressed, which was not asked for.", sent=progress.sent)
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
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
