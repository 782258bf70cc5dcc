"""Times as the database keeps them and as answers show them.

Stored: RFC 3339, UTC, always six fraction digits, so that text order is time order.
Shown: the same with trailing zeros of the fraction cut.
"""

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00.000000Z"
"""The zero time, which a cron expression without any match gets as its next run."""


def stored(moment: datetime) -> str:
    """A moment as text of fixed width that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def shown(text: str) -> str:
    """Stored text as an answer shows it."""
    return text[:-1].rstrip("0").rstrip(".") + "Z"


def shown_or_none(text: str | None) -> str | None:
    """Like `shown`, where the column may be empty."""
    return None if text is None else shown(text)


def moment(text: str) -> datetime:
    """Stored text as an aware datetime."""
    return datetime.fromisoformat(text)
