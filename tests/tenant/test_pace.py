"""Requests spread out only when the tenant says that its own budget runs out."""

import pytest
from tests.tenant.making import Time

from molecule_mcp.tenant.pace import Pace


def told(left: int | str, seconds: int | str = 60, limit: int | str = 600) -> dict[str, str]:
    """The tenant's rate headers."""
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(seconds),
    }


def test_nothing_waits_before_the_tenant_has_said_anything() -> None:
    assert Pace(Time()).wait() == 0.0


def test_nothing_waits_while_there_is_plenty() -> None:
    pace = Pace(Time())
    pace.learn(told(100))
    assert [pace.wait() for _ in range(5)] == [0.0] * 5


def test_what_is_left_is_spread_over_the_rest_of_the_window() -> None:
    time = Time()
    pace = Pace(time)
    pace.learn(told(10, 50))
    assert pace.wait() == 5.0
    time.now += 40
    assert pace.wait() == pytest.approx(10 / 9)


def test_with_nothing_left_the_window_is_waited_out() -> None:
    time = Time()
    pace = Pace(time)
    pace.learn(told(0, 60, limit=101))
    assert pace.wait() == 60.0
    time.now += 61
    assert pace.wait() == 0.0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        told("unlimited", limit="unlimited"),
        told(0, limit="unlimited"),
        told("unlimited"),
        told(0, "soon"),
        told(0, "9" * 5000),
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"},
    ],
)
def test_a_tenant_that_names_no_numbers_slows_nothing_down(headers: dict[str, str]) -> None:
    pace = Pace(Time())
    pace.learn(headers)
    assert pace.wait() == 0.0


@pytest.mark.parametrize("headers", [told(0, 3492, limit=10), told(0, 60, limit=100), told(0, 61)])
def test_the_budget_of_a_single_route_slows_no_other_down(headers: dict[str, str]) -> None:
    """Tenant-defined: minting keys has a budget of 10 an hour, told in the same headers."""
    pace = Pace(Time())
    pace.learn(headers)
    assert pace.wait() == 0.0
