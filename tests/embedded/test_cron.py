"""When schedules are due."""

from datetime import UTC, datetime

import pytest

from molecule_mcp.embedded.cron import BadExpression, BadZone, next_run

NOW = datetime(2026, 11, 24, 9, 7, 30, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("expression", "zone", "due"),
    [
        ("*/5 * * * *", "UTC", "2026-11-24T09:10"),
        ("7 9 * * *", "UTC", "2026-11-25T09:07"),
        ("0 9 * * 1-5", "Asia/Tokyo", "2026-11-25T00:00"),
        ("0 9 * JAN-MAR MON-FRI", "UTC", "2027-01-01T09:00"),
        ("0 0 13 * 5", "UTC", "2026-11-27T00:00"),
        ("0 0 ? * 0", "Local", "2026-11-29T00:00"),
        ("0 0 1 * *", "UTC", "2026-12-01T00:00"),
        ("10/20 9 * * *", "UTC", "2026-11-24T09:10"),
        ("0,30 9,10 * * *", "UTC", "2026-11-24T09:30"),
        (" CRON_TZ=Asia/Tokyo  0 0 * * * ", "America/New_York", "2026-11-24T15:00"),
        ("0 0 29 2 *", "UTC", "2028-02-29T00:00"),
        ("30 2 28 3 *", "Europe/Berlin", "2028-03-28T00:30"),
    ],
)
def test_the_next_run_is_the_first_match_after_now(expression: str, zone: str, due: str) -> None:
    found = next_run(expression, zone, NOW)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M") == due


def test_a_date_that_never_comes_has_no_next_run() -> None:
    assert next_run("0 0 31 2 *", "UTC", NOW) is None


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * *", "@hourly", "60 * * * *", "* * * * 7", "* * 0 * *", "5-1 * * * *", "*/0 * * * *",
     "a * * * *", "1-x * * * *", "* * * foo *", "-1 * * * *", "0 0 L * *", "CRON_TZ=Mars/Base 0 0 * * *", "1/ * * * *"],
)  # fmt: skip
def test_other_dialects_are_refused(expression: str) -> None:
    with pytest.raises(BadExpression):
        next_run(expression, "UTC", NOW)


@pytest.mark.parametrize("zone", ["Mars/Base", "+09:00", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadZone):
        next_run("* * * * *", zone, NOW)
