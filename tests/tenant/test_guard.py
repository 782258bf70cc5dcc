"""Nothing but the permitted bytes get past the guard, whoever built the request."""

from typing import Any

import httpx
import pytest
from tests.tenant.making import ONE, ORIGIN, OTHER, Script, answer, changes

from molecule_mcp.errors import PolicyRefusal
from molecule_mcp.tenant import Request
from molecule_mcp.tenant.guard import PERMITTED, Guard

ROUTE = "DELETE /workspaces/{id}/secrets/{key}"
PATH = f"/workspaces/{ONE}/secrets/KEY"


async def passed(
    method: str, url: str, permitted: Request | None, headers: dict[str, str] | None = None
) -> tuple[httpx.Response, Script]:
    """Push a request of any make through the guard."""
    script = Script(answer({}))
    extensions: dict[str, Any] = {PERMITTED: permitted} if permitted else {}
    request = httpx.Request(method, url, headers=headers, extensions=extensions)
    try:
        return await Guard(httpx.URL(ORIGIN), script).handle_async_request(request), script
    except PolicyRefusal as error:
        assert script.requests == []
        assert error.sent is False
        raise


async def test_the_permitted_request_passes() -> None:
    response, script = await passed("DELETE", ORIGIN + PATH, changes(ROUTE, PATH))
    assert response.status_code == 200
    assert script.lines == [f"DELETE {PATH}"]


async def test_the_permitted_request_passes_with_its_query() -> None:
    _, script = await passed("DELETE", f"{ORIGIN}{PATH}?purge=true", changes(ROUTE, f"{PATH}?purge=true"))
    assert script.lines == [f"DELETE {PATH}?purge=true"]


@pytest.mark.parametrize(
    ("method", "url", "permitted"),
    [
        ("DELETE", ORIGIN + PATH, None),
        ("GET", ORIGIN + PATH, changes(ROUTE, PATH)),
        ("DELETE", f"{ORIGIN}{PATH}2", changes(ROUTE, PATH)),
        ("DELETE", f"{ORIGIN}{PATH}?confirm=true", changes(ROUTE, PATH)),
        ("DELETE", f"{ORIGIN}/workspaces/{ONE}/secrets/../../{OTHER}", changes(ROUTE, PATH)),
        (
            "DELETE",
            f"{ORIGIN}/workspaces/{ONE}/secrets/../../{OTHER}",
            changes(ROUTE, f"/workspaces/{ONE}/secrets/../../{OTHER}"),
        ),
        ("DELETE", f"{ORIGIN}/workspaces/{OTHER}", changes(ROUTE, f"/workspaces/{OTHER}")),
        ("DELETE", ORIGIN + PATH, Request("GET /workspaces/{id}/secrets/{key}", "DELETE", PATH, b"")),
        ("DELETE", f"http://127.0.0.1:8081{PATH}", changes(ROUTE, PATH)),
        ("DELETE", f"http://127.0.0.2:8080{PATH}", changes(ROUTE, PATH)),
        ("DELETE", f"https://127.0.0.1:8080{PATH}", changes(ROUTE, PATH)),
    ],
)
async def test_any_other_request_is_refused_and_nothing_leaves(
    method: str, url: str, permitted: Request | None
) -> None:
    with pytest.raises(PolicyRefusal):
        await passed(method, url, permitted)


async def test_closing_reaches_the_connections() -> None:
    script = Script(answer({}))
    await Guard(httpx.URL(ORIGIN), script).aclose()
    assert script.closed
