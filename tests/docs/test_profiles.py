"""The guide to profiles: its file is one that a start takes, and its commands are the program's."""

import os
import re
import shlex
from pathlib import Path

import pytest

from molecule_mcp.cli import main
from molecule_mcp.cli.parsing import parser
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import forms

GUIDE = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
NOW = 1_796_000_000.0
"""2026-11-30: within the days of the guide's expiries."""


def test_the_file_of_the_guide_is_taken_and_shows_every_key() -> None:
    (content,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert set(forms.profiles(content.encode(), "guide", entries(), NOW)) == {"default", "marketing"}
    shown = [*forms.Table.model_fields, *forms.Preauth.model_fields]
    assert [key for key in shown if f"\n{key}" not in content and f".{key}]]" not in content] == []


@pytest.mark.parametrize("line", re.findall(r"^molecule-mcp [^#\n]*", GUIDE, re.MULTILINE))
def test_every_command_of_the_guide_is_one(line: str) -> None:
    assert parser().parse_args(shlex.split(line)[1:]).command == "policy"


@pytest.mark.parametrize("line", re.findall(r"^molecule-mcp policy explain [^#\n]*", GUIDE, re.MULTILINE))
def test_every_decision_the_guide_asks_for_is_explained(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [each for each in os.environ if each.startswith("MOLECULE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MOLECULE_MCP_STATE", str(tmp_path))
    assert main(shlex.split(line)[1:]) == 0
