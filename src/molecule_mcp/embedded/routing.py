"""Find the route of a request by its raw path.

A path is split before it is decoded, so `%2e%2e` is one segment called `..` and an encoded slash never makes two
segments out of one. A segment that decodes to text with a slash fits no parameter: the contract's 404 page. Only a
last `{name...}` takes the rest of a path, slashes included.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from molecule_mcp.embedded.calls import Call

Guard = Callable[[Call], None]
"""Lets a call pass, or raises Refusal."""

Handler = Callable[[Call], Any]
"""Gives the Response, or an awaitable of it; a plain one runs in one database transaction."""


@dataclass(frozen=True)
class Route:
    """One operation of the contract: method, path template, who may call it, and what answers."""

    method: str
    template: str
    guard: Guard
    handler: Handler


@dataclass
class Node:
    """What may follow a prefix of path segments."""

    literal: dict[str, "Node"] = field(default_factory=dict[str, "Node"])
    parameter: "Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict[str, Route])
    rest: dict[str, Route] = field(default_factory=dict[str, Route])


class Router:
    """All routes as one tree; a literal segment goes before a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = Node()
        for route in routes:
            self._add(route)

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a raw path (no query) and its decoded parameters, or None."""
        segments = raw_path.split("/")[1:]
        found = _walk(self._root, method, segments)
        if found is None:
            return None
        return found, dict(_parameters(found.template.split("/")[1:], segments))

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.template.split("/")[1:]:
            if part.endswith("...}"):
                node.rest[route.method] = route
                return
            if part.startswith("{"):
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(part, Node())
        node.routes[route.method] = route


def _walk(node: Node, method: str, segments: Sequence[str]) -> Route | None:
    if not segments:
        return node.routes.get(method)
    head = unquote(segments[0])
    if (found := node.literal.get(head)) and (route := _walk(found, method, segments[1:])):
        return route
    if node.parameter and head and "/" not in head and (route := _walk(node.parameter, method, segments[1:])):
        return route
    return node.rest.get(method)


def _parameters(names: Sequence[str], segments: Sequence[str]) -> Iterable[tuple[str, str]]:
    for position, name in enumerate(names):
        if name.endswith("...}"):
            yield name[1:-4], unquote("/".join(segments[position:]))
        elif name.startswith("{"):
            yield name[1:-1], unquote(segments[position])
