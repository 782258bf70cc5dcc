"""Create workspaces."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk


async def test_defaults_of_a_managed_workspace(desk: Desk) -> None:
    told = (
        await desk.org.post("/workspaces", json={"NAME": "Plain", "role": "", "tier": 0, "max_concurrent_tasks": -3})
    ).json()
    assert told["awareness_namespace"] == f"workspace:{told['id']}"
    assert (told["status"], told["workspace_access"]) == ("provisioning", "none")
    row = (await desk.json("/workspaces"))[0]
    assert (row["role"], row["tier"], row["max_concurrent_tasks"], row["runtime"]) == (None, 3, 1, "langgraph")


async def test_what_is_given_is_stored(desk: Desk) -> None:
    parent = await desk.workspace("parent")
    fields: dict[str, Any] = {"role": "r", "tier": 2, "budget_limit": -5, "parent_id": parent, "runtime": "hermes"}
    fields |= {"workspace_dir": "/srv/x", "max_concurrent_tasks": 4}
    told = await desk.org.post(
        "/workspaces", json={"name": "child", "workspace_access": "read_write", "canvas": {"x": 1.5}, **fields}
    )
    assert told.json()["workspace_access"] == "read_write"
    row = (await desk.json("/workspaces"))[1]
    assert {name: row[name] for name in fields} == fields
    assert (row["x"], row["y"]) == (1.5, 0)


async def test_names_are_not_unique(desk: Desk) -> None:
    assert await desk.workspace("twin") != await desk.workspace("twin")


async def test_secrets_and_memories_come_with_it(desk: Desk) -> None:
    seeds = [
        {"content": "likes tea", "scope": "team"},
        {"content": ""},
        {"content": "local one"},
        {"content": "dropped", "scope": "ELSEWHERE"},
        {"content": "ä " * 5000},
    ]
    workspace_id = await desk.workspace(secrets={"A": "b"}, initial_memories=seeds)
    assert [row["key"] for row in await desk.json(f"/workspaces/{workspace_id}/secrets")] == ["A"]
    kept = await desk.json(f"/workspaces/{workspace_id}/memories")
    assert [row["scope"] for row in kept] == ["LOCAL", "LOCAL", "TEAM"]
    assert {row["namespace"] for row in kept} == {f"workspace:{workspace_id}"}
    assert len(kept[0]["content"].encode()) <= 8192


@pytest.mark.parametrize(
    ("fields", "runtime"),
    [({}, "hermes"), ({"runtime": "langgraph"}, "langgraph"), ({"template": "none"}, "langgraph")],
)
async def test_without_a_runtime_it_is_that_of_the_templates_config(
    desk: Desk, fields: dict[str, Any], runtime: str
) -> None:
    files = {"config.yaml": "name: H\nruntime: hermes\n"}
    await desk.org.post("/templates/import", json={"name": "H", "files": files})
    await desk.org.post("/workspaces", json={"name": "of it", "template": "h", **fields})
    assert [row["runtime"] for row in await desk.json("/workspaces")] == [runtime]


class TestExternal:
    async def test_a_template_may_say_so_too(self, desk: Desk) -> None:
        """Contract: an absent runtime is taken from the template's config, and "external" means external=true."""
        files = {"config.yaml": "name: Out\nruntime: external\n"}
        await desk.org.post("/templates/import", json={"name": "Out", "files": files})
        told = (await desk.org.post("/workspaces", json={"name": "o", "template": "out"})).json()
        assert (told["status"], "auth_token" in told["connection"]) == ("awaiting_agent", True)

    async def test_with_a_url_it_is_online_at_once_and_no_token_is_made(self, desk: Desk) -> None:
        told = (
            await desk.org.post("/workspaces", json={"name": "o", "external": True, "url": "http://8.8.8.8:9"})
        ).json()
        assert told == {"id": told["id"], "external": True, "status": "online"}
        row = await desk.json(f"/workspaces/{told['id']}")
        assert (row["status"], row["url"], row["runtime"]) == ("online", "http://8.8.8.8:9", "external")
        assert await desk.json(f"/workspaces/{told['id']}/tokens") == {"tokens": [], "count": 0}

    @pytest.mark.parametrize(
        ("fields", "runtime"), [({"external": True}, "langgraph"), ({"runtime": "external"}, "external")]
    )
    async def test_without_one_it_awaits_its_agent_under_another_name(
        self, desk: Desk, fields: dict[str, Any], runtime: str
    ) -> None:
        """Contract: the answer says awaiting_agent, the row says provisioning, and the runtime is what was sent."""
        told = (await desk.org.post("/workspaces", json={"name": "o", **fields})).json()
        assert told["status"] == "awaiting_agent"
        row = await desk.json(f"/workspaces/{told['id']}")
        assert (row["status"], row["runtime"]) == ("provisioning", runtime)
        connection = told["connection"]
        assert connection["registry_endpoint"] == "http://tenant/registry/register"
        assert connection["auth_token"] in connection["curl_register_template"]
        agent = desk.client(connection["auth_token"])
        assert (await agent.get(f"/workspaces/{told['id']}/state")).status_code == 200

    async def test_a_managed_one_ignores_a_url(self, desk: Desk) -> None:
        told = (await desk.org.post("/workspaces", json={"name": "o", "url": "http://x"})).json()
        assert (await desk.json(f"/workspaces/{told['id']}"))["url"] == ""


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": None}, "invalid workspace payload"),
        ({"name": ""}, "invalid workspace payload"),
        ({"tier": "2"}, "invalid workspace payload"),
        ({"secrets": {"A": 1}}, "invalid workspace payload"),
        ({"name": "x" * 256}, "invalid workspace fields"),
        ({"name": "a*b"}, "invalid workspace fields"),
        ({"role": "a\nb"}, "invalid workspace fields"),
        ({"model": "m" * 101}, "invalid workspace fields"),
        ({"runtime": "a\rb"}, "invalid workspace fields"),
        ({"workspace_dir": "relative"}, "invalid workspace directory"),
        ({"workspace_dir": "/a/../b"}, "invalid workspace directory"),
        ({"workspace_dir": "/etc"}, "invalid workspace directory"),
        ({"workspace_dir": "//usr/lib"}, "invalid workspace directory"),
        ({"workspace_access": "all"}, "invalid workspace access"),
        ({"workspace_access": "read_only"}, "invalid workspace access"),
        ({"template": "../x"}, "invalid template"),
        ({"template": "/x"}, "invalid template"),
    ],
)
async def test_a_bad_field_is_refused(desk: Desk, fields: dict[str, Any], error: str) -> None:
    told = await desk.org.post("/workspaces", json={"name": "n", **fields})
    assert (told.status_code, told.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    "fields",
    [
        {"parent_id": "x"},
        {"parent_id": ""},
        {"parent_id": UNKNOWN},
        {"tier": 2**31},
        {"secrets": {"a\x00": "b"}},
        {"name": "\x00"},
    ],
)
async def test_what_the_database_refuses_is_a_500_and_leaves_nothing_behind(desk: Desk, fields: dict[str, Any]) -> None:
    told = await desk.org.post("/workspaces", json={"name": "n", **fields})
    assert (told.status_code, told.json()) == (500, {"error": "failed to create workspace"})
    assert await desk.json("/workspaces") == []
    assert await desk.json("/events") == []
