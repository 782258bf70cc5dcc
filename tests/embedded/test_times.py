"""Times in rows and in answers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from molecule_mcp.embedded.options import utc_now
from molecule_mcp.embedded.times import NEVER, moment, shown, stored


@pytest.mark.parametrize(
    ("microsecond", "expected"),
    [(0, "09:00:10Z"), (500_000, "09:00:10.5Z"), (120_030, "09:00:10.12003Z"), (7, "09:00:10.000007Z")],
)
def test_an_answer_cuts_the_trailing_zeros_of_the_fraction(microsecond: int, expected: str) -> None:
    row = stored(datetime(2026, 11, 24, 9, 0, 10, microsecond, tzinfo=UTC))
    assert shown(row) == f"2026-11-24T{expected}"
    assert moment(row).microsecond == microsecond


def test_rows_are_in_utc() -> None:
    tokyo = datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=9)))
    assert stored(tokyo) == "2026-11-24T00:00:00.000000Z"
    assert shown(NEVER) == "0001-01-01T00:00:00Z"


def test_the_default_clock_is_aware() -> None:
    assert utc_now().utcoffset() == timedelta(0)
