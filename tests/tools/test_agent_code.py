"""What an agent loads or runs is written after a phrase, as a plugin is installed."""

import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_files import on_disk

from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.tools.agent_code import installs

LOADED = [
    "plugins/evil/plugin.yaml",
    "plugins/evil/README.md",
    "plugins/evil/hooks/run.sh",
    "hooks/pre.md",
    "hooks",
    "a/hooks/b",
    "skills/x/run.py",
    "skills/x/data.json",
    ".mcp.json",
    "mcp/.mcp.json",
    "mcp/servers.json",
    "mcp.json",
    "team.mcp.json",
    "mcp_servers.yaml",
    "mcpServers.json",
    "settings.json",
    "settings.local.json",
    ".claude/settings.json",
    ".claude/CLAUDE.md",
    ".bashrc",
    "tool.PY",
    "run.sh",
    "a/b.mjs",
    "PLUGINS/evil/x",
    "./plugins//evil",
    "a/../plugins/evil",
    "\uff50\uff4c\uff55\uff47\uff49\uff4e\uff53/evil",
    "plu\u200bgins/evil",
    "plugins /evil",
]
TEXTS = [
    "CLAUDE.md",
    "config.yaml",
    "system-prompt.md",
    "skills/x/SKILL.md",
    "notes.txt",
    "docs/mcp.md",
    "docs/settings.md",
    "my-plugins.md",
    "webhooks.yaml",
    "data/skills.json",
    "compcpu.json",
    "a.b/c.d",
]


@pytest.mark.parametrize("path", LOADED)
def test_what_an_agent_loads_is_known_however_it_is_spelt(path: str) -> None:
    assert installs(path)


@pytest.mark.parametrize("path", TEXTS)
def test_texts_are_not_taken_for_code(path: str) -> None:
    assert not installs(path)


@pytest.mark.parametrize("path", ["plugins/evil/hooks/run.sh", "skills/x/run.py", ".mcp.json", "Settings.json"])
@pytest.mark.parametrize("tool", ["write_file", "replace_files"])
async def test_code_is_written_only_after_a_phrase(rig: Rig, tool: str, path: str) -> None:
    more = {"path": path, "content": "echo"} if tool == "write_file" else {"files": {"a.md": "x", path: "echo"}}
    given = {"workspace_id": rig.named("Copywriter"), **more}
    assert (await refused(rig.road().call(Caller(), tool, given))).kind == "no_approver"
    road = rig.road()
    question = await asked(road, tool, given)
    assert (question.plan.risk, bool(question.plan.question.phrase)) == ("critical", True)
    lines = "\n".join(question.plan.question.lines)
    assert f'"/configs/{path}", 4 bytes, new' in lines
    assert "as an installed plugin is" in lines
    assert "stored in files first" in lines
    assert rig.transport.changes == []
    await answered(road, tool, given, question, phrase=question.plan.question.phrase)
    assert on_disk(rig, "Copywriter", path) == b"echo"


@pytest.mark.parametrize("path", ["CLAUDE.md", "config.yaml", "skills/x/SKILL.md"])
async def test_ordinary_files_are_written_unasked(rig: Rig, path: str) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": path, "content": "x"}
    assert isinstance(await rig.road().call(can_ask(), "write_file", given), Done)


async def test_a_template_with_code_takes_a_phrase_and_one_without_a_yes(rig: Rig) -> None:
    for number, (path, risk) in enumerate((("plugins/x/run.sh", "critical"), ("voice.md", "destroy"))):
        given = {"name": f"worm {number}", "files": {"config.yaml": "name: worm\n", path: "x"}}
        question = await rig.road().call(Caller(f"p{number}", can_ask=True), "import_template", given)
        assert isinstance(question, Asked)
        assert question.plan.risk == risk
        assert any("as an installed plugin is" in line for line in question.plan.question.lines) == (risk == "critical")
    assert rig.transport.changes == []


async def test_code_within_a_plan_of_several_calls_takes_a_phrase(rig: Rig) -> None:
    target = rig.named("Copywriter")
    calls = [{"tool": "write_file", "arguments": {"workspace_id": target, "path": "hooks/a.sh", "content": "x"}}]
    assert (await asked(rig.road(), "run_plan", {"calls": calls})).plan.risk == "critical"
