"""Workspaces made, over the embedded tenant; one whose agent runs elsewhere only after a yes, however it is called."""

import json
from typing import Any

import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done

from molecule_mcp.road.traffic import Done

OUTSIDE = {"name": "Out", "files": {"config.yaml": "name: Out\nruntime: external\n"}}


async def test_a_name_that_is_taken_there_is_not_made_twice_by_accident(rig: Rig) -> None:
    given: dict[str, Any] = {"name": "Helper", "parent_id": rig.named("Finance Lead")}
    made = await done(rig, "create_workspace", given)
    assert rig.statuses()[made["id"]] in {"provisioning", "online"}
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    error = await refused(rig.road().call(can_ask(), "create_workspace", given))
    assert error.details["there"][0]["id"] == made["id"]
    assert (await done(rig, "create_workspace", {**given, "allow_duplicate": True}))["id"] != made["id"]


async def test_an_external_agents_token_goes_to_a_file_and_nowhere_else(rig: Rig) -> None:
    road, given = rig.road(), {"name": "Outside", "external": True}
    question = await asked(road, "create_workspace", given)
    told = await answered(road, "create_workspace", given, question, allow=True)
    path = told.structured["items"][0]["token"]
    assert "within 10 minutes" in told.structured["items"][0]["note"]
    token = next((rig.folder / "outputs").iterdir()).read_text().strip()
    assert str(path).startswith(str(rig.folder / "outputs"))
    assert len(token) == 43
    assert token not in told.text
    assert next((rig.folder / "outputs").iterdir()).stat().st_mode & 0o777 == 0o600


async def test_an_address_without_an_external_agent_is_refused(rig: Rig) -> None:
    given = {"name": "x", "url": "https://agent.example"}
    assert (await refused(rig.road().call(can_ask(), "create_workspace", given))).kind == "arguments"


@pytest.mark.parametrize("runtime", ["external", "External", " external", "EXTERNAL\t", "exter\u200bnal"])
async def test_a_runtime_that_means_an_outside_agent_is_asked_about_however_it_is_written(
    rig: Rig, runtime: str
) -> None:
    given = {"name": "ghost", "runtime": runtime}
    question = await asked(rig.road(), "create_workspace", given)
    assert question.plan.risk == "destroy"
    assert any("a token for it is written" in line for line in question.plan.question.lines)
    assert rig.transport.changes == []
    told = (await answered(rig.road(), "create_workspace", given, question, allow=True)).structured["items"][0]
    assert told["runtime"] == "external"
    assert json.loads(rig.transport.bodies[-2])["runtime"] == "external"


async def test_a_template_that_means_an_outside_agent_is_asked_about(rig: Rig) -> None:
    await done(rig, "import_template", OUTSIDE)
    given = {"name": "ghost", "template": "out"}
    question = await asked(rig.road(), "create_workspace", given)
    assert question.plan.risk == "destroy"
    assert rig.transport.changes == ["POST /templates/import"]
    told = (await answered(rig.road(), "create_workspace", given, question, allow=True)).structured["items"][0]
    assert (told["runtime"], "outputs" in told["token"]) == ("external", True)


async def test_a_runtime_that_is_given_counts_and_not_that_of_the_template(rig: Rig) -> None:
    await done(rig, "import_template", OUTSIDE)
    given = {"name": "inside", "template": "out", "runtime": "hermes"}
    assert isinstance(await rig.road().call(can_ask(), "create_workspace", given), Done)


@pytest.mark.parametrize(("template", "runtime"), [("claude-code-default", "claude-code"), ("seo-agent", "langgraph")])
async def test_the_runtime_of_a_template_is_sent_with_it(rig: Rig, template: str, runtime: str) -> None:
    """So what was judged is what the tenant makes, whatever the template says a moment later."""
    await done(rig, "import_template", {"name": "SEO Agent", "files": {"system-prompt.md": "Be kind."}})
    told = await rig.road().call(can_ask(), "create_workspace", {"name": "inside", "template": template})
    assert isinstance(told, Done)
    assert told.structured["items"][0]["runtime"] == runtime
    assert json.loads(rig.transport.bodies[-2])["runtime"] == runtime


@pytest.mark.parametrize("more", [{}, {"runtime": "langgraph"}, {"external": True}])
async def test_a_template_that_is_not_listed_is_refused_whatever_else_is_given(rig: Rig, more: dict[str, Any]) -> None:
    """A folder whose config cannot be read is not listed, and nobody knows what the tenant finds in it."""
    await done(rig, "import_template", {"name": "Broken", "files": {"config.yaml": "runtime: external\nx: ["}})
    for template, near in (("broken", []), ("Claude-code-defalt", ["claude-code-default"])):
        given = {"name": "ghost", "template": template, **more}
        error = await refused(rig.road().call(can_ask(), "create_workspace", given))
        assert (error.kind, error.sent, error.details.get("near", [])[:1]) == ("arguments", False, near)
    assert rig.transport.changes == ["POST /templates/import"]


async def test_a_plan_asks_about_an_outside_agent_too(rig: Rig) -> None:
    calls = [{"tool": "create_workspace", "arguments": {"name": "ghost", "runtime": "external"}}]
    assert (await asked(rig.road(), "run_plan", {"calls": calls})).plan.risk == "destroy"


async def test_a_dry_run_says_where_the_agent_runs(rig: Rig) -> None:
    for given, said in (({"runtime": "external"}, "elsewhere"), ({"runtime": "hermes"}, "its agent starts")):
        told = await rig.road().call(can_ask(), "create_workspace", {"name": "trial", "dry_run": True, **given})
        assert isinstance(told, Done)
        assert any(said in line for line in told.structured["would"])
    assert rig.transport.changes == []
