"""What a model is told at the start."""

import pytest

from molecule_mcp.offers.instructions import HINTS, LONGEST, instructions
from molecule_mcp.prepared import entries

EVERY = set(entries())


@pytest.mark.parametrize("sample", [True, False])
def test_the_longest_text_fits(sample: bool) -> None:
    text = instructions(
        sample=sample, tools={name for names, _ in HINTS for name in names}, changing=True, secrets=True
    )
    assert len(text) <= LONGEST
    assert ("SAMPLE" in text) is sample


def test_only_tools_that_are_offered_are_named() -> None:
    text = instructions(sample=True, tools={"get_overview"}, changing=False, secrets=False)
    assert "get_overview" in text
    assert "list_workspaces" not in text
    assert "Nothing offered here changes it" in text
    assert "references" not in text


def test_every_hint_names_tools_that_exist() -> None:
    assert {name for names, _ in HINTS for name in names} <= EVERY
