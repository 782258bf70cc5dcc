"""Help on one tool: everything that a person needs to write its arguments."""

import json
import re

import pytest

from molecule_mcp.cli import main
from molecule_mcp.cli.usage import kind, usage
from molecule_mcp.prepared import entries

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_behind_a_tool_is_about_that_tool(flag: str, capsys: Captured) -> None:
    assert main(["call", "delete_workspace", flag]) == 0
    said = capsys.readouterr().out
    assert "Delete a workspace and every workspace below it" in said
    assert "risk: destroy; critical when descendants (read at the call); critical when purge" in said
    assert re.search(r"^  workspace_id +uuid, required\. Workspace\.$", said, re.MULTILINE)
    assert re.search(r"^  purge +boolean\. ", said, re.MULTILINE)


def test_help_behind_arguments_is_help_all_the_same(capsys: Captured) -> None:
    assert main(["call", "list_workspaces", "no JSON", "--help"]) == 0
    assert "limit" in capsys.readouterr().out


def test_help_without_a_tool_is_about_the_command(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["call", "--help"])
    assert ended.value.code == 0
    assert "--allow-wait SECONDS" in capsys.readouterr().out


def test_help_on_no_tool_names_those_like_it(capsys: Captured) -> None:
    assert main(["call", "list_workspace", "--help"]) == 1
    assert "list_workspaces" in capsys.readouterr().err


@pytest.mark.parametrize("name", entries())
def test_every_tool_tells_each_of_its_arguments_once(name: str) -> None:
    entry = entries()[name]
    told = re.findall(r"^  ([a-z0-9_]+) ", usage(entry), re.MULTILINE)
    assert told == list(entry.tool["inputSchema"]["properties"])
    required = re.findall(r"^  ([a-z0-9_]+) +[^.]*\brequired\.", usage(entry), re.MULTILINE)
    assert set(required) == set(entry.tool["inputSchema"].get("required", []))


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ('{"type": "string", "format": "uuid"}', "uuid"),
        ('{"enum": ["a", "b"], "type": "string"}', "a | b"),
        ('{"type": "array", "items": {"type": "string"}}', "array of string"),
        ('{"anyOf": [{"type": "string"}, {"type": "null"}]}', "string or null"),
        ("{}", "any value"),
    ],
)
def test_a_kind_is_told_in_words_of_json(schema: str, told: str) -> None:
    assert kind(json.loads(schema)) == told
