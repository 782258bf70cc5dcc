"""Whether a cron expression can ever match: the tenant stores one that cannot, and then runs it every 30 seconds."""

import re
from itertools import product

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PART = re.compile(r"(\*|\?|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?")


def complaint(expression: str) -> str | None:
    """What is wrong with an expression, or None; syntax within a field is left to the tenant."""
    fields = expression.split()
    if len(fields) != 5:
        return "is not of five fields: minute hour day-of-month month day-of-week"
    days, months = values(fields[2], 1, 31), values(fields[3], 1, 12)
    if days is None or months is None or fields[4] not in {"*", "?"}:
        return None
    if not any(day <= LONGEST[month - 1] for day, month in product(days, months)):
        return "names a date that never comes"
    return None


def values(field: str, low: int, high: int) -> set[int] | None:
    """The numbers that a field lets through, None when that cannot be told."""
    found: set[int] = set()
    for text in field.lower().split(","):
        part = PART.fullmatch(text)
        if part is None:
            return None
        first, last, step = part.groups()
        begin = low if first in {"*", "?"} else number(first)
        end = high if first in {"*", "?"} or (step and not last) else number(last or first)
        if begin is None or end is None or not low <= begin <= end <= high or step == "0":
            return None
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def number(text: str) -> int | None:
    """A number or the name of a month."""
    if text.isdigit():
        return int(text)
    return MONTHS.index(text) + 1 if text in MONTHS else None
