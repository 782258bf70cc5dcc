"""Bundles."""

from typing import Any

import pytest

from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk

CONFIG = "name: Lead\nruntime: claude-code\ntier: 2\n"
TREE: dict[str, Any] = {
    "name": "Lead",
    "description": "Leads",
    "tier": 2,
    "system_prompt": "Be brief.",
    "prompts": {"config.yaml": CONFIG},
    "skills": [{"id": "audit", "files": {"SKILL.md": "# Audit"}}],
    "sub_workspaces": [{"name": "Child", "tier": 1}],
}


async def put(desk: Desk, body: Any) -> Any:
    return await desk.org.post("/bundles/import", json=body)


async def test_a_tree_comes_in_and_out_of_running_containers(desk: Desk) -> None:
    told = await put(desk, TREE)
    assert told.status_code == 201
    made = told.json()
    assert (made["name"], made["status"], made["children"][0]["name"]) == ("Lead", "provisioning", "Child")
    desk.clock.advance(seconds=5)
    rows = {row["name"]: row for row in await desk.json("/workspaces")}
    assert (rows["Lead"]["runtime"], rows["Lead"]["status"], rows["Lead"]["role"]) == ("claude-code", "online", "Leads")
    assert (rows["Child"]["runtime"], rows["Child"]["parent_id"]) == ("langgraph", made["workspace_id"])
    bundle = await desk.json(f"/bundles/export/{made['workspace_id'].upper()}")
    assert (bundle["prompts"], bundle["system_prompt"]) == ({"config.yaml": CONFIG}, "Be brief.")
    assert bundle["skills"][0]["files"] == {"SKILL.md": "# Audit"}
    assert bundle["sub_workspaces"][0]["prompts"]["config.yaml"].startswith("name: Child\n")
    assert bundle["agent_card"]["name"] == "Lead"


async def test_twice_makes_two(desk: Desk) -> None:
    first, second = (await put(desk, TREE)).json(), (await put(desk, TREE)).json()
    assert first["workspace_id"] != second["workspace_id"]
    assert len(await desk.json("/workspaces")) == 4


async def test_without_a_container_the_config_is_a_templates(sample: Desk) -> None:
    scout = await sample.json(f"/bundles/export/{sample_id('workspaces', 'papers')}")
    assert scout["prompts"]["config.yaml"].startswith("name: Paper Scout\n")
    assert (scout["skills"][0]["id"], scout["system_prompt"][:8]) == ("digest", "Read the")
    partner = await sample.json(f"/bundles/export/{sample_id('workspaces', 'partner')}")
    assert partner["prompts"]["config.yaml"].startswith("name: Claude Code Agent\n")
    gone = await sample.json(f"/bundles/export/{sample_id('workspaces', 'old-planner')}")
    assert gone["name"] == "Campaign Planner 2024"


async def test_without_any_template_there_is_no_config(desk: Desk) -> None:
    bundle = await desk.json(f"/bundles/export/{await desk.external()}")
    assert (bundle["prompts"], bundle["skills"], bundle["system_prompt"]) == ({}, [], "")


@pytest.mark.parametrize("unknown", [UNKNOWN, "no-uuid"])
async def test_what_is_not_there_has_no_bundle(desk: Desk, unknown: str) -> None:
    told = await desk.org.get(f"/bundles/export/{unknown}")
    assert (told.status_code, told.json()) == (404, {"error": "bundle not found"})


async def test_removed_children_are_left_out_and_a_circle_ends(desk: Desk) -> None:
    top = await desk.workspace("top")
    child = await desk.workspace("child", parent_id=top)
    gone = await desk.workspace("gone", parent_id=top)
    await desk.org.delete(f"/workspaces/{gone}")
    await desk.org.patch(f"/workspaces/{top}", json={"parent_id": child})
    bundle = await desk.json(f"/bundles/export/{top}")
    assert [each["name"] for each in bundle["sub_workspaces"]] == ["child"]
    assert bundle["sub_workspaces"][0]["sub_workspaces"] == []


async def test_a_failure_is_told_inside_a_success_and_its_children_are_not_tried(desk: Desk) -> None:
    bad = {"name": "a\x00b", "sub_workspaces": [{"name": "c"}]}
    told = await put(desk, bad)
    assert told.status_code == 201
    assert told.json()["status"] == "failed"
    assert told.json()["error"].endswith('pq: invalid byte sequence for encoding "UTF8": 0x00')
    assert "children" not in told.json()
    within = (await put(desk, {"name": "ok", "sub_workspaces": [{"tier": 2**40}, {"name": "d"}]})).json()
    assert [within["status"], *(each["status"] for each in within["children"])] == [
        "provisioning",
        "failed",
        "provisioning",
    ]
    assert [row["name"] for row in await desk.json("/workspaces")] == ["ok", "d"]


async def test_nothing_is_required(desk: Desk) -> None:
    assert (await put(desk, {})).json()["status"] == "provisioning"
    (row,) = await desk.json("/workspaces")
    assert (row["name"], row["tier"], row["parent_id"]) == ("", 0, None)


@pytest.mark.parametrize("body", [[], {"tier": "1"}, {"sub_workspaces": [1]}, {"prompts": {"a": 1}}])
async def test_wrong_types_are_refused(desk: Desk, body: Any) -> None:
    told = await put(desk, body)
    assert (told.status_code, told.json()) == (400, {"error": "invalid bundle"})


async def test_without_docker_they_fail_later(desks: Any) -> None:
    desk: Desk = desks(docker=False)
    made = (await put(desk, {"name": "x"})).json()
    assert (made["status"], await desk.status(made["workspace_id"])) == ("provisioning", "provisioning")
    desk.clock.advance(seconds=5)
    assert await desk.status(made["workspace_id"]) == "failed"
