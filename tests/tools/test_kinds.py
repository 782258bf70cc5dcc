"""Kinds of argument and text: what they take."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from molecule_mcp.tools.kinds import (
    Answer,
    Cursor,
    Limit,
    NewName,
    OptionalWorkspaceId,
    Text,
    WorkspaceId,
    WorkspaceRef,
)

ID = "0a1b2c3d-0000-4000-8000-00000000abcd"


def taken(kind: Any, value: Any) -> Any:
    """A value as a strict argument of a kind, or None when it is refused."""
    try:
        return TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return None


@pytest.mark.parametrize("kind", [WorkspaceId, OptionalWorkspaceId])
def test_an_id_is_a_whole_uuid_and_comes_out_in_lower_case(kind: Any) -> None:
    assert taken(kind, ID) == taken(kind, ID.upper()) == ID
    for wrong in ("Finance Lead", ID[:-1], f"{ID}0", f" {ID}", f"{ID}\n", f"{ID}\n{ID}", f"..%2f{ID}", 7):
        assert taken(kind, wrong) is None
    assert taken(kind, ID.replace("0", "\u0660")) is None


def test_only_an_optional_id_may_be_empty() -> None:
    assert taken(OptionalWorkspaceId, "") == ""
    assert taken(WorkspaceId, "") is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (WorkspaceRef, "Finance Lead"),
        (WorkspaceRef, "x" * 255),
        (Limit, 1),
        (Limit, 200),
        (Cursor, ""),
        (Cursor, "x" * 64),
        (NewName, ""),
        (NewName, "Finance Lead (EU)"),
    ],
)
def test_a_value_within_the_limits_is_taken(kind: Any, value: Any) -> None:
    assert taken(kind, value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (WorkspaceRef, ""),
        (WorkspaceRef, "x" * 256),
        (Limit, 0),
        (Limit, 201),
        (Limit, "5"),
        (Cursor, "x" * 65),
        (NewName, "x" * 256),
        (NewName, "two\nlines"),
        (NewName, "{{template}}"),
    ],
)
def test_a_value_beyond_the_limits_is_refused(kind: Any, value: Any) -> None:
    assert taken(kind, value) is None


class Named(Answer):
    """An answer with one text."""

    name: Text


def test_an_answer_drops_what_it_does_not_know_and_cleans_its_text() -> None:
    assert Named.model_validate({"name": "a\u202eb", "new": 1}).model_dump() == {"name": "ab"}
