"""Secrets of workspaces and of the organization."""

import random
import string
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk

LONG_KEY = "".join(random.Random(1).choices(string.ascii_letters, k=6000))


async def test_own_keys_come_first_and_hide_global_ones(desk: Desk) -> None:
    workspace_id = await desk.external()
    for key in ("SHARED", "ALPHA"):
        await desk.org.put("/settings/secrets", json={"key": key, "value": "global"})
    await desk.org.put(f"/workspaces/{workspace_id}/secrets", json={"key": "SHARED", "value": "own"})
    listed = await desk.json(f"/workspaces/{workspace_id}/secrets")
    assert [(row["key"], row["scope"], row["has_value"]) for row in listed] == [
        ("SHARED", "workspace", True),
        ("ALPHA", "global", True),
    ]
    assert await desk.json(f"/workspaces/{workspace_id}/secrets/values") == {"SHARED": "own", "ALPHA": "global"}


async def test_overwriting_keeps_the_creation_time(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.external()
    for value in ("1", "2"):
        told = await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K", "value": value})
        assert told.json() == {"status": "saved", "key": "K"}
        clock.advance(seconds=5)
    row = (await desk.json(f"/workspaces/{workspace_id}/secrets"))[0]
    assert row["updated_at"] > row["created_at"]


async def test_a_deleted_key_uncovers_the_global_one_and_is_404_then(desk: Desk) -> None:
    workspace_id = await desk.external(secrets={"K": "own"})
    await desk.org.post("/settings/secrets", json={"key": "K", "value": "global"})
    told = await desk.org.delete(f"/workspaces/{workspace_id}/secrets/K")
    assert told.json() == {"status": "deleted", "key": "K"}
    assert await desk.json(f"/workspaces/{workspace_id}/secrets/values") == {"K": "global"}
    assert (await desk.org.delete(f"/workspaces/{workspace_id}/secrets/K")).status_code == 404


@pytest.mark.parametrize("key", ["..", ".", "a b", "PATH", "new\nline"])
async def test_any_key_is_taken_and_addressed_as_one_segment(desk: Desk, key: str) -> None:
    workspace_id = await desk.external()
    await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": key, "value": "v"})
    path = "".join(f"%{byte:02X}" for byte in key.encode())
    told = await desk.org.delete(f"/workspaces/{workspace_id}/secrets/{path}")
    assert (told.status_code, told.json()["key"]) == (200, key)


async def test_a_key_with_a_slash_is_stored_and_cannot_be_addressed(desk: Desk) -> None:
    workspace_id = await desk.external()
    await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "a/b", "value": "v"})
    told = await desk.org.delete(f"/workspaces/{workspace_id}/secrets/a%2Fb")
    assert (told.status_code, told.text) == (404, "404 page not found")


@pytest.mark.parametrize(
    "body", [{}, {"key": "K"}, {"key": "", "value": "v"}, {"key": "K", "value": ""}, {"key": 1, "value": "v"}]
)
async def test_a_body_without_key_and_value_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    workspace_id = await desk.external()
    for method, path in (("POST", f"/workspaces/{workspace_id}/secrets"), ("PUT", "/settings/secrets")):
        told = await desk.org.request(method, path, json=body)
        assert (told.status_code, told.json()) == (400, {"error": "invalid request body"})


@pytest.mark.parametrize("key", ["a\x00b", LONG_KEY])
async def test_a_key_that_cannot_be_indexed_is_a_server_error(desk: Desk, key: str) -> None:
    own = await desk.org.post(f"/workspaces/{await desk.external()}/secrets", json={"key": key, "value": "v"})
    assert (own.status_code, own.json()) == (500, {"error": "failed to save secret"})
    shared = await desk.org.post("/admin/secrets", json={"key": key, "value": "v"})
    assert (shared.status_code, shared.json()) == (500, {"error": "failed to save"})


async def test_an_unknown_workspace_takes_no_secret(desk: Desk) -> None:
    told = await desk.org.post(f"/workspaces/{UNKNOWN}/secrets", json={"key": "K", "value": "v"})
    assert told.status_code == 500
    assert (await desk.org.delete(f"/workspaces/{UNKNOWN}/secrets/K")).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/values"), ("DELETE", "/K")])
async def test_a_malformed_id_is_refused(desk: Desk, method: str, path: str) -> None:
    told = await desk.org.request(method, f"/workspaces/x/secrets{path}")
    assert (told.status_code, told.json()) == (400, {"error": "invalid workspace ID"})


async def test_one_value_that_cannot_be_read_hides_all(desk: Desk) -> None:
    workspace_id = await desk.external(secrets={"GOOD": "v", "BAD": "v"})
    await desk.org.put("/settings/secrets", json={"key": "GB", "value": "v"})
    desk.app.database.execute("UPDATE workspace_secrets SET value = x'00' WHERE key = 'BAD'")
    desk.app.database.execute("UPDATE global_secrets SET value = x'00'")
    told = await desk.org.get(f"/workspaces/{workspace_id}/secrets/values")
    assert (told.status_code, told.json()["failed_keys"]) == (500, ["global:GB", "workspace:BAD"])


