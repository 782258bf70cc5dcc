"""What people ask is answered as tests/questions.toml says, over a real client: `make questions` prints it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.calls.questions import asking, questions, row
from tests.calls.records import filled
from tests.calls.tables import spread

PARTS = 2
"""Servers that share the questions, so that two processors have work."""


def test_there_are_enough_questions_and_none_twice() -> None:
    asked = [each.asked for each in questions()]
    assert len(asked) >= 60
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_question_is_answered_as_its_row_says(tmp_path: Path, part: int) -> None:
    wrong = list[str]()
    async with asking(tmp_path) as started:
        for each in questions()[part::PARTS]:
            wrong += [f"{each.asked}: {what}" for what in (await started.outcome(each)).wrong]
    assert not wrong, "\n".join(wrong)


async def test_a_row_that_is_not_so_is_noticed(tmp_path: Path) -> None:
    """One call, under rows that each say one thing that is not so; what one row changed is gone in the next."""
    renamed = "~ workspaces: Night Desk (name)"
    calls = [
        {"tool": "find_workspace", "name": "Night Shift"},
        {"tool": "update_workspace", "workspace_id": "@id of Night Shift", "name": "Night Desk"},
    ]
    good = row(asked="Rename Night Shift.", calls=calls, told=["Night Desk"], changed=[renamed])
    untrue: dict[str, dict[str, Any]] = {
        "does not tell Day Desk": {"told": ["Day Desk"]},
        "does not tell {'name': 'Day Desk'}": {"told": [{"name": "Day Desk"}]},
        "says 'Night Desk'": {"untold": ["Night Desk"]},
        f"changed too: {renamed}": {"changed": []},
        "not changed: + events: x": {"changed": [renamed, "+ events: x"]},
        "asks a person 0 times": {"person": ["yes"]},
        "does not show 'Night'": {"shown": ["Night"]},
        "is not told at the start: 'sesame'": {"known": ["sesame"]},
        "takes ": {"most": 10},
        "and a change was sent": {"refused": "declined"},
    }
    async with asking(tmp_path) as started:
        for place, (complaint, change) in enumerate({"": {}, **untrue}.items()):
            # Another role each time: an identical call would be answered with the first outcome.
            call = replace(good.calls[1], arguments={**good.calls[1].arguments, "role": f"Number {place}"})
            changed = [each.replace("(name)", "(name, role)") for each in change.get("changed", good.changed)]
            tried = replace(good, **{"calls": [good.calls[0], call], **change, "changed": changed})
            wrong = (await started.outcome(tried)).wrong
            assert [complaint.replace("(name)", "(name, role)") in each for each in wrong] == [True] * bool(complaint)


ANSWERS = [
    {"columns": ["id", "name"], "rows": [["1", "Reviewer"], ["2", "Reviewer"], ["3", "Writer"]]},
    {"items": [{"id": "4", "name": "Writer", "under": "Lead"}, {"id": "5", "name": "Writer", "under": "Boss"}]},
    {"file": "x.export"},
]


@pytest.mark.parametrize(
    ("reference", "value"),
    [("@file", "x.export"), ("@id of Writer & Boss", "5"), ("plain", "plain"), (["@id of Lead"], ["4"])],
)
def test_a_reference_is_what_an_earlier_answer_says(reference: object, value: object) -> None:
    assert filled(reference, ANSWERS) == value


@pytest.mark.parametrize("reference", ["@id of Reviewer", "@id of Writer", "@id of Nobody", "@size"])
def test_what_no_answer_says_or_says_twice_is_no_id(reference: str) -> None:
    with pytest.raises(LookupError):
        filled(reference, ANSWERS)


def test_a_line_in_braces_is_one_for_each_name() -> None:
    assert spread("+ events: {A, B} / X") == ["+ events: A / X", "+ events: B / X"]
    assert spread("+ org_tokens: A") == ["+ org_tokens: A"]
