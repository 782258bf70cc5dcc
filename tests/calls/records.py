"""Read answers as an agent does: every object and every row of a table in them is one record."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

Record = Mapping[str, Any]

REFERENCE = re.compile(r"@(?P<field>\w+)(?: of (?P<marks>.+))?")
"""`@id of Copywriter`: that field of the one record that holds these texts, joined by " & "."""


def records(value: Any) -> Iterator[Record]:
    """Every record of an answer."""
    if isinstance(value, dict):
        answer = cast("dict[str, Any]", value)
        yield answer
        if isinstance(answer.get("columns"), list) and isinstance(answer.get("rows"), list):
            yield from (dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"])
        for each in answer.values():
            yield from records(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from records(each)


def holds(value: Any, facts: Mapping[str, Any]) -> bool:
    """Whether one record of an answer has all of these values."""
    return any(all(name in row and row[name] == fact for name, fact in facts.items()) for row in records(value))


def filled(given: Any, answers: Sequence[Any]) -> Any:
    """Arguments with every reference replaced by what the answers say, the newest that says it first.

    Raises: LookupError when no answer says it, or one says it in two ways.
    """
    if isinstance(given, dict):
        return {name: filled(each, answers) for name, each in cast("dict[str, Any]", given).items()}
    if isinstance(given, list):
        return [filled(each, answers) for each in cast("list[Any]", given)]
    reference = REFERENCE.fullmatch(given) if isinstance(given, str) else None
    return found(reference["field"], reference["marks"], answers) if reference else given


def found(field: str, marks: str | None, answers: Sequence[Any]) -> Any:
    """One value out of the answers so far."""
    wanted = set(marks.split(" & ")) if marks else set[str]()
    for answer in reversed(answers):
        rows = [row for row in records(answer) if field in row and wanted <= texts(row)]
        values = {str(row[field]): row[field] for row in rows}
        if len(values) > 1:
            raise LookupError(f"{len(values)} records have {field} of {marks}")
        if values:
            return next(iter(values.values()))
    raise LookupError(f"no answer has {field} of {marks}")


def texts(row: Record) -> set[str]:
    """The texts that a record itself holds."""
    return {each for each in row.values() if isinstance(each, str)}
