"""Kinds of argument and text: what they take, and what they take out."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests import hostile

from molecule_mcp.tools.kinds import (
    HIDDEN,
    Answer,
    Cursor,
    Limit,
    NewName,
    OptionalWorkspaceId,
    Text,
    WorkspaceId,
    WorkspaceRef,
    clean,
    clean_data,
)

ID = "0a1b2c3d-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Support Lead (EU)", "Support Lead (EU)"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Z\u00fcrich \u2013 \u6771\u4eac \u05d0\u05d1", "Z\u00fcrich \u2013 \u6771\u4eac \u05d0\u05d1"),
        ("a\r\nb", "a\nb"),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\u202eb\u2066c\u200fd", "abcd"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("a\u2028b\u2029c\u0085d", "abcd"),
        ("hi\U000e0068\U000e0069\U000e007f", "hi"),
        ("hi\ufe00\ufe0f\U000e0100\U000e01ef", "hi"),
        ("a\u3164b\u115fc\u2800d", "abcd"),
        ("a\ud800b\ue000c", "abc"),
    ],
)
def test_text_loses_what_steers_or_hides_and_keeps_what_is_read(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(hostile.names)
def test_cleaned_text_holds_nothing_hidden_and_is_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not [each for each in cleaned if each not in "\n\t" and unicodedata.category(each) in HIDDEN]


letters = st.characters(categories=["L", "N", "P"], exclude_characters="\u115f\u1160\u3164\uffa0")


@given(st.text(letters | st.sampled_from(" \n\t")))
def test_letters_of_any_script_stay(text: str) -> None:
    assert clean(text) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | hostile.texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile.texts, inner, max_size=3),
    max_leaves=8,
)


def strings(value: Any) -> list[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]  # pyright: ignore
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]  # pyright: ignore[reportUnknownVariableType]
    return [value] if isinstance(value, str) else []


@given(json_values)
def test_data_is_cleaned_in_every_depth_and_in_its_names(value: Any) -> None:
    assert all(text == clean(text) for text in strings(clean_data(value)))


def test_cleaned_data_keeps_its_form() -> None:
    value: dict[str, Any] = {"a\u200b": ["x\u202e", 1, 2.5, True, None, {"b": "y\x1b"}], "c": {}}
    assert clean_data(value) == {"a": ["x", 1, 2.5, True, None, {"b": "y"}], "c": {}}


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