async def test_the_owner_of_a_token_reads_the_values(desk: Desk) -> None:
    workspace_id = await desk.workspace(secrets={"K": "v"})
    client = desk.client(await desk.token(workspace_id))
    assert (await client.get(f"/workspaces/{workspace_id}/secrets/values")).json() == {"K": "v"}


class TestGlobal:
    @pytest.mark.parametrize("base", ["/settings/secrets", "/admin/secrets"])
    async def test_both_names_of_the_route_are_the_same(self, desk: Desk, base: str) -> None:
        told = await desk.org.post(base, json={"key": "K", "value": "v"})
        assert told.json() == {"status": "saved", "key": "K", "scope": "global"}
        assert [row["key"] for row in await desk.json("/admin/secrets")] == ["K"]
        deleted = await desk.org.delete(f"{base}/K")
        assert deleted.json() == {"status": "deleted", "key": "K", "scope": "global"}
        assert (await desk.org.delete(f"{base}/K")).status_code == 404

    async def test_a_nul_in_the_path_is_a_server_error(self, desk: Desk) -> None:
        assert (await desk.org.delete("/settings/secrets/a%00")).json() == {"error": "failed to delete"}
        own = await desk.org.delete(f"/workspaces/{UNKNOWN}/secrets/a%00")
        assert own.json() == {"error": "failed to delete secret"}


async def restarted(desk: Desk, workspace_id: str) -> bool:
    """Whether the workspace was put into another start since; its tokens are gone then."""
    return await desk.status(workspace_id) == "provisioning"


class TestRestarts:
    async def test_setting_and_deleting_restart_and_revoke_every_token(self, desk: Desk, clock: Clock) -> None:
        workspace_id = await desk.workspace()
        path = f"/workspaces/{workspace_id}"
        for method, sub in (("POST", "/secrets"), ("DELETE", "/secrets/K")):
            old = {await desk.token(workspace_id), await desk.token(workspace_id)}
            await desk.org.request(method, path + sub, json={"key": "K", "value": "v"})
            assert await restarted(desk, workspace_id)
            assert [(await desk.client(token).get(f"{path}/memory")).status_code for token in old] == [401, 401]
            assert (await desk.json(f"{path}/tokens"))["count"] == 1
            clock.advance(seconds=1)
            assert await desk.status(workspace_id) == "online"

    @pytest.mark.parametrize("status", ["paused", "hibernated", "removed"])
    async def test_those_at_rest_are_left_alone(self, desk: Desk, status: str) -> None:
        workspace_id = await desk.workspace()
        desk.app.database.execute("UPDATE workspaces SET status = ?", (status,))
        await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K", "value": "v"})
        await desk.org.put("/settings/secrets", json={"key": "G", "value": "v"})
        assert await desk.status(workspace_id) == status

    async def test_external_ones_and_children_of_a_paused_parent_are_left_alone(self, desk: Desk) -> None:
        outside, parent = await desk.external(), await desk.workspace("parent")
        child = await desk.workspace("child", parent_id=parent)
        desk.app.database.execute("UPDATE workspaces SET status = 'paused' WHERE id = ?", (parent,))
        for workspace_id in (outside, child):
            await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K", "value": "v"})
            assert not await restarted(desk, workspace_id)

    async def test_a_failed_one_is_started_again(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        desk.app.database.execute("UPDATE workspaces SET status = 'failed'")
        await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K", "value": "v"})
        assert await restarted(desk, workspace_id)

    async def test_a_global_change_restarts_those_without_an_own_value(self, desk: Desk, clock: Clock) -> None:
        heir, owner = await desk.workspace("heir"), await desk.workspace("owner", secrets={"K": "own"})
        for method, path in (("PUT", "/settings/secrets"), ("DELETE", "/settings/secrets/K")):
            await desk.org.request(method, path, json={"key": "K", "value": "v"})
            assert await restarted(desk, heir)
            assert not await restarted(desk, owner)
            clock.advance(seconds=1)

    async def test_a_refused_change_restarts_nothing(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        await desk.org.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K"})
        await desk.org.delete(f"/workspaces/{workspace_id}/secrets/K")
        await desk.org.delete("/settings/secrets/K")
        assert not await restarted(desk, workspace_id)

    async def test_a_hosted_tenant_restarts_nothing(self, desks: Callable[..., Desk], clock: Clock) -> None:
        desk = desks(org_id="o")
        client = desk.client(desk.key, **{"X-Molecule-Org-Id": "o"})
        workspace_id = (await client.post("/workspaces", json={"name": "n"})).json()["id"]
        clock.advance(seconds=1)
        await client.post(f"/workspaces/{workspace_id}/secrets", json={"key": "K", "value": "v"})
        await client.put("/settings/secrets", json={"key": "G", "value": "v"})
        assert (await client.get(f"/workspaces/{workspace_id}")).json()["status"] == "online"
