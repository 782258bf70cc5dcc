"""The exact written forms that several rooms must agree on: canonical JSON, plans, codes, fingerprints.

A digest, a signature and a MAC are only as good as the one text they are made over, so each form has one function.
Pure: no disk, no clock.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from molecule_mcp.store.records import Grant, Intent, Plan, Question, Step

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit, and no U."""

OURS = frozenset({
    "id", "plan", "plan_id", "call", "intent", "code", "digest", "body_digest", "arguments_digest",
    "signature", "signed_by", "counted_under", "tool", "family", "risk", "principal", "profile", "origin", "method",
    "kind", "grant", "answer", "state", "verdict", "reason",
})  # fmt: skip
"""Fields of intents and records whose texts are drawn, computed or chosen by this program and its operator. They are
looked up again, so they are never masked; every other text may be another's."""

_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class DamagedError(Exception):
    """A stored text is not what this program writes there; the text names the fault and holds no data."""


@contextmanager
def stored() -> Generator[None]:
    """Around the reading of a stored text alone.

    Raises: DamagedError for whatever is wrong with it.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise DamagedError(type(exc).__name__) from exc


def canonical(value: object) -> str:
    """One text per JSON value: sorted keys, no blanks, ASCII.

    Raises:
        TypeError: Something in it is not JSON; guessing a text for it could give two values one digest.
        ValueError: A number in it is NaN or infinite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_mapping)


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict[Any, Any](value)  # pyright: ignore[reportUnknownArgumentType]
    raise TypeError(f"{type(value).__name__} is not JSON")


def flat(record: "DataclassInstance") -> dict[str, Any]:
    """A record's fields by name, one level deep."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


def masked(body: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """The fields of an intent or a record, with what may be another's text redacted. No name is changed."""
    return {name: value if name in OURS else _redacted(value, redact) for name, value in body.items()}


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    return [redact(each) for each in cast("tuple[str, ...]", value)] if isinstance(value, tuple) else value


def plan_fields(plan: Plan) -> dict[str, Any]:
    """Every field of a plan, `digest` included, as JSON values."""
    return {**flat(plan), "question": flat(plan.question), "steps": [flat(step) for step in plan.steps]}


def plan_from(text: str) -> Plan:
    """The plan that `canonical(plan_fields(plan))` was made of. Raises: DamagedError when the text is not a plan."""
    with stored():
        read = json.loads(text)
        question = read["question"]
        read["question"] = Question(
            tuple(question["lines"]),
            tuple(question["answers"]),
            question["phrase"],
            tuple(question["targets"]),
            tuple(question["touches"]),
        )
        read["steps"] = tuple(Step(**step) for step in read["steps"])
        return Plan(**read)


def grant_from(text: str) -> Grant:
    """The grant that `canonical(flat(grant))` was made of. Raises: DamagedError when the text is none."""
    with stored():
        return Grant(**json.loads(text))


def intent_from(text: str) -> Intent | None:
    """The intent that `canonical(flat(intent))` was made of, None when the text is none."""
    try:
        with stored():
            return Intent(**json.loads(text))
    except DamagedError:
        return None


def object_from(text: str) -> dict[str, Any]:
    """A JSON object that was stored. Raises: DamagedError when the text is none."""
    with stored():
        return {**json.loads(text)}


def plain_code(code: str) -> str:
    """A code as it is looked up: upper case, no dash, letters that people misread as digits taken as those."""
    return code.upper().translate(_MISREAD)


def fingerprint(public_key: bytes) -> str:
    """A public key as a person compares it: 64 bits of its SHA-256, "1f2e-3d4c-5b6a-7988"."""
    digits = hashlib.sha256(public_key).hexdigest()
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))
