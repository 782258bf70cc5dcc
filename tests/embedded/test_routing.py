"""Paths: what is one segment, and which route takes it."""

import pytest
from starlette.responses import Response

from molecule_mcp.embedded.auth import anyone
from molecule_mcp.embedded.calls import Call, answer
from molecule_mcp.embedded.routing import Route, Router


def echo(call: Call) -> Response:
    return answer(call.path)


ROUTER = Router(
    Route(method, template, anyone, echo)
    for method, template in (
        ("GET", "/things"),
        ("GET", "/things/latest"),
        ("DELETE", "/things/{id}"),
        ("GET", "/things/{id}"),
        ("GET", "/things/{id}/files/{path...}"),
        ("PUT", "/things/latest/x"),
    )
)


@pytest.mark.parametrize(
    ("method", "path", "template", "parameters"),
    [
        ("GET", "/things", "/things", {}),
        ("GET", "/things/latest", "/things/latest", {}),
        ("GET", "/things/%6Catest", "/things/latest", {}),
        ("DELETE", "/things/latest", "/things/{id}", {"id": "latest"}),
        ("GET", "/things/a%20b", "/things/{id}", {"id": "a b"}),
        ("GET", "/things/%2e%2e", "/things/{id}", {"id": ".."}),
        ("GET", "/things/..", "/things/{id}", {"id": ".."}),
        ("GET", "/things/a+b%252F", "/things/{id}", {"id": "a+b%2F"}),
        ("GET", "/things/%zz", "/things/{id}", {"id": "%zz"}),
        ("GET", "/things/1/files/a/b%20c", "/things/{id}/files/{path...}", {"id": "1", "path": "a/b c"}),
    ],
)
def test_a_path_finds_its_route(method: str, path: str, template: str, parameters: dict[str, str]) -> None:
    found = ROUTER.find(method, path)
    assert found is not None
    assert (found[0].template, found[1]) == (template, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/things/a%2Fb"),
        ("GET", "/things%2Flatest"),
        ("GET", "/things/"),
        ("GET", "//things"),
        ("GET", "/things/a/b"),
        ("POST", "/things"),
        ("PUT", "/things/latest/y"),
        ("GET", ""),
    ],
)
def test_an_encoded_slash_never_makes_a_route_and_wrong_methods_find_none(method: str, path: str) -> None:
    """Contract: keys that hold a slash cannot be addressed; a method mismatch is a 404."""
    assert ROUTER.find(method, path) is None
