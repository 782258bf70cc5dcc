"""When a cron expression of five fields is next due.

Lists, ranges, steps, `?` and three-letter names are taken, and a `CRON_TZ=Zone` prefix. Sunday is 0 only.
Six fields and the @ forms are refused. A day matches by either day field when both are restricted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import product
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(MONTHS, 1)},
    {name: number for number, name in enumerate(WEEKDAYS)},
)
PREFIX = re.compile(r"(?:CRON_TZ|TZ)=(\S+)\s+")
SEARCHED = timedelta(days=5 * 366)


class BadExpression(ValueError):
    """No cron expression of five fields."""


class BadZone(ValueError):
    """No time zone of that name."""


@dataclass(frozen=True)
class Expression:
    """The values that each field lets through; `any_*` marks a day field that restricts nothing."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def on(self, day: date) -> bool:
        """Whether a day is due."""
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        either = not (self.any_day or self.any_weekday)
        return by_day or by_weekday if either else by_day and by_weekday


def next_run(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first due moment after another, in UTC; None when there is none within five years.

    Raises:
        BadZone: Unknown zone name.
        BadExpression: Anything else is wrong with the expression.
    """
    where = _zone(zone)
    if prefix := PREFIX.match(expression.strip()):
        expression = expression.strip()[prefix.end() :]
        try:
            where = _zone(prefix[1])
        except BadZone as unknown:
            raise BadExpression("unknown zone in the prefix") from unknown
    wanted = parse(expression)
    day = after.astimezone(where).date()
    for offset in range(SEARCHED.days):
        if not wanted.on(day + timedelta(days=offset)):
            continue
        for hour, minute in product(wanted.hours, wanted.minutes):
            local = datetime.combine(day + timedelta(days=offset), time(hour, minute), where)
            due = local.astimezone(UTC)
            # A local time that a clock change leaves out comes back as another one.
            if due > after and due.astimezone(where).replace(fold=0) == local:
                return due
    return None


def parse(expression: str) -> Expression:
    """Read five fields.

    Raises:
        BadExpression: They are not five, or one is wrong.
    """
    fields = expression.split()
    if len(fields) != len(BOUNDS):
        raise BadExpression("not five fields")
    values = [_field(text, position) for position, text in enumerate(fields)]
    return Expression(
        minutes=tuple(sorted(values[0])),
        hours=tuple(sorted(values[1])),
        days=values[2],
        months=values[3],
        weekdays=values[4],
        any_day=_unrestricted(fields[2]),
        any_weekday=_unrestricted(fields[4]),
    )


def _zone(name: str) -> tzinfo:
    if name in {"UTC", "Local"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as unknown:
        raise BadZone(name) from unknown


def _unrestricted(field: str) -> bool:
    return any(part in {"*", "?"} for part in field.split(","))


def _field(text: str, position: int) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _part(part, position))


def _part(text: str, position: int) -> range:
    lowest, highest = BOUNDS[position]
    span, slash, step_text = text.partition("/")
    step = _number(step_text) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if span in {"*", "?"}:
        first, last = lowest, highest
    else:
        first = _value(first_text, position)
        last = _value(last_text, position) if dash else highest if slash else first
    if step == 0 or not lowest <= first <= last <= highest:
        raise BadExpression("out of range")
    return range(first, last + 1, step)


def _value(text: str, position: int) -> int:
    named = NAMES[position].get(text.lower())
    return _number(text) if named is None else named


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadExpression("not a number")
    return int(text)
