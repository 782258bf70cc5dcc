"""Workspace templates: listed as a table, made for good after a yes."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import read

SEO: dict[str, Any] = {"name": "SEO Agent", "files": {"system-prompt.md": "Be kind.", "skills/audit/SKILL.md": "# A"}}


async def test_templates_are_a_table_with_what_each_needs(rig: Rig) -> None:
    told = await read(rig, "list_templates")
    rows = [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]
    assert [row["id"] for row in rows][:3] == ["claude-code-default", "langgraph", "paper-scout"]
    assert (rows[0]["models"], rows[0]["required_env"]) == ("sonnet claude-sonnet-4-6", "CLAUDE_CODE_OAUTH_TOKEN")
    assert rows[2]["skills"] == "digest"
    page = await read(rig, "list_templates", limit=1, cursor="langgraph")
    assert [row[0] for row in page["rows"]] == ["paper-scout"]


async def test_a_new_template_is_asked_about_and_read_back(rig: Rig) -> None:
    plan = (await asked(rig.road(), "import_template", SEO)).plan
    text = "\n".join(plan.question.lines)
    assert plan.risk == "destroy"
    assert all(part in text for part in ('"seo-agent"', "Be kind.", "# A", "deletes a template", "tier 3"))
    assert await done(rig, "import_template", SEO) == {"id": "seo-agent", "listed": True}
    assert rig.transport.changes == ["POST /templates/import"]


async def test_whose_files_it_would_stand_for_is_shown(rig: Rig) -> None:
    given = {"name": "SEO Analyst", "files": {"a.md": "x"}}
    plan = (await asked(rig.road(), "import_template", given)).plan
    assert any(rig.named("SEO Analyst") in line for line in plan.question.lines)


async def test_a_config_that_cannot_be_read_is_told(rig: Rig) -> None:
    given = {"name": "Broken", "files": {"config.yaml": "name: [x"}}
    assert await done(rig, "import_template", given) == {"id": "broken", "listed": False}


async def test_a_name_that_is_taken_is_told_before_anything_is_sent(rig: Rig) -> None:
    error = await refused(rig.road().call(can_ask(), "import_template", {**SEO, "name": "LangGraph"}))
    assert (error.kind, error.details["id"]) == ("arguments", "langgraph")
    assert rig.transport.changes == []


@pytest.mark.parametrize(
    "paths",
    [
        ["../x"],
        ["/x"],
        ["a..b"],
        [""],
        ["a//b"],
        ["a/./b"],
        ["a\\b"],
        ["a\x00"],
        ["a\u202eb"],
        ["x" * 256],
        ["a", "a/b"],
    ],
)
async def test_a_path_that_would_leave_a_half_template_is_not_sent(rig: Rig, paths: list[str]) -> None:
    given = {"name": "Half", "files": {"good.md": "x", **dict.fromkeys(paths, "x")}}
    error = await refused(rig.road().call(can_ask(), "import_template", given))
    assert error.kind == "arguments"
    assert rig.transport.changes == []


@pytest.mark.parametrize("status", [400, 500, 502])
async def test_a_refusal_half_way_is_not_called_nothing_changed(rig: Rig, status: int) -> None:
    async def half(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, json={"error": "x"}) if request.method == "POST" else None

    question = await asked(road := rig.road(), "import_template", SEO)
    rig.transport.before = half
    error = await refused(answered(road, "import_template", SEO, question, allow=True))
    assert error.sent == "unknown"
    assert "another name" in str(error.advice)


async def test_a_leftover_folder_is_found_by_the_tenant_alone(rig: Rig) -> None:
    rig.app.database.execute("INSERT INTO folders VALUES ('workspace', 'seo-agent', 'a.md', X'00')")
    question = await asked(road := rig.road(), "import_template", SEO)
    error = await refused(answered(road, "import_template", SEO, question, allow=True))
    assert (error.details["status"], error.sent) == (409, True)


async def test_silence_leaves_it_open(rig: Rig) -> None:
    async def silent(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            raise httpx.ReadTimeout("silence")
        return None

    question = await asked(road := rig.road(), "import_template", SEO)
    rig.transport.before = silent
    error = await refused(answered(road, "import_template", SEO, question, allow=True))
    assert (error.sent, "another name" in str(error.advice)) == ("unknown", True)
