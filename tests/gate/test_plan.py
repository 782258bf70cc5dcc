"""What binds a plan to a call, and when what was shown still stands."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecule_mcp.capability import Item, Own, Preview
from molecule_mcp.gate.plan import LIFETIME, bound_text, fingerprint, still
from molecule_mcp.store.records import Step

STEP = Step("allow", 0, {"workspace_id": "a", "purge": False}, "DELETE", "/workspaces/a", "", {"id": "a", "name": "A"})
ITEM = Item(STEP.arguments, STEP.facts)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), json_values, max_size=4)


def preview(*items: Item, **choices: dict[str, Any]) -> Preview:
    return Preview(Own("Test"), (), items, ("x", ""), frozenset(), choices)


def test_a_plan_and_a_yes_to_it_stay_good_for_ten_minutes() -> None:
    assert LIFETIME == 600


def test_arguments_in_another_order_are_the_same_call() -> None:
    assert bound_text("p", "r", "o", "t", {"a": 1, "b": [2]}) == bound_text("p", "r", "o", "t", {"b": [2], "a": 1})


calls = st.tuples(st.text(), st.text(), st.text(), st.text(), objects)


@given(calls, calls)
def test_only_the_same_call_is_bound_by_the_same_text(one: Any, other: Any) -> None:
    assert (bound_text(*one) == bound_text(*other)) == (repr_of(one) == repr_of(other))


@given(calls, st.integers(0, 3))
def test_a_call_of_another_principal_profile_origin_or_tool_is_another(call: Any, place: int) -> None:
    changed = [*call]
    changed[place] += "x"
    assert bound_text(*changed) != bound_text(*call)


def repr_of(value: Any) -> Any:
    """A value that equals another only when both are one: kinds are told apart, orders of objects are not."""
    if isinstance(value, dict):
        return sorted((name, repr_of(part)) for name, part in value.items())  # pyright: ignore
    if isinstance(value, list | tuple):
        return [repr_of(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
    return repr(value)


def test_what_is_not_json_binds_nothing() -> None:
    with pytest.raises(TypeError, match="is not JSON"):
        bound_text("p", "r", "o", "t", {"a": object()})


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "deny"},
        {"index": 1},
        {"arguments": {"workspace_id": "a", "purge": True}},
        {"method": "POST"},
        {"path": "/workspaces/a?confirm=true"},
        {"body_digest": "00"},
        {"facts": {"id": "a", "name": "B"}},
        {"facts": {"id": "a", "name": "A", "schedules": []}},
        {"facts": {}},
    ],
)
def test_a_step_with_anything_changed_is_no_longer_what_was_shown(change: dict[str, Any]) -> None:
    assert fingerprint([replace(STEP, **change)]) != fingerprint([STEP])


def test_more_fewer_or_reordered_steps_are_no_longer_what_was_shown() -> None:
    second = replace(STEP, index=1, path="/workspaces/b")
    found = [fingerprint(steps) for steps in ([], [STEP], [STEP, second], [second, STEP], [STEP, STEP])]
    assert len(set(found)) == len(found)


def test_facts_read_again_in_another_order_are_still_what_was_shown() -> None:
    assert fingerprint([replace(STEP, facts={"name": "A", "id": "a"})]) == fingerprint([STEP])


def test_a_step_that_is_shown_alone_and_equal_still_stands() -> None:
    assert still(STEP, preview(ITEM))


@pytest.mark.parametrize(
    "items",
    [
        (),
        (ITEM, ITEM),
        (Item({"workspace_id": "b", "purge": False}, STEP.facts), ITEM),
        (Item({"workspace_id": "b", "purge": False}, STEP.facts),),
        (Item({"workspace_id": "a"}, STEP.facts),),
        (Item({}, STEP.facts),),
        (Item({**STEP.arguments, "force": True}, STEP.facts),),
        (Item(STEP.arguments, {"id": "a", "name": "renamed"}),),
        (Item(STEP.arguments, {**STEP.facts, "channels": ["new"]}),),
        (Item(STEP.arguments, {}),),
    ],
)
def test_a_step_that_shows_anything_else_no_longer_stands(items: tuple[Item, ...]) -> None:
    assert not still(STEP, preview(*items))


def test_what_the_answer_set_belongs_to_the_step_of_that_answer_only() -> None:
    step = replace(STEP, answer="deny", arguments={**STEP.arguments, "decision": "denied"})
    choices = {"approve": {"decision": "approved"}, "deny": {"decision": "denied"}}
    assert still(step, preview(ITEM, **choices))
    assert not still(replace(step, answer="approve"), preview(ITEM, **choices))
    assert not still(step, preview(ITEM, approve={"decision": "approved"}))


@given(objects, objects, objects)
def test_only_equal_arguments_and_facts_still_stand(arguments: Any, facts: Any, others: Any) -> None:
    step = replace(STEP, arguments=arguments, facts=facts)
    assert still(step, preview(Item(arguments, facts)))
    assert still(step, preview(Item(others, facts))) == (repr_of(others) == repr_of(arguments))
    assert still(step, preview(Item(arguments, others))) == (repr_of(others) == repr_of(facts))
