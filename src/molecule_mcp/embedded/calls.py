"""One request on its way to a handler, and the answers that handlers give."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from molecule_mcp.embedded.bodies import BadBody
from molecule_mcp.embedded.database import UUID_TEXT, Database, StorageError
from molecule_mcp.embedded.instance import Instance

EXACT = 1e15
"""Below this every whole float is written as an integer."""


class Refusal(Exception):
    """Ends a handler with an error answer; what the handler stored so far stays stored.

    Args:
        status: HTTP status.
        error: The text of the `error` field.
        more: Further fields of the body.
    """

    def __init__(self, status: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer = answer({"error": error, **more}, status)


class Call:
    """A request: what it asks for, by whom, and the instance that it asks.

    `path` holds the decoded path parameters, `query` the first value of each query parameter,
    `actor` who passed the auth check ("admin-token", "org-token:PREFIX", "workspace", ...).
    """

    def __init__(self, instance: Instance, scope: Scope, body: bytes = b"") -> None:
        self.instance = instance
        self.method: str = scope["method"]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.raw_query: str = scope["query_string"].decode("latin-1")
        self.headers = Headers(scope=scope)
        self.peer: str = scope["client"][0] if scope.get("client") else "local"
        self.body = body
        self.path: dict[str, str] = {}
        self.pattern = ""
        self.actor = ""
        self.key_org: str | None = None
        self._query: dict[str, str] | None = None

    @property
    def db(self) -> Database:
        """The instance's database."""
        return self.instance.db

    @property
    def query(self) -> dict[str, str]:
        """The query, first value per name."""
        if self._query is None:
            pairs = parse_qsl(self.raw_query, keep_blank_values=True)
            self._query = dict(reversed(pairs))
        return self._query

    @property
    def now(self) -> str:
        """The time now, as rows hold it."""
        return self.instance.stamp()

    @property
    def host(self) -> str:
        """The host that the request was sent to."""
        return self.headers.get("host", "localhost")

    def limit(self, default: int, top: int, *, over: int) -> int:
        """The `limit` parameter: `default` when it is no positive number, `over` when it is above `top`."""
        given = number_in(self.query.get("limit", ""))
        if given is None or given <= 0:
            return default
        return over if given > top else given


def number_in(text: str) -> int | None:
    """A decimal integer of a query, or None."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        return None
    return int(text)


def answer(data: Any, status: int = 200) -> Response:
    """A JSON answer."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Response(text.encode(), status, media_type="application/json; charset=utf-8")


def plain(text: str, status: int = 200, media_type: str = "text/plain") -> Response:
    """A text answer."""
    return Response(text, status, headers={"content-type": media_type})


def not_a_route() -> Response:
    """The page of unknown paths and of methods that a path does not have."""
    return plain("404 page not found", 404)


def whole(number: float) -> float:
    """A number as the tenant writes it: 10, not 10.0."""
    return int(number) if abs(number) < EXACT and number == int(number) else number


def workspace_uid(call: Call) -> str:
    """The workspace id of the path; anything but a UUID is refused with 400."""
    given = call.path["id"]
    if not UUID_TEXT.fullmatch(given):
        raise Refusal(400, "invalid workspace ID")
    return given.lower()


@contextmanager
def refusing(status: int, error: str) -> Generator[None]:
    """Answer this when the body is no good, or the database refuses a value."""
    try:
        yield
    except (BadBody, StorageError) as wrong:
        raise Refusal(status, error) from wrong
