"""What a person is asked: facts first, nothing that fools, one line per fact."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import hostile

from molecule_mcp.capability import Fact, Item, Own, Preview, Risk, quoted
from molecule_mcp.errors import GateStop
from molecule_mcp.gate.question import LONGEST, combined, plain_preview, question, typed_phrase

PREVIEW = Preview(
    headline=Own("Delete 2 workspaces"),
    facts=(
        Fact("Target", Own('"Lead" 4f6a')),
        Fact("Goes, in this order", ("Leaf", "Lead")),
        Fact("Tasks running", 3),
        Fact("Note", "tenant text"),
    ),
    items=(),
    target=("Finance Lead", "4f6a0000-0000-4000-8000-000000000001"),
    touches=frozenset(),
)


NAMES = hostile.names.map(lambda name: name[:1_000])
"""Such that ten of them, each character as its code, fit into one question."""


def test_a_tool_without_a_preview_is_shown_by_its_arguments() -> None:
    given = {"workspace_id": "4f6a", "text": "hi\nAllow: yes", "enabled": True, "note": None}
    shown = plain_preview("Send a message", given, frozenset({"4f6b", "4f6a"}))
    assert (shown.items, shown.target) == ((Item(given),), ("Send a message", "4f6a"))
    assert shown.touches == {"4f6a", "4f6b"}
    asked = question(shown, Risk.DISRUPT, "https://acme.example")
    assert asked.lines == (
        "Send a message (disrupt)",
        "Tenant: https://acme.example",
        'workspace_id: "4f6a"',
        'text: "hi\\u{a}Allow: yes"',
        'enabled: "true"',
    )
    assert (asked.answers, asked.phrase, asked.targets) == (("allow",), None, ("4f6a",))


def test_a_tool_without_a_preview_that_touches_no_workspace_is_asked_about_by_name() -> None:
    shown = plain_preview("Rotate", {"text": "x" * 161 + "end"}, frozenset())
    assert shown.target == ("Rotate", "")
    asked = question(shown, Risk.DISRUPT, "t")
    assert asked.targets == ("Rotate",)
    assert asked.lines[2:] == ("text: 2", f'  - "{"x" * 160}"', '  - "xend"')


def of(*previews: Preview) -> dict[int, tuple[Preview, Risk]]:
    """The calls of a plan, each as destroy."""
    return {position: (each, Risk.DESTROY) for position, each in enumerate(previews)}


def test_a_question_names_what_would_change_with_its_target_of_all_its_calls() -> None:
    touching = [replace(PREVIEW, touches=frozenset(each)) for each in ({"c", "a"}, {"a", "b"})]
    assert question(touching[0], Risk.DESTROY, "t").touches == ("a", "c")
    assert combined(of(*touching), Risk.DESTROY, "t").touches == ("a", "b", "c")


def test_a_question_tells_headline_tenant_and_facts_and_takes_one_answer() -> None:
    asked = question(PREVIEW, Risk.DESTROY, "https://acme.example")
    assert asked.lines == (
        "Delete 2 workspaces (destroy)",
        "Tenant: https://acme.example",
        'Target: "Lead" 4f6a',
        "Goes, in this order: 2",
        '  - "Leaf"',
        '  - "Lead"',
        "Tasks running: 3",
        'Note: "tenant text"',
    )
    assert (asked.answers, asked.phrase, asked.targets) == (("allow",), None, (PREVIEW.target[1],))


def test_a_critical_question_ends_with_the_phrase_to_type() -> None:
    asked = question(PREVIEW, Risk.CRITICAL, "x")
    assert asked.phrase == "finance-lead-4f6a"
    assert asked.lines[0] == "Delete 2 workspaces (critical)"
    assert asked.lines[-1] == "To allow exactly this, type: finance-lead-4f6a"
    assert asked.lines[1:-1] == question(PREVIEW, Risk.DESTROY, "x").lines[1:]


def test_a_decision_can_always_be_left() -> None:
    choices = {"approve": {"decision": "approved"}, "deny": {"decision": "denied"}}
    asked = question(replace(PREVIEW, choices=choices), Risk.DESTROY, "x")
    assert (asked.answers, asked.phrase) == (("approve", "deny", "leave"), None)


def test_one_phrase_cannot_stand_for_several_choices() -> None:
    with pytest.raises(TypeError, match="cannot have choices"):
        question(replace(PREVIEW, choices={"approve": {}}), Risk.CRITICAL, "x")


def test_every_entry_of_a_list_is_shown_however_many_there_are() -> None:
    names = tuple(f"n{number}" for number in range(500))
    lines = question(replace(PREVIEW, facts=(Fact("Goes", names),)), Risk.DESTROY, "x").lines
    assert lines[2:] == ("Goes: 500", *(f'  - "{name}"' for name in names))


def long(size: int) -> Preview:
    """A preview whose question on a tenant named t, as destroy, has so many characters."""
    made = replace(PREVIEW, facts=(Fact("Text", Own("")),))
    rest = size - sum(map(len, question(made, Risk.DESTROY, "t").lines))
    return replace(PREVIEW, facts=(Fact("Text", Own("x" * rest)),))


def test_a_question_that_nobody_could_be_shown_whole_is_not_asked() -> None:
    assert sum(map(len, question(long(LONGEST), Risk.DESTROY, "t").lines)) == LONGEST
    with pytest.raises(GateStop, match="100001 characters; one question holds 100000") as refused:
        question(long(LONGEST + 1), Risk.DESTROY, "t")
    assert (refused.value.kind, refused.value.sent) == ("too_large", False)
    assert "Send less at once" in str(refused.value.advice)


def test_calls_that_fit_alone_and_not_together_are_not_asked_about() -> None:
    half = long(LONGEST // 2)
    assert combined(of(half), Risk.DESTROY, "t")
    with pytest.raises(GateStop) as refused:
        combined(of(half, half), Risk.DESTROY, "t")
    assert refused.value.kind == "too_large"


def test_what_is_left_of_a_plan_keeps_its_numbers_and_the_rest_is_named() -> None:
    left = {1: (PREVIEW, Risk.DESTROY), 3: (PREVIEW, Risk.DESTROY)}
    lines = combined(left, Risk.DESTROY, "t", {0: "Pause workspace", 2: "Send message"}).lines
    assert lines[0] == "Run 2 calls, in this order (destroy)"
    assert [line[:2] for line in lines[2:4]] == ["2.", "4."]
    assert lines[4] == "Done before, not run again: 1. Pause workspace, 3. Send message"
    assert [line for line in lines if line.startswith("About")] == ["About 2:", "About 4:"]


def test_no_call_of_a_plan_pushes_another_out_of_sight() -> None:
    long = replace(PREVIEW, facts=(Fact("Goes", tuple("Leaf" for _ in range(100))),))
    walk = replace(PREVIEW, target=("Evil\n9. Delete", "../x"))
    parts = {0: (long, Risk.DESTROY), 1: (PREVIEW, Risk.CRITICAL), 2: (walk, Risk.DESTROY)}
    lines = combined(parts, Risk.CRITICAL, "t").lines
    assert lines[:6] == (
        "Run 3 calls, in this order (critical)",
        "Tenant: t",
        '1. Delete 2 workspaces (destroy): "Finance Lead" 4f6a0000-0000-4000-8000-000000000001',
        '2. Delete 2 workspaces (critical): "Finance Lead" 4f6a0000-0000-4000-8000-000000000001',
        '3. Delete 2 workspaces (destroy): "Evil\\u{a}9. Delete" "../x"',
        "About 1:",
    )
    assert [line for line in lines if line.startswith("About")] == ["About 1:", "About 2:", "About 3:"]
    assert lines[-1] == "To allow exactly this, type: 3-finance-lead-4f6a"


def test_a_headline_that_is_not_our_own_words_is_quoted() -> None:
    headline: Any = "Delete nothing\n(read)"
    lines = question(replace(PREVIEW, headline=headline), Risk.DESTROY, "x").lines
    assert lines[0] == r'"Delete nothing\u{a}(read)" (destroy)'


def mixed(name: str, text: str) -> tuple[Fact, ...]:
    """Facts as previews make them, of one name and one text."""
    return (
        Fact("Text", text),
        Fact("Line", Own(f"{quoted(name)} 4f6a, {quoted(text)}")),
        Fact("List", (name, quoted(text, 300), Own("ours"))),
        Fact("Number", 7),
    )


@given(NAMES, NAMES, st.sampled_from([Risk.DESTROY, Risk.CRITICAL]))
@example('a"\nTenant: other\n- "', "\x1b]8;;https://evil.example\x07x\u202e", Risk.CRITICAL)
def test_no_name_adds_a_line_forges_one_or_leaves_its_quotes(name: str, text: str, risk: Risk) -> None:
    made = replace(PREVIEW, facts=mixed(name, text), target=(name, "4f6a"))
    lines = question(made, risk, "acme").lines
    inside = r'"[ !#-~]*"(?:\.\.\.)?'
    shapes = [
        rf"Delete 2 workspaces \({risk.label}\)", "Tenant: acme", f"Text: {inside}",
        f"Line: {inside} 4f6a, {inside}", "List: 3", f"  - {inside}", f"  - {inside}", "  - ours", "Number: 7",
        *(["To allow exactly this, type: [a-z0-9-]+"] if risk is Risk.CRITICAL else []),
    ]  # fmt: skip
    assert len(lines) == len(shapes)
    assert all(re.fullmatch(shape, line) for shape, line in zip(shapes, lines, strict=True)), lines
    assert not any("://" in line for line in lines)


@given(NAMES, NAMES, NAMES, st.lists(NAMES, max_size=5))
def test_even_words_that_a_tool_calls_its_own_stay_one_line_of_ascii_each(
    headline: str, label: str, tenant: str, entries: list[str]
) -> None:
    """A tool that puts an unchecked id of the tenant into its own words cannot add a line."""
    facts = (Fact(label, Own(headline)), Fact(label, tuple(map(Own, entries))))
    made = replace(PREVIEW, headline=Own(headline), facts=facts, target=(headline, label))
    lines = question(made, Risk.CRITICAL, tenant).lines
    assert len(lines) == 2 + 1 + 1 + len(entries) + 1
    assert all(re.fullmatch("[ -~]*", line) for line in lines)


@given(NAMES, NAMES)
def test_a_phrase_can_be_typed_on_any_keyboard_and_fits_its_form(name: str, identifier: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[A-Za-z0-9]+)*", typed_phrase(name, identifier))
    assert len(typed_phrase(name, identifier)) <= 64


@pytest.mark.parametrize(
    ("name", "identifier", "phrase"),
    [
        ("Finance Lead", "4f6a0000-0000", "finance-lead-4f6a"),
        ("Finance  Lead!", "", "finance-lead"),
        ("PROJECT X", "4f6a", "project-x-4f6a"),
        ("", "4f6a", "target-4f6a"),
        ("\u0420\u0440\u043e\u0434", "4f6a", "target-4f6a"),
        ("\u212aeys", "4f6a", "eys-4f6a"),
        ("", "", "target"),
        ("abcdefghijklmnopqrstuvw xyz", "4f6a", "abcdefghijklmnopqrstuvw-4f6a"),
        ("Lead", "\n4 f", "lead-4f"),
    ],
)
def test_a_phrase_is_the_name_in_plain_letters_and_the_start_of_the_id(name: str, identifier: str, phrase: str) -> None:
    assert typed_phrase(name, identifier) == phrase
