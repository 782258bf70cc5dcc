"""How bodies are read."""

from typing import Any

import pytest

from molecule_mcp.embedded.bodies import (
    BadBody,
    anything,
    array,
    boolean,
    decode,
    integer,
    mapping,
    number,
    parse,
    struct,
    text,
    texts,
)


def test_text_after_the_first_value_and_unknown_fields_are_ignored() -> None:
    assert decode(b' {"a": 1, "z": 2} trailing', {"a": integer}) == {"a": 1}


def test_field_names_match_without_regard_to_case_and_null_leaves_a_field_out() -> None:
    assert decode(b'{"NAME": "x", "role": null}', {"name": text, "role": text}) == {"name": "x"}


@pytest.mark.parametrize("body", [b"", b"nope", b"NaN", b'{"a": Infinity}', b"[" * 100000, b'"text"', b"[1]"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        decode(body, {"a": anything})


def test_what_no_utf8_text_can_hold_is_replaced() -> None:
    assert parse(b'{"a": ["\\ud800", 1], "b\\udfff": "\\ud83d\\ude00"}') == {
        "a": ["\ufffd", 1],
        "b\ufffd": "\U0001f600",
    }
    assert parse(b'"\xff"') == "\ufffd"


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (text, "x", "x"),
        (boolean, True, True),
        (integer, -5, -5),
        (number, 2, 2.0),
        (mapping, {"a": 1}, {"a": 1}),
        (texts, {"a": "b", "c": None}, {"a": "b", "c": ""}),
        (anything, [1], [1]),
        (array(text), ["a"], ["a"]),
        (struct({"a": text}), {"A": "b"}, {"a": "b"}),
    ],
)
def test_a_value_of_its_kind_is_taken(kind: Any, value: Any, read: Any) -> None:
    assert kind(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (text, 1),
        (boolean, 1),
        (integer, True),
        (integer, 1.0),
        (integer, 2**63),
        (number, True),
        (number, "1"),
        (number, 10**400),
        (mapping, []),
        (texts, {"a": 1}),
        (array(text), "ab"),
        (array(text), [1]),
        (struct({"a": text}), {"a": 1}),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(BadBody):
        kind(value)
