"""A tenant that repeats every secret it was sent or gave away, wherever it can: names, errors, headers."""

import asyncio
import html
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, cast
from urllib.parse import quote
from zlib import crc32

import httpx

from tests.calls.faults import FAULTS, Faulty
from tests.canary.values import ENCODERS, SHORTEST, Canary
from tests.tenant.loopback import Act, said

SECRET_FIELDS = {"auth_token", "token", "clone_url", "webhook_url", "webhook_secret", "verify_token"}
"""Fields of answers whose values are secret wherever they stand, as the tenant gives them."""

OF_A_FORK = ("fork", "remote_url")
"""A field, in another, that is plain elsewhere."""

TEXTS = {
    "content", "text", "message", "error", "error_detail", "last_error", "last_sample_error", "description", "role",
    "summary", "prompt", "current_task", "output", "reason", "note", "preview", "response_preview", "colour", "tools",
}  # fmt: skip
"""Fields that agents and outsiders fill."""

NAMES = TEXTS | {
    "name", "title", "label", "key", "action", "workspace_name", "url", "cursor", "namespace", "username", "chat_id",
    "model", "prefix", "created_by", "source", "version", "allowed_users", "event_type", "step_name", "path", "href",
}  # fmt: skip
"""The same, and what things are called."""

HIDDEN = {"webhook_secret": "hush-Wf5TvQ0yKJc2Zr8N", "verify_token": "verify+Lb4/Ge9~Xs1dUa7Q"}
"""What the tenant shows of a channel beside what the sample holds."""


