"""Windows of the rate limits."""

from datetime import timedelta

from molecule_mcp.embedded.limits import Limiter
from tests.embedded.support import START


def test_peers_do_not_share_a_budget() -> None:
    limiter = Limiter(1, timedelta(minutes=1), START)
    assert limiter.count("a", START).allowed
    assert limiter.count("b", START).allowed
    assert not limiter.count("a", START).allowed


def test_a_long_window_is_forgotten_by_the_first_sweep_after_ten_minutes() -> None:
    """Contract: the hourly mint budget really returns after 10 to 15 minutes."""
    limiter = Limiter(1, timedelta(hours=1), START)
    began = START + timedelta(minutes=1)
    limiter.count("a", began)
    assert not limiter.count("a", began + timedelta(minutes=13)).allowed
    assert limiter.count("a", began + timedelta(minutes=14)).allowed
