"""The question a person is asked: a fixed template, facts first, tenant text quoted, never the model's words.

Every line is printable ASCII, whatever a tool put into it. What the model wrote (the arguments) is shown only through
what the tenant says about it: names and ids from live reads.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from molecule_mcp.capability import UUID, Fact, Item, Own, Preview, Risk, exactly, in_full, printable, quoted
from molecule_mcp.errors import GateStop
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Question

LEAVE = "leave"
"""The answer of a decision form that sends nothing."""

LONGEST = 100_000
"""Characters of one question; what is longer is asked of nobody, since a part of it would be a yes to all of it."""

PLAIN = re.compile("[A-Za-z0-9]+")


def question(preview: Preview, risk: Risk, tenant: str) -> Question:
    """Render a preview.

    Args:
        tenant: The origin, or the name of the embedded tenant.
    Raises: TypeError when a critical plan has choices, since one typed phrase cannot say which; GateStop `too_large`.
    """
    if preview.choices and risk is Risk.CRITICAL:
        raise TypeError(f"{preview.headline}: a critical plan cannot have choices")
    lines = [f"{plain(preview.headline)} ({risk.label})", f"Tenant: {tenant}"]
    for fact in preview.facts:
        lines += shown(fact)
    answers = (*preview.choices, LEAVE) if preview.choices else ("allow",)
    phrase = typed_phrase(*preview.target) if risk is Risk.CRITICAL else None
    targets = (target_of(preview),)
    if phrase:
        lines.append(f"To allow exactly this, type: {phrase}")
    return Question(whole(lines), answers, phrase, targets, tuple(sorted(preview.touches)))


def combined(
    parts: Mapping[int, tuple[Preview, Risk]], risk: Risk, tenant: str, before: Mapping[int, str] | None = None
) -> Question:
    """Render several calls as one question; the phrase names the first critical one, and how many there are.

    What each does to what comes first, one line for each, so that the facts of one cannot push another out of sight.

    Args:
        parts: Each call by its position in the plan, from 0; answers number the same way, from 1.
        risk: The highest of the parts'.
        before: The titles of those that were done before, by position.
    Raises: GateStop `too_large`.
    """
    lines = [f"Run {len(parts)} {'call' if len(parts) == 1 else 'calls'}, in this order ({risk.label})"]
    lines.append(f"Tenant: {tenant}")
    for position, (preview, own) in parts.items():
        lines.append(f"{position + 1}. {plain(preview.headline)} ({own.label}): {aimed_at(preview)}")
    if before:
        told = ", ".join(f"{position + 1}. {title}" for position, title in before.items())
        lines.append(f"Done before, not run again: {told}")
    for position, (preview, _) in parts.items():
        lines.append(f"About {position + 1}:")
        lines += [f"   {line}" for fact in preview.facts for line in shown(fact)]
    phrase = None
    if risk is Risk.CRITICAL:
        name, identifier = next(preview.target for preview, own in parts.values() if own is risk)
        phrase = typed_phrase(f"{len(parts)} {name}", identifier)
        lines.append(f"To allow exactly this, type: {phrase}")
    targets = tuple(dict.fromkeys(target_of(preview) for preview, _ in parts.values()))
    touches = tuple(sorted({each for preview, _ in parts.values() for each in preview.touches}))
    return Question(whole(lines), ("allow",), phrase, targets, touches)


def whole(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines as a person may see them, all of them.

    Raises: GateStop `too_large` when they are more than one question holds: nothing of it is left out instead.
    """
    seen = tuple(map(printable, lines))
    if (size := sum(map(len, seen))) > LONGEST:
        raise GateStop(
            "too_large",
            f"A person would have to read {size} characters; one question holds {LONGEST}. Nothing was sent.",
            advice="Send less at once: fewer entries, files or workspaces, or shorter texts.",
        )
    return seen


def target_of(preview: Preview) -> str:
    """What a preview is about: its id, or its name where it has none."""
    name, identifier = preview.target
    return identifier or name


def aimed_at(preview: Preview) -> str:
    """What a call is aimed at, in few words: the name unless the headline says it, and the id where there is one.

    A long name is cut here: what is sent of it stands whole among the facts.
    """
    name, identifier = preview.target
    known = Own(identifier) if re.fullmatch(UUID, identifier) else identifier
    told = (each for each in (name, known) if each and each != preview.headline)
    return " ".join(each if isinstance(each, Own) else quoted(each) for each in told)


def plain_preview(title: str, arguments: Mapping[str, Any], touches: frozenset[str]) -> Preview:
    """The preview of a tool that has none of its own: what it is called, and its arguments as they were given.

    Args:
        touches: The workspace ids among the arguments.
    """
    facts = [Fact(name, in_full(written(value))) for name, value in arguments.items() if value is not None]
    target = (title, min(touches, default=""))
    return Preview(Own(title), tuple(facts), (Item(dict(arguments)),), target, touches)


def written(value: object) -> str:
    """An argument as text."""
    return value if isinstance(value, str) else canonical(value)


def shown(fact: Fact) -> list[str]:
    """The lines of one fact, every entry of a list on one of its own."""
    if not isinstance(fact.value, tuple):
        return [f"{fact.label}: {plain(fact.value)}"]
    return [f"{fact.label}: {len(fact.value)}", *(f"  - {plain(each)}" for each in fact.value)]


def plain(value: str | int) -> str:
    """Our own words and numbers as they are, everything else quoted, and cut nowhere."""
    return str(value) if isinstance(value, Own | int) else exactly(value)


def typed_phrase(name: str, identifier: str) -> str:
    """What a person types for a critical plan: the target's name in plain letters, and the start of its id.

    Names are not unique on a tenant, so the name alone would not say which.
    """
    slug = "-".join(PLAIN.findall(name))[:24].rstrip("-").lower() or "target"
    start = "".join(PLAIN.findall(identifier))[:4]
    return f"{slug}-{start}" if start else slug
