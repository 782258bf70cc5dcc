"""Plugins of workspaces, and which an organization allows."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from molecule_mcp.embedded.plugin_registry import REGISTRY
from molecule_mcp.embedded.tokens import mint_org_key
from tests.embedded.support import UNKNOWN, Desk

GITHUB = "github://owner/repo"


async def install(desk: Desk, workspace_id: str, source: str, **more: Any) -> httpx.Response:
    """The answer to an install."""
    return await desk.org.post(f"/workspaces/{workspace_id}/plugins", json={"source": source, **more})


async def installed(desk: Desk, workspace_id: str) -> list[str]:
    """Names in the installed list."""
    return [each["name"] for each in await desk.json(f"/workspaces/{workspace_id}/plugins")]


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and error text."""
    return answer.status_code, answer.json()["error"]


async def test_the_registry_and_its_sources_need_no_key(desk: Desk) -> None:
    rows = (await desk.http.get("/plugins")).json()
    assert [row["name"] for row in rows] == sorted(REGISTRY)
    assert (await desk.http.get("/plugins/sources")).json() == {"schemes": ["github", "local"]}


async def test_a_runtime_narrows_the_registry_and_an_unknown_one_to_what_fits_all(desk: Desk) -> None:
    rows = {name: (await desk.http.get(f"/plugins?runtime={name}")).json() for name in ("claude-code", "none-such")}
    assert {"molecule-careful-bash", "invoice-tools"} <= {row["name"] for row in rows["claude-code"]}
    assert [row["name"] for row in rows["none-such"]] == ["invoice-tools"]


async def test_what_is_available_follows_the_runtime_of_a_known_workspace(desk: Desk) -> None:
    outside = await desk.external()
    assert [row["name"] for row in await desk.json(f"/workspaces/{outside}/plugins/available")] == ["invoice-tools"]
    for unknown in (UNKNOWN, "x"):
        assert len(await desk.json(f"/workspaces/{unknown}/plugins/available")) == len(REGISTRY)


async def test_an_install_is_listed_and_restarts_and_so_does_its_end(desk: Desk) -> None:
    workspace_id = await desk.workspace(runtime="claude-code")
    answer = await install(desk, workspace_id, "superpowers", sha256=REGISTRY["superpowers"].manifest_digest.upper())
    assert answer.json() == {"status": "installed", "plugin": "superpowers", "source": "local://superpowers"}
    assert await desk.status(workspace_id) == "provisioning"
    assert await installed(desk, workspace_id) == []
    desk.clock.advance(seconds=2)
    (row,) = await desk.json(f"/workspaces/{workspace_id}/plugins")
    assert (row["name"], row["supported_on_runtime"]) == ("superpowers", True)
    gone = await desk.org.delete(f"/workspaces/{workspace_id}/plugins/superpowers")
    assert gone.json() == {"status": "uninstalled", "plugin": "superpowers"}
    assert await desk.status(workspace_id) == "provisioning"
    desk.clock.advance(seconds=2)
    assert await installed(desk, workspace_id) == []


async def test_what_is_not_installed_is_uninstalled_all_the_same(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    assert (await desk.org.delete(f"/workspaces/{workspace_id}/plugins/none-such")).status_code == 200
    assert told(await desk.org.delete(f"/workspaces/{workspace_id}/plugins/a..b")) == (400, "invalid plugin name")


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("", 400, "'source' is required"),
        ("local://", 400, "invalid plugin source"),
        ("ftp://x", 400, "failed to resolve plugin source"),
        ("local://a/../b", 400, "invalid plugin name"),
        ("local://no-such-plugin", 404, "failed to fetch plugin from local"),
        ("local://Local_Caps", 502, "failed to fetch plugin from local"),
        (GITHUB, 422, "unpinned github source"),
        (f"{GITHUB}#v1.0.0", 502, "failed to fetch plugin from github"),
    ],
)
async def test_a_source_that_gives_no_plugin_is_refused(desk: Desk, source: str, status: int, error: str) -> None:
    answer = await install(desk, await desk.workspace(), source)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert answer.json().get("source") in {None, source}
    assert ("available_schemes" in answer.json()) == source.startswith("ftp")


@pytest.mark.parametrize("body", [b"{", b'{"source": 1}', b'{"source": "' + b"x" * 65536 + b'"}'])
async def test_a_body_that_is_none_or_too_large_is_refused(desk: Desk, body: bytes) -> None:
    answer = await desk.org.post(f"/workspaces/{await desk.workspace()}/plugins", content=body)
    assert told(answer) == (400, "invalid request body")


async def test_a_wrong_hash_is_refused_and_the_right_one_told(desk: Desk) -> None:
    status, error = told(await install(desk, await desk.workspace(), "superpowers", sha256="00"))
    assert (status, error) == (
        422,
        f"sha256 mismatch: expected 00, got {REGISTRY['superpowers'].manifest_digest}",
    )


