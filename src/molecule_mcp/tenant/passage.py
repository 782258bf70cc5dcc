"""What a tool holds: reads and sends over the routes it names, checked against its permit, answers as models."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from molecule_mcp.capability import NAMED_IN_BODY, OF_ONE_WORKSPACE, OWNED_ROWS
from molecule_mcp.errors import ArgumentError, MoleculeError, PolicyRefusal, Sent, TenantUnreadable
from molecule_mcp.tenant import paths
from molecule_mcp.tenant.multipart import Form
from molecule_mcp.tenant.permit import JSON, Exchange, Permit, Request, changing
from molecule_mcp.tenant.received import SECRET_OUT, learned, received
from molecule_mcp.tenant.translate import RELAYED, Answer, media_type, refusal
from molecule_mcp.tenant.wire import Ending, Wire

Shape = TypeVar("Shape")
Query = Mapping[str, str | int]

LONGEST = 8000
"""Bytes of the longest path with its query; what stands in front of tenants takes little more."""

NAMES_WORKSPACES = frozenset(
    {
        "caller_id",
        "parent_id",
        "scope_target",
        "source_id",
        "target",
        "target_id",
        "target_workspace_id",
        "workspace_id",
    }
)
"""Keys of queries and bodies whose values are workspace ids; `to` and `from` are times in the contract."""

FIELD = re.compile(r"\w+(\.\w+)*")
"""What looks like the name of a field, and those it stands in."""

NOT_JSON = "MOLECULE_API_URL may lead to a web page and not to a tenant's API."
READ_STATE = "The request was answered with success; read the present state to see what it did."


class Tenant:
    """The tenant for one call of one tool."""

    def __init__(self, wire: Wire, permit: Permit) -> None:
        self._wire = wire
        self._permit = permit

    @property
    def actor(self) -> str:
        """What the tenant is told as the decider."""
        return self._permit.actor

    @property
    def hosted(self) -> bool:
        """Whether this is a hosted tenant, which restarts nothing by itself."""
        return self._wire.org_id is not None

    @property
    def sample(self) -> bool:
        """Whether this is the embedded tenant."""
        return self._wire.sample

    @property
    def doubts(self) -> dict[str, Any]:
        """Sends of this process that ended without an answer, by what their tool calls them: no second one follows."""
        return self._wire.doubts

    def is_own_key(self, prefix: str) -> bool:
        """Whether a key that begins like this (8 characters are shown of each) is the one in use."""
        return self._wire.is_own_key(prefix)

    async def read(self, template: str, into: type[Shape], *, query: Query | None = None, **parameters: str) -> Shape:
        """Read a route.

        Args:
            template: The contract's path: "/workspaces/{id}".
            into: The model, or list of models, of the answer; `bytes` for the body as it is.
            parameters: The values of the template's parameters.
        Raises: ArgumentError, PolicyRefusal, TenantError; all with `sent` False.
        """
        return await self._exchange("GET", template, into, b"", query, parameters)

    async def send(
        self,
        method: str,
        template: str,
        into: type[Shape],
        *,
        body: Any = None,
        query: Query | None = None,
        **parameters: str,
    ) -> Shape:
        """Send a changing request, after the permit's claim; or a POST that only reads.

        Args:
            body: JSON value of the body, or a `Form` of files; None without one.
        Raises: as `read`, and what the claim raises; `sent` of a TenantError is honest.
        """
        if isinstance(body, Form):
            content, kind = body.encoded()
        else:
            self._check_named(body)
            content, kind = b"" if body is None else encoded(body), JSON
        return await self._exchange(method, template, into, content, query, parameters, kind)

    async def follow(
        self,
        template: str,
        into: type[Shape],
        heard: Callable[[Shape], Awaitable[bool]],
        seconds: float,
        **parameters: str,
    ) -> Ending:
        """Follow an event stream for a bounded time.

        Args:
            into: The model of one event.
            heard: Takes an event; true ends it.
        Returns: How it ended.
        Raises: as `read`, before the first event or at one that cannot be read.
        """
        request = self._addressed(f"GET {template}", template, None, parameters)

        async def line(text: str) -> bool:
            # Others are comments, and the blank line after an event.
            return text.startswith("data:") and await heard(self._event(request.route, text[5:], into))

        ended = await self._wire.follow(request, seconds, line)
        if isinstance(ended, str):
            return ended
        if ended.status == 200:
            raise TenantUnreadable("The tenant answered with something other than an event stream.", advice=NOT_JSON)
        raise refusal(self._received(request.route, ended), changing=False)

    def _event(self, route: str, text: str, into: type[Shape]) -> Shape:
        """One event of a stream. Raises: TenantUnreadable."""
        permit, body = self._permit, text.encode()
        if permit.redactor is not None:
            body = learned(route, body, permit.redactor, masked=permit.masked)
        try:
            return cast(Shape, adapter(into).validate_json(body))
        except ValidationError as error:
            raise TenantUnreadable(f"An event of the tenant's is {fault(error)}.") from None

    def _addressed(
        self,
        route: str,
        template: str,
        query: Query | None,
        parameters: Mapping[str, str],
        body: bytes = b"",
        content_type: str = JSON,
    ) -> Request:
        """A request on a route and of a workspace that the permit covers.

        Raises: ArgumentError, PolicyRefusal.
        """
        self._check_route(route)
        path = paths.fill(template, parameters) + (question(query) if query else "")
        if len(path) > LONGEST:
            raise ArgumentError(f"The arguments make an address of more than {LONGEST} bytes; nothing was sent.")
        self._check_bound(route, template, parameters)
        return Request(route, route.partition(" ")[0], path, body, content_type)

    async def _exchange(
        self,
        method: str,
        template: str,
        into: type[Shape],
        body: bytes,
        query: Query | None,
        parameters: Mapping[str, str],
        content_type: str = JSON,
    ) -> Shape:
        route = f"{method} {template}"
        request = self._addressed(route, template, query, parameters, body, content_type)
        self._check_named(query)
        if not changing(route):
            answer = self._received(route, await self._wire.exchange(request))
            if self._permit.reads is not None:
                self._permit.reads.append(Exchange(route, request.path, answer.status, False))
            return self._owned(route, shaped(answer, into, changing=False))
        return shaped(await self._changed(request), into, changing=True, relayed=route in RELAYED)

    def _check_route(self, route: str) -> None:
        """Raises: PolicyRefusal when the permit does not cover a route."""
        if route not in self._permit.routes:
            raise PolicyRefusal(f"The tool does not name the route {route}; nothing was sent.")
        if changing(route) and self._permit.claim is None:
            raise PolicyRefusal(f"{route} changes the tenant, and this call may only read; nothing was sent.")

    def _check_bound(self, route: str, template: str, parameters: Mapping[str, str]) -> None:
        """Raises: PolicyRefusal when a route leads out of the profile's workspaces."""
        permit = self._permit
        if permit.bound is None:
            return
        if not template.startswith(OF_ONE_WORKSPACE):
            if route not in OWNED_ROWS and route not in NAMED_IN_BODY:
                raise PolicyRefusal("The profile is bound to workspaces, and this route reaches beyond them.")
            return
        own = parameters[paths.parameters_of(template)[0][0]]
        if own.lower() not in permit.bound and (changing(route) or not permit.unfiltered):
            raise outside()

    def _check_named(self, value: Any) -> None:
        """Raises: PolicyRefusal when a query or body names a workspace outside of the profile's."""
        bound = self._permit.bound
        if bound is not None and not set(named(value)) <= bound:
            raise outside()

    async def _changed(self, request: Request) -> Answer:
        """Claim, send, and note how it went."""
        assert self._permit.claim is not None
        await self._permit.claim(request)
        try:
            answer = await self._wire.exchange(request)
        except MoleculeError as error:
            self._permit.exchanges.append(Exchange(request.route, request.path, None, error.sent))
            raise
        self._permit.exchanges.append(Exchange(request.route, request.path, answer.status, True))
        return self._received(request.route, answer)

    def _received(self, route: str, answer: Answer) -> Answer:
        """An answer as the call may read it; that to a change is told and not written back, unless it mints."""
        permit = self._permit
        masked = permit.masked or (changing(route) and route not in SECRET_OUT)
        return answer if permit.redactor is None else received(route, answer, permit.redactor, masked=masked)

    def _owned(self, route: str, rows: Shape) -> Shape:
        """The rows of a list that a bound profile may see; a row that does not say whose it is is left out."""
        owner = OWNED_ROWS.get(route)
        bound = self._permit.bound
        if owner is None or bound is None or self._permit.unfiltered:
            return rows
        if not isinstance(rows, list):
            raise PolicyRefusal("The profile is bound to workspaces, and this answer cannot be narrowed to them.")
        kept = [row for row in cast(list[Any], rows) if owned_by(row, owner) in bound]
        return cast(Shape, kept)


