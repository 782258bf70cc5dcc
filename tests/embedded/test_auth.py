"""The authentication matrix of the contract, row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from tests.embedded.support import ADMIN, UNKNOWN, Desk

AR, IA = "admin auth required", "invalid admin auth token"
MW, IW = "missing workspace auth token", "invalid workspace auth token"
OK = 200
TIERS = ("open", "admin", "workspace", "own", "canvas", "operator")
PROBES = {
    "open": ("GET", "/workspaces/{id}", "GET", "/canvas/viewport"),
    "admin": ("GET", "/workspaces", "GET", "/settings/secrets", "GET", "/org/tokens"),
    "workspace": (
        "GET",
        "/workspaces/{id}/memory",
        "GET",
        "/workspaces/{id}/secrets",
        "GET",
        "/workspaces/{id}/tokens",
    ),
    "own": ("GET", "/workspaces/{id}/secrets/values", "GET", "/workspaces/{id}/state"),
    "canvas": ("PUT", "/canvas/viewport"),
    "operator": ("GET", "/admin/workspaces/{id}/test-token"),
}
MATRIX: dict[str, tuple[object, ...]] = {
    "no header": (OK, AR, MW, MW, AR, AR),
    "Basic": (OK, AR, MW, MW, AR, AR),
    "bare key": (OK, AR, MW, MW, AR, AR),
    "Token": (OK, AR, MW, MW, AR, AR),
    "lower case": (OK, AR, MW, MW, AR, AR),
    "tab": (OK, AR, MW, MW, AR, AR),
    "empty bearer": (OK, AR, MW, MW, AR, AR),
    "x-api-key": (OK, AR, MW, MW, AR, AR),
    "blanks around an org key": (OK, OK, OK, IW, IA, AR),
    "wrong token": (OK, IA, IW, IW, IA, AR),
    "ADMIN_TOKEN": (OK, OK, OK, IW, OK, OK),
    "bare ADMIN_TOKEN": (OK, AR, MW, MW, AR, OK),
    "org key": (OK, OK, OK, IW, IA, AR),
    "revoked org key": (OK, IA, IW, IW, IA, AR),
    "token of A": (OK, IA, OK, OK, OK, AR),
    "token of B": (OK, IA, IW, IW, OK, AR),
    "own host": (OK, AR, MW, MW, AR, AR),
    "canvas origin": (OK, AR, MW, MW, OK, AR),
    "cookie": (OK, AR, MW, MW, AR, AR),
}


@dataclass
class Cast:
    """Two workspaces with a token each, and every credential as headers."""

    a: str
    headers: dict[str, dict[str, str]]


async def cast(desk: Desk) -> Cast:
    a, b = await desk.workspace("A"), await desk.workspace("B")
    revoked = (await desk.admin.post("/org/tokens")).json()
    await desk.admin.delete(f"/org/tokens/{revoked['id']}")
    bearers = {
        "Basic": f"Basic {desk.key}",
        "bare key": desk.key,
        "Token": f"Token {desk.key}",
        "lower case": f"bearer {desk.key}",
        "tab": f"Bearer\t{desk.key}",
        "empty bearer": "Bearer ",
        "blanks around an org key": f"Bearer   {desk.key}  ",
        "wrong token": "Bearer " + "x" * 43,
        "ADMIN_TOKEN": f"Bearer {ADMIN}",
        "bare ADMIN_TOKEN": ADMIN,
        "org key": f"Bearer {desk.key}",
        "revoked org key": f"Bearer {revoked['auth_token']}",
        "token of A": f"Bearer {await desk.token(a)}",
        "token of B": f"Bearer {await desk.token(b)}",
    }
    headers = {name: {"Authorization": value} for name, value in bearers.items()}
    headers |= {
        "no header": {},
        "x-api-key": {"X-API-Key": desk.key},
        "own host": {"Referer": "http://tenant/canvas", "Origin": "http://tenant"},
        "canvas origin": {"Origin": "http://localhost:3000"},
        "cookie": {"Cookie": "session=1"},
    }
    return Cast(a, headers)


def told(answer: httpx.Response) -> object:
    """The error text of a 401, else the status."""
    return answer.json()["error"] if answer.status_code == 401 else answer.status_code


@pytest.mark.parametrize("credential", MATRIX)
async def test_each_credential_opens_what_the_matrix_says(desk: Desk, credential: str) -> None:
    people = await cast(desk)
    for tier, expected in zip(TIERS, MATRIX[credential], strict=True):
        probes = iter(PROBES[tier])
        for method, path in zip(probes, probes, strict=True):
            url = path.format(id=people.a)
            answer = await desk.http.request(method, url, headers=people.headers[credential], content=b"{}")
            assert told(answer) == expected, (method, path)


async def test_a_key_in_the_query_opens_nothing(desk: Desk) -> None:
    assert told(await desk.http.get(f"/org/tokens?token={desk.key}")) == AR


async def test_values_and_state_open_to_an_org_key_while_the_workspace_has_no_live_token(desk: Desk) -> None:
    outside = await desk.external()
    assert (await desk.org.get(f"/workspaces/{outside}/secrets/values")).status_code == 200
    assert (await desk.org.get(f"/workspaces/{outside}/state")).status_code == 200


@pytest.mark.parametrize("bearer", [None, "wrong"])
async def test_an_unknown_workspace_id_is_hidden_behind_401(desk: Desk, bearer: str | None) -> None:
    for workspace_id in (UNKNOWN, "not-a-uuid"):
        answer = await desk.client(bearer).get(f"/workspaces/{workspace_id}/memory")
        assert told(answer) == (MW if bearer is None else IW)


async def test_an_unknown_workspace_reads_as_empty_and_shows_the_global_secrets(desk: Desk) -> None:
    await desk.org.put("/settings/secrets", json={"key": "SHARED", "value": "v"})
    for path in ("memory", "memories", "activity", "delegations", "channels", "schedules", "approvals"):
        assert await desk.json(f"/workspaces/{UNKNOWN}/{path}") == []
    assert [row["scope"] for row in await desk.json(f"/workspaces/{UNKNOWN}/secrets")] == ["global"]
    assert await desk.json(f"/workspaces/{UNKNOWN}/secrets/values") == {"SHARED": "v"}
    assert await desk.json(f"/workspaces/{UNKNOWN}/tokens") == {"tokens": [], "count": 0}


async def test_an_upper_case_id_is_refused_by_secrets_and_works_elsewhere(desk: Desk) -> None:
    loud = (await desk.workspace()).upper()
    assert (await desk.org.get(f"/workspaces/{loud}/secrets")).status_code == 400
    for path in ("", "/memory", "/activity", "/tokens"):
        assert (await desk.org.get(f"/workspaces/{loud}{path}")).status_code == 200


async def test_a_tenant_without_any_token_lets_everybody_move_the_viewport_but_nothing_else(desk: Desk) -> None:
    assert told(await desk.http.get("/workspaces")) == AR
    assert told(await desk.http.get(f"/workspaces/{UNKNOWN}/memory")) == MW
    assert (await desk.http.put("/canvas/viewport", content=b"{}")).status_code == 200
    assert (await desk.org.put("/canvas/viewport", content=b"{}")).status_code == 200


@pytest.fixture
def open_desk(desks: Callable[..., Desk]) -> Desk:
    """A tenant without an admin secret."""
    return desks(admin_token=None)


@pytest.mark.parametrize("bearer", [None, "garbage"])
async def test_without_an_admin_secret_admin_routes_are_open_until_a_workspace_token_exists(
    open_desk: Desk, bearer: str | None
) -> None:
    client = open_desk.client(bearer)
    assert (await client.get("/workspaces")).status_code == 200
    assert (await client.post("/org/tokens")).status_code == 200
    assert (await client.get("/workspaces")).status_code == 200
    assert told(await client.get(f"/workspaces/{UNKNOWN}/memory")) == (MW if bearer is None else IW)
    await client.post("/workspaces", json={"name": "first"})
    assert told(await client.get("/workspaces")) == (AR if bearer is None else IA)


async def test_without_an_admin_secret_any_workspace_token_is_an_admin_and_mints_as_one(open_desk: Desk) -> None:
    workspace_id = (await open_desk.http.post("/workspaces", json={"name": "first"})).json()["id"]
    token = (await open_desk.http.get(f"/admin/workspaces/{workspace_id}/test-token")).json()["auth_token"]
    client = open_desk.client(token)
    assert (await client.post("/org/tokens", json={"name": "by a workspace"})).status_code == 200
    newest = (await client.get("/org/tokens")).json()["tokens"][0]
    assert (newest["name"], newest["created_by"]) == ("by a workspace", "admin-token")
    assert (await open_desk.org.get("/workspaces")).status_code == 200


async def test_revoking_the_last_workspace_token_opens_a_tenant_without_admin_secret_again(open_desk: Desk) -> None:
    outside = (await open_desk.http.post("/workspaces", json={"name": "x", "external": True})).json()["id"]
    assert told(await open_desk.http.get("/workspaces")) == AR
    row = (await open_desk.json(f"/workspaces/{outside}/tokens"))["tokens"][0]
    await open_desk.org.delete(f"/workspaces/{outside}/tokens/{row['id']}")
    assert (await open_desk.http.get("/workspaces")).status_code == 200


@pytest.fixture
async def proxied(desks: Callable[..., Desk]) -> tuple[Desk, str]:
    """A tenant behind the canvas, and one workspace of it."""
    desk = desks(canvas_proxy=True)
    return desk, await desk.workspace()


@pytest.mark.parametrize("header", [{"Referer": "http://tenant/x"}, {"Origin": "http://tenant"}])
async def test_behind_the_canvas_a_same_origin_request_passes_as_a_workspace(
    proxied: tuple[Desk, str], header: dict[str, str]
) -> None:
    desk, workspace_id = proxied
    client = desk.client(None, **header)
    assert (await client.get(f"/workspaces/{workspace_id}/memory")).status_code == 200
    assert (await client.post(f"/workspaces/{workspace_id}/tokens")).status_code == 201
    assert (await client.get(f"/workspaces/{UNKNOWN}/memory")).status_code == 200
    assert told(await client.get("/workspaces")) == AR
    assert told(await client.get(f"/workspaces/{workspace_id}/secrets/values")) == MW
    assert (await client.put("/canvas/viewport", content=b"{}")).status_code == 200
    bad = await client.get(f"/workspaces/{workspace_id}/memory", headers={"Authorization": "Bearer bad"})
    assert told(bad) == IW


async def test_behind_the_canvas_a_host_that_only_begins_like_ours_is_a_stranger(proxied: tuple[Desk, str]) -> None:
    desk, workspace_id = proxied
    client = desk.client(None, Referer="http://tenant.evil/")
    assert told(await client.get(f"/workspaces/{workspace_id}/memory")) == MW
