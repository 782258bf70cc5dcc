"""Workspace templates."""

from typing import Any

import pytest

from tests.embedded.support import Desk


async def put(desk: Desk, name: str, **files: str) -> Any:
    return await desk.org.post("/templates/import", json={"name": name, "files": files})


async def test_templates_are_listed_by_folder_with_what_their_config_says(sample: Desk) -> None:
    claude, graph, scout, _ = await sample.json("/templates")
    assert [each["id"] for each in (claude, graph, scout)] == ["claude-code-default", "langgraph", "paper-scout"]
    assert claude["description"].startswith("General-purpose workspace. Takes a subscription token or an API key; each")
    assert (claude["model"], claude["required_env"]) == ("sonnet", ["CLAUDE_CODE_OAUTH_TOKEN"])
    assert claude["models"][1]["required_env"] == ["ANTHROPIC_API_KEY"]
    assert (claude["skills"], claude["skill_count"]) == (None, 0)
    assert (graph["skills"], graph["model"]) == ([], "openai:gpt-4.1-mini")
    assert "models" not in graph
    assert (scout["skills"], scout["skill_count"]) == (["digest"], 1)


async def test_a_config_is_generated_when_none_is_given(desk: Desk) -> None:
    files = {"system-prompt.md": "Be kind.", "skills/audit/SKILL.md": "# Audit", "docs/x.md": "x"}
    told = await put(desk, "SEO Agent!", **files)
    assert (told.status_code, told.json()) == (201, {"status": "imported", "id": "seo-agent", "name": "SEO Agent!"})
    (row,) = await desk.json("/templates")
    assert row == {
        "id": "seo-agent",
        "name": "SEO Agent!",
        "description": "Imported agent",
        "tier": 3,
        "runtime": "",
        "model": "anthropic:claude-haiku-4-5-20251001",
        "skills": ["audit"],
        "skill_count": 1,
    }


async def test_a_given_config_is_kept_and_a_broken_one_is_not_listed(desk: Desk) -> None:
    assert (await put(desk, "Own Cfg", **{"config.yaml": "name: Own Cfg\nruntime: langgraph\n"})).status_code == 201
    assert (await put(desk, "Broken", **{"config.yaml": "name: [x"})).status_code == 201
    (row,) = await desk.json("/templates")
    assert (row["id"], row["tier"], row["model"], row["description"]) == ("own-cfg", 0, "", "")


async def test_a_bad_path_leaves_what_was_written_before_it_and_blocks_the_name(desk: Desk) -> None:
    told = await put(desk, "Half", **{"a.md": "x", "../b.md": "x"})
    assert (told.status_code, told.json()) == (400, {"error": "invalid request body"})
    assert await desk.json("/templates") == []
    again = await put(desk, "hALF", **{"a.md": "x"})
    assert (again.status_code, again.json()) == (409, {"error": "template already exists", "id": "half"})


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ([], 400, "invalid request body"),
        ({"files": {"a": "b"}}, 400, "invalid request body"),
        ({"name": "x"}, 400, "invalid request body"),
        ({"name": "x", "files": {"a": 1}}, 400, "invalid request body"),
        ({"name": "x", "files": {"/a": "b"}}, 400, "invalid request body"),
        ({"name": "x", "files": {"": "b"}}, 400, "invalid request body"),
        ({"name": "x", "files": {str(n): "" for n in range(201)}}, 400, "too many files (201), max 200"),
        ({"name": "x", "files": {}}, 500, "failed to write config.yaml"),
        ({"name": "x", "files": {"a": "b", "a/c": "d"}}, 500, "failed to write file"),
        ({"name": "x", "files": {"a\x00": "b"}}, 500, "failed to write file"),
    ],
)
async def test_what_makes_no_template_is_refused(desk: Desk, body: Any, status: int, error: str) -> None:
    told = await desk.org.post("/templates/import", json=body)
    assert (told.status_code, told.json()) == (status, {"error": error})
    assert await desk.json("/templates") == []


async def test_a_name_without_letters_is_unnamed_and_content_may_hold_anything(desk: Desk) -> None:
    assert (await put(desk, "ÄÖ", **{"a.bin": "\x00"})).json()["id"] == "unnamed"
    assert (await desk.http.get("/templates")).status_code == 401
