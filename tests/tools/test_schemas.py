"""What hosts see of every tool."""

from typing import Any

import pytest

from molecule_mcp.capability import Risk
from molecule_mcp.prepared import Entry, entries

EVERY = pytest.mark.parametrize("entry", entries().values(), ids=entries())


@EVERY
def test_every_parameter_is_described_and_nothing_else_is_taken(entry: Entry) -> None:
    schema: dict[str, Any] = entry.tool["inputSchema"]
    assert schema["additionalProperties"] is False
    assert all(each.get("description") for each in schema["properties"].values())


@EVERY
def test_all_four_hints_are_explicit_and_honest(entry: Entry) -> None:
    hints = entry.tool["annotations"]
    assert set(hints) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert hints["readOnlyHint"] is (entry.ability.risk is Risk.READ and not entry.facts["raised_by"])


@EVERY
def test_names_and_texts_fit_every_host(entry: Entry) -> None:
    assert len(entry.ability.name) <= 48
    assert entry.tool.get("title") != ""
    assert 20 < len(entry.tool["description"]) < 1024