def named(value: Any, below: bool = False) -> list[str]:
    """Every workspace id in a query or body, lower case, however deep.

    Args:
        below: Whether the value stands under a key that names workspaces.
    """
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, Any], value).items()
        return [each for key, part in pairs for each in named(part, below or key.lower() in NAMES_WORKSPACES)]
    if isinstance(value, list | tuple):
        return [each for part in cast(list[Any], value) for each in named(part, below)]
    return [str(value).lower()] if below and value not in (None, "") else []


def owned_by(row: Any, owner: str) -> str:
    """The id of the workspace that a row belongs to."""
    return str(cast(Any, row).get(owner) if isinstance(row, dict) else getattr(row, owner, None)).lower()


def outside() -> PolicyRefusal:
    """A workspace that the profile is not bound to."""
    return PolicyRefusal("A workspace in this request is outside the workspaces this profile is bound to.")


def question(query: Query) -> str:
    """The encoded query, with its "?"; booleans as the tenant reads them.

    Raises: ArgumentError for text that is no Unicode.
    """
    try:
        return "?" + urlencode({key: str(value).lower() if value is True or value is False else value
                                for key, value in query.items()})  # fmt: skip
    except UnicodeEncodeError:
        raise ArgumentError(f"One of {', '.join(query)} is no valid text; nothing was sent.") from None


