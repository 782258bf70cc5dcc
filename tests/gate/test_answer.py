"""What a form's answer means: the exact yes, and everything else a no."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from molecule_mcp.gate.answer import FormAnswer, form, meaning
from molecule_mcp.gate.question import LEAVE
from molecule_mcp.store.records import Question

PLAIN = Question(("Delete 1 workspace",), ("allow",), None)
TYPED = Question(("Delete 2 workspaces",), ("allow",), "lead-4f6a")
CHOICE = Question(("Decide",), ("approve", "deny", LEAVE), None)
QUESTIONS = {"allow": PLAIN, "phrase": TYPED, "decision": CHOICE}
YES = {"allow": [True], "phrase": ["lead-4f6a"], "decision": ["approve", "deny"]}

AGREEING = [
    True, False, None, 1, 1.0, 0, "true", "True", "yes", "allow", "lead-4f6a", "LEAD-4F6A", " lead-4f6a", "lead-4f6a ",
    "lead", "", "approve", "deny", "leave", "Approve", "approved", "approve,deny", [True], ["approve"], {"allow": True},
    {"decision": "approve"},
]  # fmt: skip
"""What a careless comparison could take for a yes."""

values = st.recursive(
    st.sampled_from(AGREEING) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["allow", "phrase", "x"]), inner),
    max_leaves=5,
)
contents = st.dictionaries(st.sampled_from(["allow", "phrase", "decision", "Allow", "x", ""]), values, max_size=3)


def answered(question: Question, action: str, content: dict[str, Any]) -> tuple[str | None, str]:
    return meaning(question, FormAnswer("plan", action, content))


@pytest.mark.parametrize(
    ("question", "content", "answer"),
    [
        (PLAIN, {"allow": True}, "allow"),
        (TYPED, {"phrase": "lead-4f6a"}, "allow"),
        (CHOICE, {"decision": "approve"}, "approve"),
        (CHOICE, {"decision": "deny"}, "deny"),
    ],
)
def test_the_exact_answer_is_a_yes(question: Question, content: dict[str, Any], answer: str) -> None:
    assert answered(question, "accept", content) == (answer, "")


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("value", AGREEING, ids=repr)
def test_what_only_looks_like_the_answer_is_a_no(name: str, value: Any) -> None:
    chosen, why = answered(QUESTIONS[name], "accept", {name: value})
    exact = any(value == yes and type(value) is type(yes) for yes in YES[name])
    assert chosen == ((value if name == "decision" else "allow") if exact else None)
    assert why == ("" if exact else "left" if (name, value) == ("decision", LEAVE) else "not_confirmed")


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draws load what they draw from
@given(st.sampled_from(sorted(QUESTIONS)), contents)
@example("allow", {})
@example("allow", {"allow": True, "x": None})
@example("phrase", {"allow": True})
@example("decision", {"decision": "approve", "x": 1})
@example("decision", {"decision": LEAVE, "allow": True})
def test_no_content_but_the_exact_one_is_a_yes(name: str, content: dict[str, Any]) -> None:
    given_value = content.get(name)
    assume(not (len(content) == 1 and any(given_value is yes or given_value == yes for yes in YES[name])) or name == "")
    assert answered(QUESTIONS[name], "accept", content)[0] is None


@pytest.mark.parametrize(("action", "why"), [("decline", "declined"), ("cancel", "cancelled"), ("", "declined")])
@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_that_was_not_accepted_is_a_no_whatever_it_holds(name: str, action: str, why: str) -> None:
    for yes in YES[name]:
        assert answered(QUESTIONS[name], action, {name: yes}) == (None, why)


@given(st.sampled_from(sorted(QUESTIONS)), st.text() | st.sampled_from(["ACCEPT", "accepted", "accept ", "decline"]))
def test_no_action_but_accept_is_a_yes(name: str, action: str) -> None:
    assume(action != "accept")
    assert answered(QUESTIONS[name], action, {name: YES[name][0]})[0] is None


def test_a_person_who_leaves_it_has_answered_and_nothing_is_sent() -> None:
    assert answered(CHOICE, "accept", {"decision": LEAVE}) == (None, "left")


def test_an_answer_that_was_not_offered_is_a_no() -> None:
    assert answered(Question((), ("approve", LEAVE), None), "accept", {"decision": "deny"}) == (None, "not_confirmed")


def test_an_empty_phrase_does_not_turn_a_typed_question_into_a_tick() -> None:
    damaged = Question((), ("allow",), "")
    assert form(damaged)["required"] == ["phrase"]
    assert answered(damaged, "accept", {"allow": True})[0] is None


FIELDS: dict[str, dict[str, Any]] = {
    "allow": {"type": "boolean", "title": "Allow exactly this"},
    "phrase": {"type": "string", "title": "Type the phrase", "maxLength": 64},
    "decision": {"type": "string", "title": "Decision", "enum": ["approve", "deny", "leave"]},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_form_asks_for_one_field_that_must_be_filled_in_by_hand_and_does_not_say_how(name: str) -> None:
    assert form(QUESTIONS[name]) == {"type": "object", "properties": {name: FIELDS[name]}, "required": [name]}
