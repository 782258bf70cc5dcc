"""Pages of long lists."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from molecule_mcp.errors import ArgumentError
from molecule_mcp.tools.tables import fitting, paged, weight


@dataclass
class Named:
    id: str


class Told(BaseModel):
    text: str
    gone: str | None = None


ROWS = [Named(str(number)) for number in range(10)]


@given(st.integers(1, 12), st.integers(1, 60))
def test_the_pages_together_are_the_list_in_its_order(limit: int, most: int) -> None:
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = paged(ROWS, limit, cursor, lambda row: [row.id, "x" * 7], most=most)
        assert page.start == len(seen)
        assert 1 <= len(page.rows) <= limit
        assert weight(page.rows) <= most or len(page.rows) == 1
        seen += page.rows
        cursor = page.next_cursor
    assert [row[0] for row in seen] == [row.id for row in ROWS]


def test_an_empty_list_is_one_empty_page() -> None:
    assert paged(list[Named](), 5, "", lambda row: row.id) == (0, [], None)


def test_a_cursor_of_a_row_that_is_gone_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no row in this list"):
        paged(ROWS, 5, "77", lambda row: row.id)


def test_as_many_entries_as_possible_fit() -> None:
    assert fitting(["aaaa", "bbbb", "cccc"], 15) == ["aaaa", "bbbb"]
    assert fitting(["aaaa", "bbbb", "cccc"], 22) == ["aaaa", "bbbb", "cccc"]


def test_bytes_are_those_of_the_answer() -> None:
    assert weight(Told(text="ä")) == len('{"text":"ä"}'.encode())
    with pytest.raises(TypeError, match="set is no JSON value"):
        weight({1})
