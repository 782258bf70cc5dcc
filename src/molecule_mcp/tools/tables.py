"""Pages of long lists: cut by rows and by bytes, at the border of a row, with how to go on."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from molecule_mcp.errors import ArgumentError
from molecule_mcp.tools.kinds import Answer

PAGE_BYTES = 25_000
"""Bytes that the rows of one answer take as JSON at most, so that an answer fits into a model's context."""


class Identified(Protocol):
    """A row that says which it is, uniquely in its list."""

    @property
    def id(self) -> str:
        """What a cursor says of it."""
        ...


Row = TypeVar("Row", bound=Identified)


class Part(NamedTuple):
    """One page: the number of its first row in the list, its rows as they are told, the cursor of the next page."""

    start: int
    rows: list[Any]
    next_cursor: str | None


def paged(
    rows: Sequence[Row],
    limit: int,
    cursor: str,
    told: Callable[[Row], Any],
    *,
    most: int = PAGE_BYTES,
) -> Part:
    """The page after the row whose `id` the cursor is; at least one row, and no more than fit.

    Args:
        told: A row as the answer has it: a list of cells, or a model.
        most: Bytes of JSON that the rows may take.
    Raises: ArgumentError when the cursor's row is gone; the list has to be started over.
    """
    start = 0
    if cursor:
        place = next((index for index, row in enumerate(rows) if row.id == cursor), None)
        if place is None:
            raise ArgumentError("cursor is of no row in this list", advice="Start over without a cursor.")
        start = place + 1
    shown = fitting([told(row) for row in rows[start : start + limit]], most)
    end = start + len(shown)
    return Part(start, shown, rows[end - 1].id if shown and end < len(rows) else None)


class Listing(Answer):
    """A page of a table: `rows[i][j]` belongs to `columns[j]`; columns without any value are left out."""

    columns: list[str]
    rows: list[list[Any]]
    next_cursor: str | None = None
    note: str | None = None


def listing(
    rows: Sequence[Row],
    limit: int,
    cursor: str,
    columns: Sequence[str],
    told: Callable[[Row], Sequence[Any]],
    note: str | None = None,
) -> Listing:
    """A page of a list as a table, without the columns that hold nothing on it.

    Args:
        told: The cells of a row, by the columns; None and "" hold nothing.
    Raises: ArgumentError as `paged`.
    """
    page = paged(rows, limit, cursor, lambda row: list(told(row)))
    kept = [place for place in range(len(columns)) if any(row[place] not in (None, "") for row in page.rows)]
    return Listing(
        columns=[columns[place] for place in kept],
        rows=[[row[place] for place in kept] for row in page.rows],
        next_cursor=page.next_cursor,
        note=note,
    )


def fitting(entries: list[Any], most: int = PAGE_BYTES) -> list[Any]:
    """The longest beginning of a list that takes no more bytes as JSON; one entry always fits."""
    if weight(entries) <= most:
        return entries
    left = most - 1  # the brackets, less the comma that the last has not
    for number, entry in enumerate(entries):
        left -= weight(entry) + 1
        if left < 0:
            return entries[: max(1, number)]
    return entries


def weight(value: Any) -> int:
    """Bytes of a value in an answer's JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=plain).encode("utf-8", "replace"))


def plain(value: Any) -> Any:
    """A model as an answer has it.

    Raises: TypeError for what no answer can hold.
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(f"{type(value).__name__} is no JSON value")