class Leaky(Faulty):
    """The tenant.

    Args:
        canaries: Values that a server knows from its start.
        known: Values that it may repeat: the server's own key, what arrived here, what was given in a secret field.
        taints: Fields of good answers that repeat them; None: every text.
    """

    def __init__(self, canaries: list[Canary], org_id: str | None = None) -> None:
        super().__init__(org_id)
        self.canaries = canaries
        self.known: list[Canary] = []
        self.taints: set[str] | None = TEXTS
        self.line = ""
        self._turns = count()
        self._shift = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew with a server that was just started."""
        self.known = [Canary("the organization key", self.key)]

    def note(self, place: str, value: str) -> None:
        """A value that the server holds from now on."""
        if len(value.encode()) >= SHORTEST and all(value != each.value for each in self.known):
            self.known.append(Canary(place, value))

    def renew(self) -> None:
        """Back to the sample; what is repeated changes too, though not while it is read twice."""
        super().renew()
        self._shift += 1

    def echo(self, place: str | None = None) -> str:
        """Some known values, raw and encoded: others every time, or for every place."""
        turn = next(self._turns) if place is None else crc32(place.encode()) + self._shift
        names = list(ENCODERS)
        several = [self.known[(turn + step) % len(self.known)] for step in range(min(3, len(self.known)))]
        encoded = [ENCODERS[names[(turn // 2 + step) % len(names)]](each.value) for step, each in enumerate(several)]
        return f"{'.' * (turn % 7)}{several[0].value} {' '.join(encoded)}"

    def error(self, status: str, *more: str) -> Act:
        """An error in the tenant's own form, with the values in its body and its headers."""

        async def act(writer: asyncio.StreamWriter) -> None:
            text = self.echo()
            body = json.dumps({"error": f"not this: {text}", "message": text, text: [text]}).encode()
            await put(writer, said(body, status, "application/json", f"X-Echo: {quote(text)}", *self.headers(), *more))

        return act

    def headers(self) -> list[str]:
        """Headers with what fits into one."""
        fit = [each.value for each in self.known if each.value.isascii() and each.value.isprintable()]
        return [f"WWW-Authenticate: Bearer {' '.join(fit)}", f"Set-Cookie: last={fit[-1]}"]

    def page(self, status: str, *more: str) -> Act:
        """A page for people."""

        async def act(writer: asyncio.StreamWriter) -> None:
            text = self.echo()
            body = f"<!doctype html><title>{html.escape(text)}</title><pre>{text}</pre>".encode()
            await put(writer, said(body, status, "text/html", *self.headers(), *more))

        return act

    def writes(self, body: Callable[[str], str], *, ends: bool = False, cut: int = 0, more: int = 0) -> Act:
        """A good status over a strange body.

        Args:
            ends: Whether the connection breaks after it.
            cut: Bytes left out at the end.
            more: Bytes that are announced and never come.
        """

        async def act(writer: asyncio.StreamWriter) -> None:
            data = body(self.echo()).encode()
            length = len(data) - cut + more
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
            head += "".join(f"{each}\r\n" for each in self.headers())
            await put(writer, head.encode("latin-1", "replace") + b"\r\n" + (data[:-cut] if cut else data))
            if ends:
                writer.transport.abort()

        return act

    async def floods(self, writer: asyncio.StreamWriter) -> None:
        """50 MB of the values."""
        await put(writer, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
        block = (json.dumps(self.echo()) + ",").encode()
        for _ in range(50):
            await put(writer, block * (1_000_000 // len(block)))
        writer.close()

    def faults(self) -> dict[str, Act | None]:
        """The ways to fail of tests/calls, each with the values in it, and a redirect."""
        return {
            "401": self.error("401 Unauthorized"),
            "404": self.error("404 Not Found"),
            "409": self.error("409 Conflict"),
            "429 for ever": self.error("429 Too Many Requests", "Retry-After: 0"),
            "500 in HTML": self.page("500 Internal Server Error"),
            "cut off": self.writes(lambda text: json.dumps({"status": text, "items": [text] * 20}), ends=True, more=99),
            "half a JSON": self.writes(lambda text: json.dumps([{"id": text, "name": text}]), cut=2),
            "another shape": self.writes(lambda text: json.dumps({text: text, "id": [text], "name": {"id": text}})),
            "refused": None,
            "reset": self.writes(lambda text: json.dumps([text]), ends=True, more=5),
            "silence": self.writes(lambda text: json.dumps([text]), more=5),
            "50 MB": self.floods,
            "redirect": self.redirects,
        }

    async def redirects(self, writer: asyncio.StreamWriter) -> None:
        """On to a page that has the values in its address."""
        await self.page("302 Found", f"Location: /login?next={quote(self.echo(), safe='')}")(writer)

    async def _handle(
        self, head: bytes, body: bytes, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> None:
        arrived = body.decode("utf-8", "replace")
        for each in self.canaries:
            if each.value in arrived or ENCODERS["json"](each.value) in arrived:
                self.note(each.place, each.value)
        self.line = head.decode("latin-1").split(" HTTP/")[0]
        await super()._handle(head, body, writer, reader)

    async def _answer(self, told: httpx.Response) -> bytes:
        if told.headers.get("content-type", "").startswith("application/json"):
            read = json.loads(await told.aread())
            self.gave(read)
            content = json.dumps(self.tainted(read)).encode()
        else:
            content = await told.aread()
            if self.taints is not TEXTS:
                content += f"\n# {self.echo()}\n".encode()
        kept = [(name, value) for name, value in told.headers.items() if name != "content-length"]
        return await super()._answer(httpx.Response(told.status_code, headers=kept, content=content))

    async def _stream(self, told: httpx.Response, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        event = {"type": f"TASK_{self.echo()}", "timestamp": 1, "data": {"text": self.echo(), self.echo(): 1}}
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, writer.write, f": {self.echo()}\ndata: {json.dumps(event)}\n\n".encode())
        await super()._stream(told, writer, reader)

    def gave(self, value: Any, within: str = "") -> None:
        """Note what stands in secret fields; a channel gets the secrets that the sample lacks."""
        if isinstance(value, list):
            for each in cast("list[Any]", value):
                self.gave(each)
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if fields.get("channel_type") and isinstance(fields.get("config"), dict):
                fields["config"].update(HIDDEN)
            for name, each in fields.items():
                if isinstance(each, str) and (name in SECRET_FIELDS or (within, name) == OF_A_FORK):
                    self.note(f"the tenant's {name}", each)
                self.gave(each, name)

    def tainted(self, value: Any, name: str = "") -> Any:
        """An answer whose texts repeat the values."""
        if isinstance(value, list):
            return [self.tainted(each, name) for each in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self.tainted(each, key) for key, each in cast("dict[str, Any]", value).items()}
        if not isinstance(value, str) or name in SECRET_FIELDS | {"remote_url"}:
            return value
        return f"{value} {self.echo(name + value)}" if self.taints is None or name in self.taints else value


async def put(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write, and wait until it is taken."""
    writer.write(data)
    await writer.drain()


@asynccontextmanager
async def leaky(canaries: list[Canary], org_id: str | None = None) -> AsyncGenerator[Leaky]:
    """A tenant that runs while the block does."""
    place = Leaky(canaries, org_id)
    assert place.faults().keys() >= FAULTS.keys(), "a way to fail is missing here"
    await place.listen()
    try:
        yield place
    finally:
        await place.hang_up()
        place.close()
