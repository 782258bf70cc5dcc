"""What README and CONTRIBUTING tell a person to run, write or read is there."""

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from molecule_mcp.cli import main
from molecule_mcp.cli.parsing import parser
from molecule_mcp.settings import ORG_ID, TOKEN, URL, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
SNIPPETS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for text in PAGES.values() for name in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)}
    assert {"demo", "test", "install"} <= named <= targets


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"(?:^ *|`)(molecule-mcp [a-z][^`#\n|]*)", README, re.MULTILINE)))
)
def test_every_command_that_is_named_is_one_of_the_programs(line: str) -> None:
    assert parser().parse_args(shlex.split(line)[1:]).command


@pytest.mark.parametrize("flag", re.findall(r"`(--[a-z-]+)", README))
def test_every_flag_that_is_named_is_in_the_help_of_serve(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", "--help"] if flag != "--help" else ["--help"])
    assert flag in capsys.readouterr().out


def test_every_link_inside_leads_to_a_file() -> None:
    linked = {link for text in PAGES.values() for link in re.findall(r"\]\(([^)#:]+)\)", text)}
    assert linked
    assert [link for link in sorted(linked) if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["claude-code", "vs-code"])
def test_a_hosts_configuration_starts_the_program_with_settings_it_takes(
    snippet: dict[str, dict[str, dict[str, dict[str, str]]]],
) -> None:
    server = (snippet.get("mcpServers") or snippet["servers"])["molecule"]
    filled = {
        name: value
        for name, value in {URL: "https://acme.example.com", TOKEN: "a-key-of-the-organization"}.items()
        if name in server["env"]
    }
    assert filled.keys() == server["env"].keys()
    assert Settings.load(filled).api_url == "https://acme.example.com"
    assert server["command"] == "molecule-mcp"


def test_the_variables_are_those_that_settings_read() -> None:
    assert re.findall(r"^\| `([A-Z_]+)`", README, re.MULTILINE) == [URL, TOKEN, ORG_ID]


def test_it_stays_short() -> None:
    assert len(README.splitlines()) < 150


def test_what_lies_in_the_state_folder_is_named_and_the_sample_starts_anew_without_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [each for each in os.environ if each.startswith("MOLECULE_")]:
        monkeypatch.delenv(name)
    [kept] = re.findall(r"## Where things are kept\n(.*?)\n## ", README, re.DOTALL)
    for name in ("`secrets`", "`outputs`", "`tenant.db`", "`DIR/config`"):
        assert name in kept
    state = ["--state", str(tmp_path)]

    def mine() -> int:
        assert main([*state, "call", "list_workspaces", '{"name_contains": "Mine"}']) == 0
        return len(json.loads(capsys.readouterr().out)["rows"])

    assert main([*state, "call", "create_workspace", '{"name": "Mine"}']) == 0
    capsys.readouterr()
    assert mine() == 1
    (tmp_path / "tenant.db").unlink()
    assert mine() == 0