async def test_without_a_running_container_nothing_shows_and_nothing_can_be_done(
    desk: Desk, desks: Callable[..., Desk]
) -> None:
    paused = await desk.workspace()
    await install(desk, paused, "superpowers")
    desk.clock.advance(seconds=2)
    await desk.org.post(f"/workspaces/{paused}/pause")
    broken = desks(docker=False)
    down = await broken.workspace()
    broken.app.database.execute("UPDATE workspaces SET status = 'online'")
    for where, each in ((desk, paused), (desk, await desk.external()), (desk, UNKNOWN), (desk, "x"), (broken, down)):
        assert await installed(where, each) == []
        assert (await where.json(f"/workspaces/{each}/plugins/compatibility?runtime=x"))["all_compatible"] is True
        assert told(await install(where, each, "superpowers")) == (503, "workspace container not running")
        gone = await where.org.delete(f"/workspaces/{each}/plugins/superpowers")
        assert told(gone) == (503, "workspace container not running")


async def test_a_change_of_runtime_is_checked_against_what_is_installed(desk: Desk) -> None:
    workspace_id = await desk.workspace(runtime="claude-code")
    for source in ("superpowers", "invoice-tools"):
        await install(desk, workspace_id, source)
        desk.clock.advance(seconds=2)
    path = f"/workspaces/{workspace_id}/plugins/compatibility"
    verdict = await desk.json(f"{path}?runtime=langgraph")
    assert [row["name"] for row in verdict["compatible"]] == ["invoice-tools"]
    assert [row["name"] for row in verdict["incompatible"]] == ["superpowers"]
    assert verdict["all_compatible"] is False
    assert told(await desk.org.get(path)) == (400, "runtime query parameter is required")


async def test_a_usual_key_may_not_even_read_the_allow_list_but_learns_whether_it_could_be_there(desk: Desk) -> None:
    root = await desk.workspace()
    for method in ("GET", "PUT"):
        answers = [
            await desk.org.request(method, f"/orgs/{each}/plugins/allowlist") for each in (root, UNKNOWN, "nothing")
        ]
        assert list(map(told, answers)) == [
            (403, "org access denied"),
            (404, "org not found"),
            (500, "failed to verify org"),
        ]


async def test_a_key_bound_to_an_organization_manages_its_list_and_no_other(desk: Desk) -> None:
    root, other = await desk.workspace("root"), await desk.workspace("other")
    client = desk.client(mint_org_key(desk.app.instance, "bound", by="admin-token", org_id=root).plaintext)
    body = {"plugins": ["superpowers", "only-this", "superpowers"], "enabled_by": "me"}
    put = await client.put(f"/orgs/{root}/plugins/allowlist", json=body)
    assert put.json() == {"org_id": root, "plugins": body["plugins"], "allow_all": False}
    listed = (await client.get(f"/orgs/{root}/plugins/allowlist")).json()
    assert [(row["plugin_name"], row["enabled_by"]) for row in listed["plugins"]] == [
        ("only-this", "me"),
        ("superpowers", "me"),
    ]
    assert (await client.get(f"/orgs/{other}/plugins/allowlist")).status_code == 403


async def test_the_list_binds_the_root_and_its_children_and_nobody_below(desk: Desk) -> None:
    root = await desk.workspace("root")
    child = await desk.workspace("child", parent_id=root)
    grandchild = await desk.workspace("grandchild", parent_id=child)
    await desk.admin.put(f"/orgs/{root}/plugins/allowlist", json={"plugins": ["only-this"], "enabled_by": "me"})
    for each in (root, child):
        assert told(await install(desk, each, "superpowers")) == (
            403,
            'plugin "superpowers" is not in the org allowlist',
        )
    assert (await install(desk, grandchild, "superpowers")).status_code == 200


@pytest.mark.parametrize(("given", "echoed"), [({"plugins": []}, []), ({"plugins": None}, None), ({}, None)])
async def test_an_empty_list_allows_everything(desk: Desk, given: dict[str, Any], echoed: Any) -> None:
    root = await desk.workspace()
    path = f"/orgs/{root}/plugins/allowlist"
    await desk.admin.put(path, json={"plugins": ["only-this"], "enabled_by": "me"})
    put = await desk.admin.put(path, json={"enabled_by": "me", **given})
    assert put.json() == {"org_id": root, "plugins": echoed, "allow_all": True}
    assert (await install(desk, root, "superpowers")).status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"plugins": "x", "enabled_by": "me"}, "invalid request body"),
        ({"plugins": []}, "enabled_by is required"),
        ({"plugins": ["a/b"], "enabled_by": "me"}, "invalid plugin name"),
        ({"plugins": ["a\x00b"], "enabled_by": "me"}, "failed to update allowlist"),
    ],
)
async def test_a_list_that_cannot_be_stored_changes_nothing(desk: Desk, body: dict[str, Any], error: str) -> None:
    root = await desk.workspace()
    path = f"/orgs/{root}/plugins/allowlist"
    await desk.admin.put(path, json={"plugins": ["only-this"], "enabled_by": "me"})
    answer = await desk.admin.put(path, json=body)
    assert told(answer) == (500 if error.startswith("failed") else 400, error)
    assert ("plugin_name" in answer.json()) == ("name" in error)
    assert len((await desk.admin.get(path)).json()["plugins"]) == 1
