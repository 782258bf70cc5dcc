"""The written forms: one text per value, and back."""

from types import MappingProxyType

import pytest
from tests.store import making

from molecule_mcp.store import forms
from molecule_mcp.store.records import Question


def test_equal_values_have_one_text() -> None:
    one = {"b": [1, 2.5, None], "a": {"y": "\u00e9", "x": True}}
    other = MappingProxyType({"a": MappingProxyType({"x": True, "y": "\u00e9"}), "b": (1, 2.5, None)})
    assert forms.canonical(one) == forms.canonical(other) == '{"a":{"x":true,"y":"\\u00e9"},"b":[1,2.5,null]}'


@pytest.mark.parametrize(("value", "kind"), [({1, 2}, "set"), (object(), "object"), (b"bytes", "bytes")])
def test_what_is_not_json_has_no_text(value: object, kind: str) -> None:
    with pytest.raises(TypeError, match=f"^{kind} is not JSON$"):
        forms.canonical({"value": value})


def test_a_number_that_is_none_has_no_text() -> None:
    with pytest.raises(ValueError, match="JSON"):
        forms.canonical(float("nan"))


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = making.plan(1, making.step(0), making.step(1))
    assert forms.plan_from(forms.canonical(forms.plan_fields(plan))) == plan


def test_an_intent_is_read_back_as_it_was_written_and_nothing_else_is_one() -> None:
    assert forms.intent_from(forms.canonical(forms.flat(making.intent()))) == making.intent()
    assert [forms.intent_from(text) for text in ("{", "{}", "[]", "null", '{"client": 1}')] == [None] * 5


def test_what_others_may_have_written_is_masked_and_nothing_that_is_looked_up_again() -> None:
    body = {"id": "a", "client": "a", "targets": ("a", "b"), "status": 1, "note": None, "exact": True, "new": "a"}
    assert forms.masked(body, lambda text: text.replace("a", "*")) == {
        **body, "client": "*", "targets": ["*", "b"], "new": "*"
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "plan",
        "plan_id",
        "call",
        "intent",
        "code",
        "digest",
        "body_digest",
        "arguments_digest",
        "signature",
        "signed_by",
        "counted_under",
        "tool",
        "family",
        "risk",
        "principal",
        "profile",
        "origin",
        "method",
        "kind",
        "grant",
        "answer",
        "state",
        "verdict",
        "reason",
    ],
)
def test_what_is_looked_up_again_stays_whatever_a_secret_is_like(name: str) -> None:
    assert forms.masked({name: "a"}, lambda _: "*") == {name: "a"}


def test_a_plan_with_a_phrase_is_read_back_with_it() -> None:
    question = Question(("Purge",), ("allow",), "leaf-acba", ("w0",), ("w1", "w0"))
    plan = making.plan(question=question)
    assert forms.plan_from(forms.canonical(forms.plan_fields(plan))) == plan


def test_a_code_is_found_however_it_is_typed() -> None:
    assert forms.plain_code("7f3k-92qd") == forms.plain_code("7F3K 92QD") == "7F3K92QD"
    assert forms.plain_code("OIL0-1100") == "01101100"


def test_a_fingerprint_is_sixteen_digits_in_four_groups() -> None:
    assert forms.fingerprint(b"") == "e3b0-c442-98fc-1c14"


def test_a_code_is_drawn_of_thirty_two_signs_and_no_two_of_them_are_misread() -> None:
    assert len(forms.ALPHABET) == len(set(forms.ALPHABET)) == 32
    assert forms.plain_code(forms.ALPHABET) == forms.ALPHABET


@pytest.mark.parametrize("fault", [ValueError("x"), TypeError("x"), KeyError("x"), RecursionError("x")])
def test_whatever_is_wrong_with_a_stored_text_is_damage(fault: Exception) -> None:
    with pytest.raises(forms.DamagedError, match=f"^{type(fault).__name__}$") as found, forms.stored():
        raise fault
    assert found.value.__cause__ is fault
