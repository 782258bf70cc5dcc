"""The guide for those who come from the TypeScript server names every tool there and only tools that exist here."""

import re
from pathlib import Path

from molecule_mcp.prepared import entries

PAGE = (Path(__file__).parents[2] / "docs" / "moving.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z_]+)` \| (?:`([a-z_]+)`|-) \| (.*)\|$", PAGE, re.MULTILINE)


def test_every_tool_of_the_other_server_has_a_row() -> None:
    assert len(ROWS) == len({there for there, _, _ in ROWS}) == 87


def test_every_counterpart_exists_and_what_has_none_says_why() -> None:
    assert {here for _, here, _ in ROWS if here} <= entries().keys()
    assert all(why.strip() for _, here, why in ROWS if not here)


def test_what_asks_is_a_tool_that_can_ask() -> None:
    asking = {here for _, here, why in ROWS if re.search(r"\basks\b|typed phrase", why)}
    assert {name for name in asking if entries()[name].ability.risk.label in {"read", "write"}} == set()
