"""What a tool holds: reads and sends over the routes it names, checked against its permit, answers as models."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from molecule_mcp.errors import MoleculeError, PolicyRefusal, TenantUnreadable
from molecule_mcp.tenant import paths
from molecule_mcp.tenant.permit import Exchange, Permit, Request, changing
from molecule_mcp.tenant.translate import refusal
from molecule_mcp.tenant.wire import Answer, Wire

Shape = TypeVar("Shape")
Query = Mapping[str, str | int]

OWNED_ROWS = {"GET /workspaces": "id", "GET /events": "workspace_id", "GET /approvals/pending": "workspace_id"}
"""Lists over all workspaces -> where a row says whose it is; the only such reads a bound profile may make."""

NAMES_WORKSPACES = frozenset({"workspace_id", "parent_id", "target_id", "source_id", "target", "to"})
"""Keys of queries and bodies whose values are workspace ids."""

OF_ONE_WORKSPACE = ("/workspaces/{id}", "/admin/workspaces/{id}/", "/events/{workspaceId}", "/bundles/export/{id}")
"""Beginnings of templates whose first parameter is a workspace's id."""


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

    async def read(self, template: str, into: type[Shape], *, query: Query | None = None, **parameters: str) -> Shape:
        """Read a route.

        Args:
            template: The contract's path: "/workspaces/{id}".
            into: The model, or list of models, of the answer.
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
        """Send a changing request, after the permit's claim.

        Args:
            body: JSON value of the body, None without one.
        Raises: as `read`, and what the claim raises; `sent` of a TenantError is honest.
        """
        if self._permit.bound is not None and not set(named(body)) <= self._permit.bound:
            raise outside()
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        return await self._exchange(method, template, into, content, query, parameters)

    async def _exchange(
        self,
        method: str,
        template: str,
        into: type[Shape],
        body: bytes,
        query: Query | None,
        parameters: Mapping[str, str],
    ) -> Shape:
        route = f"{method} {template}"
        self._check(route, template, query, parameters)
        path = paths.fill(template, parameters) + (f"?{urlencode(query)}" if query else "")
        request = Request(route, method, path, body)
        if not changing(route):
            answer = await self._wire.exchange(request)
        else:
            answer = await self._changed(request)
        return self._owned(route, shaped(answer, into, changing(route)))

    def _check(self, route: str, template: str, query: Query | None, parameters: Mapping[str, str]) -> None:
        """Raises: PolicyRefusal when the permit does not cover a request."""
        permit = self._permit
        if route not in permit.routes:
            raise PolicyRefusal(f"The tool does not name the route {route}; nothing was sent.")
        if changing(route) and permit.claim is None:
            raise PolicyRefusal(f"{route} changes the tenant, and this call may only read; nothing was sent.")
        if permit.bound is None:
            return
        if template.startswith(OF_ONE_WORKSPACE):
            first = next(iter(parameters.values()))
            if not permit.unfiltered and first.lower() not in permit.bound:
                raise outside()
        elif route not in OWNED_ROWS or changing(route):
            raise PolicyRefusal("The profile is bound to workspaces, and this route is the organization's.")
        if not set(named(dict(query or {}))) <= permit.bound:
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
        return answer

    def _owned(self, route: str, rows: Shape) -> Shape:
        """The rows of a list that a bound profile may see."""
        owner = OWNED_ROWS.get(route)
        bound = self._permit.bound
        if owner is None or bound is None or self._permit.unfiltered:
            return rows
        kept = [row for row in cast(list[Any], rows) if getattr(row, owner, None) in bound]
        return cast(Shape, kept)


def named(value: Any) -> list[str]:
    """Every workspace id in a query or body, lower case, however deep."""
    if isinstance(value, list):
        return [each for part in cast(list[Any], value) for each in named(part)]
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    for key, part in cast(dict[str, Any], value).items():
        if key in NAMES_WORKSPACES and isinstance(part, str) and part:
            found.append(part.lower())
        found += named(part)
    return found


def outside() -> PolicyRefusal:
    """A workspace that the profile is not bound to."""
    return PolicyRefusal("A workspace in this request is outside the workspaces this profile is bound to.")


@cache
def adapter(into: Any) -> TypeAdapter[Any]:
    """The validator of a shape, built once."""
    return TypeAdapter(into)


def shaped(answer: Answer, into: type[Shape], changed: bool) -> Shape:
    """A successful answer as a model, straight from its bytes.

    Raises: TenantRefused for any other status; TenantUnreadable when it is not JSON of that shape.
    """
    if not 200 <= answer.status < 300:
        raise refusal(answer.status, answer.body, changing=changed)
    media = answer.headers.get("content-type", "")
    if not media.startswith("application/json"):
        raise TenantUnreadable("The tenant answered with something other than JSON.", sent=changed, advice=HTML)
    try:
        return cast(Shape, adapter(into).validate_json(answer.body))
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False, include_context=False)
        if details[0]["type"] == "json_invalid":
            raise TenantUnreadable("The tenant's answer is cut off or no JSON.", sent=changed) from None
        where = sorted({".".join(str(part) for part in detail["loc"] if isinstance(part, str)) for detail in details})
        raise TenantUnreadable(
            f"The tenant's answer is not as its contract says, at: {', '.join(where)[:200] or 'the top'}.", sent=changed
        ) from None


HTML = "MOLECULE_API_URL may lead to a web page and not to a tenant's API."
