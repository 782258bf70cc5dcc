"""The connection to one tenant: one origin, one key, deadlines, pacing, repeats of what is safe to repeat, size caps.

A guarded transport and no HTTP client: cookies, authentication flows, redirects, proxies and netrc have no place here,
and are neither followed nor read. Every request carries our own headers and no others.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, Self

import anyio
import httpx

from molecule_mcp import __version__
from molecule_mcp.errors import ConfigurationError, TenantUnreadable
from molecule_mcp.tenant.attempts import NAMES, Progress
from molecule_mcp.tenant.guard import PERMITTED, Guard
from molecule_mcp.tenant.pace import Pace
from molecule_mcp.tenant.permit import Request, changing
from molecule_mcp.tenant.translate import RELAYED, Answer, media_type

SMALL, LARGE = 4 << 20, 32 << 20
"""Bytes of the largest answer: of any route, and of routes that carry files or everything there is of a kind."""

SLOW = frozenset(
    {
        "POST /workspaces/{id}/a2a",
        "POST /workspaces/{id}/plugins",
        "POST /org/import",
        "POST /bundles/import",
        "POST /admin/memories/import",
        "POST /admin/workspace-images/refresh",
    }
)
"""Routes that answer when an agent has, a plugin or image is fetched or a whole organization stands."""

CARRIES_FILES = ("/files", "/bundles", "/chat/", "/memories/export")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

TOGETHER, LASTING, FOLLOWED = 8, 8, 4
"""Requests under way at once, those of slow routes beside them, and streams followed at once beside both."""

EVENT_STREAM = "text/event-stream"
CLOSING = 5.0
"""Seconds that ending a stream may take."""

Heard = Callable[[str], Awaitable[bool]]
"""Takes a line of a stream, without its end; true ends the reading."""

Ending = Literal["time", "enough", "closed", "broken"]
"""How following a stream ended: the time was over, the reader had enough, the tenant closed it, or it broke."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds; `total` spans all attempts and waits of one exchange, `slow` is both read and total of slow routes."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 10.0
    pool: float = 5.0
    total: float = 60.0
    slow: float = 300.0

    def within(self, seconds: float | None) -> Self:
        """The same, none of them longer than so many seconds; None changes nothing."""
        return self if seconds is None else type(self)(*(min(each, seconds) for each in astuple(self)))


