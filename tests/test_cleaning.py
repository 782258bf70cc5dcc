"""Text of outsiders: what is taken out of it, and what stays."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecule_mcp.cleaning import HIDDEN, clean, clean_data
from tests import hostile


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
