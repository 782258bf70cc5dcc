"""What a client's form answer means. Anything but an exact yes is a no; an empty accept never passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from molecule_mcp.gate.question import LEAVE
from molecule_mcp.store.records import Question


@dataclass(frozen=True)
class FormAnswer:
    """What came back from the client: its action, and the fields of the form.

    Args:
        plan_id: The plan the question belonged to.
        action: "accept", "decline" or "cancel".
        content: The form's fields; empty unless accepted.
    """

    plan_id: str
    action: str
    content: Mapping[str, Any]


def form(question: Question) -> dict[str, Any]:
    """The JSON schema of the form: no defaults, so that an untouched form says nothing."""
    if question.phrase is not None:
        field = {"phrase": {"type": "string", "title": "Type the phrase", "maxLength": 64}}
    elif question.answers == ("allow",):
        field = {"allow": {"type": "boolean", "title": "Allow exactly this"}}
    else:
        field = {"decision": {"type": "string", "title": "Decision", "enum": list(question.answers)}}
    return {"type": "object", "properties": field, "required": list(field)}


def meaning(question: Question, answer: FormAnswer) -> tuple[str | None, str]:
    """The allowed answer, or None and why it is a no.

    Returns: (one of the question's answers, "") or (None, reason: "declined", "cancelled", "not_confirmed", "left").
    """
    if answer.action != "accept":
        return None, "cancelled" if answer.action == "cancel" else "declined"
    [name] = form(question)["required"]
    value = answer.content[name] if set(answer.content) == {name} else None
    if name == "decision":
        chosen = next((each for each in question.answers if each == value), None)
        return (None, "left") if chosen == LEAVE else (chosen, "" if chosen else "not_confirmed")
    yes = value is True if question.phrase is None else value == question.phrase
    return ("allow", "") if yes else (None, "not_confirmed")