class Wire:
    """One tenant's connection; shared by every call of the process.

    Args:
        origin: "https://host"; http only on loopback.
        token: The organization key; sent to this origin only.
        org_id: Value of X-Molecule-Org-Id on hosted tenants.
        transport: Instead of the network: the embedded tenant, or a test's.
        sample: Whether this is the embedded tenant.
        clock: Monotonic seconds. sleep: waits that many.
    Raises: ConfigurationError for an origin that would send the key in the clear, and for a key or organization id
        that no header can carry.
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
        self._url = checked_origin(origin)
        self.origin = f"{self._url.scheme}://{self._url.netloc.decode()}"
        self._token = checked_header("MOLECULE_ORG_TOKEN", token)
        self.org_id = checked_header("MOLECULE_ORG_ID", org_id) if org_id else None
        self.sample = sample
        self.doubts: dict[str, Any] = {}
        self.deadlines = deadlines or Deadlines()
        self._transport = transport
        self._pace = Pace(clock)
        self._clock = clock
        self._sleep = sleep

    def is_own_key(self, prefix: str) -> bool:
        """Whether the key in use begins with the characters that the tenant shows of one."""
        return len(prefix) >= 8 and self._token.startswith(prefix)

    @cached_property
    def _guard(self) -> Guard:
        # Made at the first request: the TLS context alone takes tens of milliseconds.
        inner = self._transport or httpx.AsyncHTTPTransport(
            trust_env=False,
            limits=httpx.Limits(max_connections=TOGETHER + LASTING + FOLLOWED, max_keepalive_connections=TOGETHER),
        )
        return Guard(self._url, inner)

    @cached_property
    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            "Host": self._url.netloc.decode(),
            "Authorization": f"Bearer {self._token}",
            # A decoded body could be far larger than what came over the wire, in one step.
            "Accept-Encoding": "identity",
            "User-Agent": f"molecule-mcp/{__version__}",
        }
        if self.org_id:
            headers["X-Molecule-Org-Id"] = self.org_id
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    def _timeout(self, slow: bool) -> dict[str, float]:
        limits = self.deadlines
        read = limits.slow if slow else limits.read
        return {"connect": limits.connect, "read": read, "write": limits.write, "pool": limits.pool}

    @cached_property
    def _slots(self) -> anyio.Semaphore:
        return anyio.Semaphore(TOGETHER, fast_acquire=True)

    @cached_property
    def _slow_slots(self) -> anyio.Semaphore:
        # Of their own, so that messages to agents that take minutes keep no read waiting.
        return anyio.Semaphore(LASTING, fast_acquire=True)

    @cached_property
    def _ears(self) -> anyio.Semaphore:
        return anyio.Semaphore(FOLLOWED, fast_acquire=True)

    async def close(self) -> None:
        """Close the connections; a later exchange opens new ones."""
        if guard := self.__dict__.pop("_guard", None):
            await guard.aclose()

    async def exchange(self, request: Request) -> Answer:
        """Send one permitted request, and return what the tenant answered, whatever the status.

        Raises:
            PolicyRefusal: The final bytes are not those that were permitted; nothing was sent.
            TenantUnreachable: No answer; `sent` is "unknown" once bytes of a changing request may have left.
            TenantUnreadable: The answer is too large or encoded.
        """
        progress = Progress(changing(request.route), relayed=request.route in RELAYED)
        total = self.deadlines.slow if request.route in SLOW else self.deadlines.total
        with anyio.move_on_after(total):
            return await self._attempts(request, progress, self._clock() + total)
        raise progress.lost(f"no answer within {total:g} s")

    async def _attempts(self, request: Request, progress: Progress, until: float) -> Answer:
        while True:
            try:
                answer = await self._once(request, progress)
            # A fault of TLS after the handshake comes as the bare OSError that it is.
            except (httpx.TransportError, OSError) as error:
                pause = progress.broke(error)
            else:
                again = progress.answered(answer)
                if again is None or self._clock() + again >= until:
                    return answer
                pause = again
            progress.left = False
            await self._sleep(pause)

    async def _paced(self) -> None:
        if pause := self._pace.wait():
            await self._sleep(pause)

    async def _once(self, request: Request, progress: Progress) -> Answer:
        progress.queued = True
        await self._paced()
        async with self._slow_slots if request.route in SLOW else self._slots:
            progress.queued, progress.left = False, True
            response = await self._guard.handle_async_request(self._built(request))
            stream = streamed(response)
            try:
                headers = named(response)
                self._pace.learn(headers)
                return Answer(response.status_code, headers, await self._body(request, headers, stream, progress))
            finally:
                await stream.aclose()

    async def follow(self, request: Request, seconds: float, heard: Heard) -> Answer | Ending:
        """Read a permitted endless answer line by line, for so many seconds at most; a read, and never tried again.

        Returns: How it ended; the answer itself when it is no event stream.
        Raises:
            PolicyRefusal: as `exchange`.
            TenantUnreachable: No answer began.
            TenantUnreadable: The answer is encoded, or one that is no stream is too large.
        """
        progress = Progress(changing=False)
        async with self._ears:
            await self._paced()
            begun = False
            with anyio.move_on_after(seconds):
                async with self._opened(request, seconds) as response:
                    headers = named(response)
                    self._pace.learn(headers)
                    if response.status_code != 200 or not is_stream(headers):
                        body = await self._body(request, headers, streamed(response), progress)
                        return Answer(response.status_code, headers, body)
                    begun = True
                    return await lines(streamed(response), heard)
        if begun:
            return "time"
        raise progress.lost(f"no answer within {seconds:g} s")

    @asynccontextmanager
    async def _opened(self, request: Request, seconds: float) -> AsyncGenerator[httpx.Response]:
        """The beginning of an answer that is given up afterwards, however far it got.

        Raises: TenantUnreachable.
        """
        timeout = self._timeout(slow=False) | {"read": seconds + self.deadlines.read}
        try:
            response = await self._guard.handle_async_request(self._built(request, EVENT_STREAM, timeout))
            try:
                yield response
            finally:
                with anyio.move_on_after(CLOSING, shield=True):
                    await streamed(response).aclose()
        except (httpx.TransportError, OSError) as error:
            raise Progress(changing=False).lost(NAMES.get(type(error), "the connection broke")) from error

    def _built(
        self, request: Request, accept: str = "application/json", timeout: dict[str, float] | None = None
    ) -> httpx.Request:
        """The request as it leaves."""
        headers = [*self._headers, (b"Accept", accept.encode())]
        if request.body:
            length = str(len(request.body)).encode()
            headers = [*headers, (b"Content-Length", length), (b"Content-Type", request.content_type.encode())]
        elif request.method not in ("GET", "DELETE"):
            # Proxies refuse a POST that does not say how long it is.
            headers = [*headers, (b"Content-Length", b"0")]
        return httpx.Request(
            request.method,
            address(self.origin + request.path),
            headers=headers,
            stream=httpx.ByteStream(request.body),
            extensions={PERMITTED: request, "timeout": timeout or self._timeout(request.route in SLOW)},
        )

    async def _body(
        self, request: Request, headers: Mapping[str, str], stream: httpx.AsyncByteStream, progress: Progress
    ) -> bytes:
        """The body, never more than its cap in memory."""
        most = LARGE if any(part in request.template for part in CARRIES_FILES) else SMALL
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise TenantUnreadable("The answer is compressed, which was not asked for.", sent=progress.sent)
        # One growing block goes back to the system when it is let go; many small ones stay with the process.
        body = bytearray()
        async for chunk in stream:
            if len(body) + len(chunk) > most:
                body.clear()
                raise TenantUnreadable(f"The answer is larger than {most >> 20} MiB.", sent=progress.sent)
            body += chunk
        return bytes(body)


@lru_cache(256)
def address(text: str) -> httpx.URL:
    """An address taken apart, which costs as much as the rest of a request; polls ask for the same ones."""
    return httpx.URL(text)


def named(response: httpx.Response) -> dict[str, str]:
    """The headers of an answer, names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}


