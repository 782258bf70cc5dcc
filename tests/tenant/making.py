"""What the tests of the way out are made of: a transport that answers from a script, and a clock that tests move."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from molecule_mcp.tenant import Permit, Request, Tenant, Wire

ORIGIN = "http://127.0.0.1:8080"
KEY = "kR3x9" * 8 + "abc"
ONE = "28f5febc-a42c-4eb1-abd6-eb7443e25203"
OTHER = "7e8cf2c4-6124-41dc-b15b-ec6a84fbb689"

Act = httpx.Response | Exception | Callable[[httpx.Request], Awaitable[httpx.Response]]


class Script(httpx.AsyncBaseTransport):
    """Answers each request with the next act, the last one for ever; keeps what came."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        if isinstance(act, Exception):
            raise act
        return act if isinstance(act, httpx.Response) else await act(request)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def lines(self) -> list[str]:
        """Method and path of everything that left."""
        return [f"{each.method} {each.url.raw_path.decode()}" for each in self.requests]


class Time:
    """A clock in seconds; sleeping moves it on and waits for nothing."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Claims:
    """A claim that lets everything through and remembers it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> None:
        self.requests.append(request)


def answer(value: Any = None, status: int = 200, *, body: bytes | None = None, **headers: str) -> httpx.Response:
    """A JSON answer, or one with this very body."""
    content = json.dumps(value).encode() if body is None else body
    named = {"Content-Type": "application/json; charset=utf-8"}
    named |= {name.replace("_", "-"): each for name, each in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(content))


def wired(script: httpx.AsyncBaseTransport, time: Time | None = None, **given: Any) -> Wire:
    """A wire onto a script, whose waits take no time."""
    time = time or Time()
    return Wire(ORIGIN, KEY, transport=script, clock=time, sleep=time.sleep, **given)


def tenant(script: httpx.AsyncBaseTransport, *routes: str, time: Time | None = None, **permit: Any) -> Tenant:
    """A tenant that may use these routes."""
    return Tenant(wired(script, time), Permit(frozenset(routes), **permit))


def changes(route: str, path: str, body: bytes = b"") -> Request:
    """A request as a permit carries it."""
    return Request(route, route.split(" ", 1)[0], path, body)


async def sent(tenant: Tenant, route: str, given: Mapping[str, Any]) -> Any:
    """Send a route with these parameters."""
    method, template = route.split(" ")
    return await tenant.send(method, template, dict[str, Any], **given)