def encoded(body: Any) -> bytes:
    """The JSON bytes of a body; names in order, since a stored plan does not keep the order they were given in.

    Raises: ArgumentError for a number that JSON does not have.
    """
    try:
        return json.dumps(body, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()
    except ValueError:
        raise ArgumentError("A number in the arguments is infinite or none at all; nothing was sent.") from None


@cache
def adapter(into: Any) -> TypeAdapter[Any]:
    """The validator of a shape, built once."""
    return TypeAdapter(into)


def shaped(answer: Answer, into: type[Shape], *, changing: bool, relayed: bool = False) -> Shape:
    """A successful answer as a model, straight from its bytes; `relayed` when it may be an agent's.

    Raises: TenantRefused for any other status; TenantUnreadable when it is not JSON of that shape, with `sent`
        "unknown" after a change: who answers like that need not be the tenant.
    """
    if not 200 <= answer.status < 300:
        raise refusal(answer, changing=changing, relayed=relayed)
    if into is bytes:
        return cast(Shape, answer.body)
    sent: Sent = "unknown" if changing else False
    if media_type(answer.headers) != JSON:
        raise TenantUnreadable("The tenant answered with something other than JSON.", sent=sent, advice=NOT_JSON)
    try:
        return cast(Shape, adapter(into).validate_json(answer.body))
    except ValidationError as error:
        advice = READ_STATE if changing else None
        raise TenantUnreadable(f"The tenant's answer is {fault(error)}.", sent=sent, advice=advice) from None


def fault(error: ValidationError) -> str:
    """What is wrong with an answer, by the names of its fields; what does not look like one is left out."""
    details = error.errors()
    if details[0]["type"] == "json_invalid":
        return "cut off or no JSON"
    found = {".".join(part for part in detail["loc"] if isinstance(part, str)) for detail in details}
    where = sorted(each for each in found if FIELD.fullmatch(each))
    return f"not as its contract says, at: {', '.join(where)[:200] or 'the top'}"