def is_stream(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a plain event stream."""
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    return plain and media_type(headers) == EVENT_STREAM


def streamed(response: httpx.Response) -> httpx.AsyncByteStream:
    """The body of an answer as it comes."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return response.stream


async def lines(stream: httpx.AsyncByteStream, heard: Heard) -> Ending:
    """Hand on the lines of a stream until it ends; one that never ends its line, or has too many, was enough."""
    rest, size = b"", 0
    try:
        async for chunk in stream:
            size += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if await heard(line.rstrip(b"\r").decode("utf-8", "replace")):
                    return "enough"
            if size > SMALL:
                return "enough"
    except (httpx.TransportError, OSError):
        return "broken"
    return "closed"


def checked_origin(origin: str) -> httpx.URL:
    """The origin as httpx will use it: one reading of the text decides both the check and the connection."""
    try:
        url = httpx.URL(origin)
    except httpx.InvalidURL:
        url = httpx.URL("")
    local = url.scheme == "http" and url.host in LOOPBACK
    bare = url.raw_path == b"/" and not url.userinfo and not url.fragment
    if not (bare and url.host and (url.scheme == "https" or local)):
        raise ConfigurationError(
            "The tenant's address must be https://HOST, or http:// on this machine, and nothing more.",
            advice="Correct MOLECULE_API_URL.",
        )
    return url


def checked_header(name: str, value: str) -> str:
    """A setting that goes into a header as it is."""
    if not (value and value.isascii() and value.isprintable() and " " not in value):
        raise ConfigurationError(f"{name} is empty or holds characters that no header can carry.")
    return value
