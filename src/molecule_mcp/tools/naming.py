"""Which workspaces a name may mean: candidates to choose from, and never a choice.

Contract: list_workspaces (WorkspaceListItem); names are not unique, and are whatever somebody wrote.
"""

import difflib
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from molecule_mcp.tools.kinds import Answer, Text

LIST = "GET /workspaces"
"""Where the names are read."""

KEYS = "GET /org/tokens"
"""Where the labels of organization keys are read."""

SHOWN = 100
"""Characters of a name that are shown: somebody else wrote it, as long as they liked."""


class Known(Answer):
    """What tells one workspace from another."""

    id: str
    name: Text
    status: str
    parent_id: str | None = None


class KnownKey(Answer):
    """What tells one organization key from another."""

    id: str
    name: Text = ""
    prefix: str


class KnownKeys(Answer):
    """The organization's keys."""

    tokens: list[KnownKey]


class Candidate(Answer):
    """A workspace that may be meant."""

    id: str
    name: Text
    status: str
    under: Annotated[Text, Field(description="Name of its parent.")] = ""


Listed = TypeVar("Listed", bound=Known)


def called(rows: Sequence[Listed], name: str) -> list[Listed]:
    """Rows of this very name, or where there is none, of it in any case."""
    return [row for row in rows if row.name == name] or [row for row in rows if row.name.casefold() == name.casefold()]


def near(rows: Sequence[Listed], name: str) -> list[Listed]:
    """Rows whose name holds every word of this one, those of the very name first; else those spelled alike."""
    wanted = name.casefold()
    words = wanted.split()
    found = [row for row in rows if all(word in row.name.casefold() for word in words)]
    return sorted(found, key=lambda row: row.name.casefold() != wanted) or alike(rows, name)


def alike(rows: Sequence[Listed], name: str) -> list[Listed]:
    """Rows whose name differs by a few letters."""
    wanted = name.casefold()
    return [row for row in rows if difflib.SequenceMatcher(None, wanted, row.name.casefold()).ratio() >= 0.6]


def under(rows: Sequence[Known]) -> Callable[[Known], str]:
    """Tells the name of a row's parent, "" when it has none among these."""
    names = {row.id: row.name for row in rows}
    return lambda row: names.get(row.parent_id or "", "")


def candidates(rows: Sequence[Known], found: Sequence[Known]) -> list[Candidate]:
    """Some of the rows as somebody can choose from them."""
    parent = under(rows)
    return [
        Candidate(id=row.id, name=row.name[:SHOWN], status=row.status[:SHOWN], under=parent(row)[:SHOWN])
        for row in found
    ]
