"""Workspace tokens."""

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def test_a_token_is_43_characters_shown_once_and_listed_by_its_prefix(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.external()
    told = (await desk.org.post(f"/workspaces/{workspace_id}/tokens")).json()
    token = told["auth_token"]
    assert (len(token), told["workspace_id"]) == (43, workspace_id)
    listed = await desk.json(f"/workspaces/{workspace_id}/tokens")
    row = listed["tokens"][0]
    assert (listed["count"], row["prefix"], row["last_used_at"]) == (1, token[:8], None)
    clock.advance(seconds=3)
    await desk.client(token).get(f"/workspaces/{workspace_id}/memory")
    assert (await desk.json(f"/workspaces/{workspace_id}/tokens"))["tokens"][0][
        "last_used_at"
    ] == "2026-11-24T09:00:04Z"


async def test_pages_are_newest_first_and_odd_limits_mean_fifty(desk: Desk) -> None:
    workspace_id = await desk.external()
    made = [(await desk.token(workspace_id))[:8] for _ in range(3)][::-1]

    async def prefixes(query: str) -> list[str]:
        listed = await desk.json(f"/workspaces/{workspace_id}/tokens{query}")
        assert listed["count"] == len(listed["tokens"])
        return [row["prefix"] for row in listed["tokens"]]

    assert await prefixes("?limit=2") == made[:2]
    assert await prefixes("?limit=2&offset=1") == made[1:]
    for odd in (
        "?limit=0",
        "?limit=x",
        "?limit=-1",
        "?limit=201",
        "?offset=-5",
        "?offset=x",
        "?limit=2&limit=1&limit=",
    ):
        assert await prefixes(odd) == (made[:2] if "limit=2&" in odd else made)
    assert await prefixes("?offset=999999999999999999") == []


async def test_fifty_live_tokens_are_the_most_but_not_for_test_tokens(desk: Desk) -> None:
    workspace_id = await desk.external()
    for _ in range(50):
        await desk.token(workspace_id)
    told = await desk.org.post(f"/workspaces/{workspace_id}/tokens")
    assert (told.status_code, told.json()) == (429, {"error": "maximum 50 active tokens per workspace"})
    assert (await desk.admin.get(f"/admin/workspaces/{workspace_id}/test-token")).status_code == 200


async def test_a_revoked_token_is_dead_at_once_even_to_itself(desk: Desk) -> None:
    workspace_id = await desk.external()
    token = await desk.token(workspace_id)
    row = (await desk.json(f"/workspaces/{workspace_id}/tokens"))["tokens"][0]
    client, path = desk.client(token), f"/workspaces/{workspace_id}/tokens/{row['id']}"
    assert (await client.delete(path)).json() == {"status": "revoked"}
    assert (await client.delete(path)).status_code == 401
    again = await desk.org.delete(path)
    assert (again.status_code, again.json()) == (404, {"error": "token not found or already revoked"})


async def test_a_token_of_another_workspace_is_not_found(desk: Desk) -> None:
    a, b = await desk.external("a"), await desk.external("b")
    await desk.token(a)
    row = (await desk.json(f"/workspaces/{a}/tokens"))["tokens"][0]
    assert (await desk.org.delete(f"/workspaces/{b}/tokens/{row['id']}")).status_code == 404


async def test_a_removed_workspace_gets_tokens_that_never_work(desk: Desk) -> None:
    workspace_id = await desk.external()
    await desk.org.delete(f"/workspaces/{workspace_id}")
    token = await desk.token(workspace_id)
    assert (await desk.client(token).get(f"/workspaces/{workspace_id}/memory")).status_code == 401
    assert (await desk.org.get(f"/workspaces/{workspace_id}/state")).status_code == 401


@pytest.mark.parametrize("workspace_id", [UNKNOWN, "x"])
async def test_no_token_for_a_workspace_that_does_not_exist(desk: Desk, workspace_id: str) -> None:
    told = await desk.org.post(f"/workspaces/{workspace_id}/tokens")
    assert (told.status_code, told.json()) == (500, {"error": "failed to create token"})


async def test_malformed_ids_are_server_errors(desk: Desk) -> None:
    assert (await desk.org.get("/workspaces/x/tokens")).json() == {"error": "failed to list tokens"}
    assert (await desk.org.delete(f"/workspaces/{UNKNOWN}/tokens/x")).json() == {"error": "failed to revoke token"}
    assert (await desk.admin.get("/admin/workspaces/x/test-token")).json() == {"error": "lookup failed"}
    unknown = await desk.admin.get(f"/admin/workspaces/{UNKNOWN}/test-token")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "workspace not found"})
