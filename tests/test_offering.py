"""Resources, prompts and completions over MCP, in both protocol eras."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.server import MoleculeServer
from molecule_mcp.settings import Selection
from tests.road.rig import Rig

ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
WORKSPACE = ResourceTemplateReference(type="ref/resource", uri="molecule://workspaces/{workspace}")
MEMORIES = ResourceTemplateReference(type="ref/resource", uri="molecule://workspaces/{workspace_id}/memories")


@asynccontextmanager
async def connected(rig: Rig, mode: str = "2026-07-28", **changes: Any) -> AsyncGenerator[Client]:
    given: dict[str, Any] = {"entries": entries(), "profile": Profile(), "road": rig.road, "instructions": "x"}
    async with Client(MoleculeServer(**given | changes), mode=mode) as client:
        yield client


async def read(client: Client, uri: str) -> Any:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return json.loads(content.text)


@ERAS
async def test_a_resource_is_the_answer_of_its_tool(rig: Rig, mode: str) -> None:
    async with connected(rig, mode) as client:
        assert [str(each.uri) for each in (await client.list_resources()).resources] == ["molecule://org"]
        templates = (await client.list_resource_templates()).resource_templates
        assert "molecule://workspaces/{workspace}" in [each.uri_template for each in templates]
        assert (await read(client, "molecule://org"))["workspaces"] > 10
        told = await read(client, "molecule://workspaces/Copywriter")
        assert told["id"] == rig.named("Copywriter")
        memories = await read(client, f"molecule://workspaces/{rig.named('Ticket Triage')}/memories")
        assert memories["memories"]


@ERAS
async def test_what_cannot_be_read_says_why(rig: Rig, mode: str) -> None:
    async with connected(rig, mode) as client:
        with pytest.raises(MCPError, match="no such resource; resources/list and") as unknown:
            await client.read_resource("molecule://secrets/values")
        assert unknown.value.error.code == -32602
        advice = "no workspace has exactly this name. list_workspaces shows all names, and find_workspace"
        with pytest.raises(MCPError, match=advice) as ambiguous:
            await client.read_resource("molecule://workspaces/Nobody")
        assert ambiguous.value.error.data["sent"] is False


async def test_resources_follow_what_the_settings_allow_and_prompts_what_is_listed(rig: Rig) -> None:
    less = {name: entry for name, entry in entries().items() if name != "search_memories"}

    def choose(_selection: Selection) -> dict[str, Any]:
        return less

    async with connected(rig, entries={"get_overview": entries()["get_overview"]}, choose=choose) as client:
        templates = [each.uri_template for each in (await client.list_resource_templates()).resource_templates]
        assert "molecule://workspaces/{workspace}" in templates
        assert not any("memories" in each for each in templates)
        with pytest.raises(MCPError, match="no such resource"):
            await client.read_resource("molecule://workspaces/x/memories")
        assert (await client.list_prompts()).prompts == []


@ERAS
async def test_a_prompt_is_listed_and_filled_in(rig: Rig, mode: str) -> None:
    async with connected(rig, mode) as client:
        names = [each.name for each in (await client.list_prompts()).prompts]
        assert {"triage_workspace", "weekly_review", "offboard_team", "rotate_org_key"} <= set(names)
        result = await client.get_prompt("triage_workspace", {"workspace": "Copywriter"})
        content = result.messages[0].content
        assert isinstance(content, TextContent)
        assert '"Copywriter"' in content.text
        for name, why in (("nothing", "no such prompt"), ("triage_workspace", "is required")):
            with pytest.raises(MCPError, match=why) as refused:
                await client.get_prompt(name, {})
            assert refused.value.error.code == -32602
        assert rig.transport.lines == []


async def completions(client: Client, ref: Any, name: str, typed: str) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": typed})).completion.values


@ERAS
async def test_names_ids_keys_and_choices_are_completed(rig: Rig, mode: str) -> None:
    copywriter = rig.named("Copywriter")
    async with connected(rig, mode) as client:
        assert await completions(client, WORKSPACE, "workspace", "copy") == ["Copywriter"]
        assert await completions(client, WORKSPACE, "workspace", copywriter[:13]) == [copywriter]
        assert (await completions(client, MEMORIES, "workspace_id", copywriter[:13])) == [copywriter]
        prompt = PromptReference(type="ref/prompt", name="weekly_review")
        assert await completions(client, prompt, "focus", "s") == ["spend", "failures", "access"]
        secret = PromptReference(type="ref/prompt", name="rotate_secret")
        assert await completions(client, secret, "secret", "openai") == ["OPENAI_API_KEY"]
        keys = await completions(client, PromptReference(type="ref/prompt", name="rotate_org_key"), "key", "")
        assert len(keys) == len((await client.call_tool("list_org_tokens", {})).structured_content["tokens"])  # pyright: ignore
        assert await completions(client, prompt, "nothing", "") == []
        assert await completions(client, WORKSPACE, "nothing", "") == []


async def test_nothing_is_completed_from_what_may_not_be_read(rig: Rig) -> None:
    offered = {"get_overview": entries()["get_overview"]}
    async with connected(rig, entries=offered) as client:
        assert await completions(client, WORKSPACE, "workspace", "") == []
        assert rig.transport.lines == []
