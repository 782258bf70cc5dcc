"""Git repositories of workspaces."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.embedded.support import UNKNOWN, Desk


async def attach(desk: Desk, workspace_id: str, **body: Any) -> httpx.Response:
    """The answer to an attach."""
    return await desk.org.post(f"/workspaces/{workspace_id}/artifacts", json=body)


@pytest.fixture
async def linked(desk: Desk) -> str:
    """A workspace with a repository."""
    workspace_id = await desk.workspace()
    assert (await attach(desk, workspace_id, name="repo-1", import_url="https://git.example/x")).status_code == 201
    return workspace_id


async def test_a_repository_is_made_under_a_default_name_and_shown(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    made = (await attach(desk, workspace_id)).json()
    assert made["cf_repo_name"] == f"molecule-ws-{workspace_id}"
    assert "description" not in made
    told = await desk.json(f"/workspaces/{workspace_id}/artifacts")
    assert (told["artifact"], told["cf_status"]) == (made, "ok")
    assert told["cf_repo"]["read_only"] is False


async def test_a_second_one_is_refused_before_its_body_is_read(desk: Desk, linked: str) -> None:
    told = await desk.org.post(f"/workspaces/{linked}/artifacts", content=b"{")
    expected = {"error": "workspace already has a linked Artifacts repo — delete it first"}
    assert (told.status_code, told.json()) == (409, expected)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "invalid request body"),
        (b'{"import_depth": "1"}', "invalid request body"),
        (b'{"name": "-x"}', "repo name must match ^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$"),
        (b'{"import_url": "http://git.example/x"}', "import_url must use https://"),
    ],
)
async def test_what_cannot_be_attached_is_refused(desk: Desk, body: bytes, error: str) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/artifacts", content=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_a_fork_carries_a_credential_below_and_none_above(desk: Desk, linked: str) -> None:
    told = await desk.org.post(f"/workspaces/{linked}/artifacts/fork", json={"name": "fork1", "description": "d"})
    fork = told.json()
    assert (told.status_code, fork["object_count"], fork["fork"]["description"]) == (201, 12, "d")
    assert "@" in fork["fork"]["remote_url"]
    assert "@" not in fork["remote_url"]
    taken = await desk.org.post(f"/workspaces/{linked}/artifacts/fork", json={"name": "fork1"})
    assert taken.status_code == 400


@pytest.mark.parametrize(
    ("body", "error"),
    [({}, "invalid request body"), ({"name": "a b"}, "repo name must match ^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$")],
)
async def test_a_fork_needs_a_good_name(desk: Desk, linked: str, body: dict[str, Any], error: str) -> None:
    told = await desk.org.post(f"/workspaces/{linked}/artifacts/fork", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("body", "scope", "expires"),
    [
        ({}, "write", "2026-11-24T10:00:01Z"),
        ({"scope": "read", "ttl": 600}, "read", "2026-11-24T09:10:01Z"),
        ({"scope": "", "ttl": -5}, "write", "2026-11-24T10:00:01Z"),
        ({"ttl": 10**9}, "write", "2026-12-01T09:00:01Z"),
    ],
)
async def test_odd_lifetimes_are_mended(
    desk: Desk, linked: str, body: dict[str, Any], scope: str, expires: str
) -> None:
    told = (await desk.org.post(f"/workspaces/{linked}/artifacts/token", json=body)).json()
    assert (told["scope"], told["expires_at"]) == (scope, expires)
    assert told["clone_url"] == f"https://x:{told['token']}@artifacts.cloudflare.net/git/repo-1.git"


async def test_a_scope_is_read_or_write(desk: Desk, linked: str) -> None:
    told = await desk.org.post(f"/workspaces/{linked}/artifacts/token", json={"scope": "admin"})
    assert (told.status_code, told.json()) == (400, {"error": 'scope must be "read" or "write"'})


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/fork"), ("POST", "/token")])
async def test_without_a_repository_there_is_nothing_to_work_with(desk: Desk, method: str, end: str) -> None:
    told = await desk.org.request(method, f"/workspaces/{await desk.workspace()}/artifacts{end}", content=b"{")
    assert (told.status_code, told.json()) == (404, {"error": "no Artifacts repo linked to this workspace"})


async def test_an_unknown_workspace_gets_a_repository_but_no_link(desk: Desk) -> None:
    told = await attach(desk, UNKNOWN, name="lost")
    assert (told.status_code, told.json()) == (500, {"error": "failed to persist artifact link"})
    assert desk.cell("SELECT name FROM artifact_repos") == "lost"
    assert (await desk.org.get("/workspaces/x/artifacts")).json() == {"error": "query failed"}


async def test_a_tenant_without_the_service_says_so_first(desks: Callable[..., Desk]) -> None:
    told = await desks(artifacts="absent").org.post("/workspaces/x/artifacts", content=b"{")
    text = "Cloudflare Artifacts not configured — set CF_ARTIFACTS_API_TOKEN and CF_ARTIFACTS_NAMESPACE"
    assert (told.status_code, told.json()) == (503, {"error": text})


async def test_a_service_that_fails_is_told_apart(desks: Callable[..., Desk]) -> None:
    desk = desks(artifacts="unavailable", empty=False)
    backend = desk.cell("SELECT workspace_id FROM artifact_links")
    shown = await desk.json(f"/workspaces/{backend}/artifacts")
    assert (shown["cf_status"], shown["cf_error"]) == ("unavailable", "upstream service error")
    assert "cf_repo" not in shown
    for path, body in (("fork", {"name": "f"}), ("token", {})):
        told = await desk.org.post(f"/workspaces/{backend}/artifacts/{path}", json=body)
        assert (told.status_code, told.json()) == (502, {"error": "upstream service error"})
