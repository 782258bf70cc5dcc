"""Go slower when the tenant says that little is left of its budget of requests.

The tenant counts per address, and everybody behind one address shares its 600 a minute; it tells how many are left
with every answer. While there is plenty, nothing is slowed down. Narrower budgets of single routes (10 minted keys an
hour) say nothing about the next request and are not learnt.
"""

from collections.abc import Callable, Mapping

from molecule_mcp.tenant.translate import whole

PLENTY = 100
"""Requests left in the tenant's window above which nothing is slowed down."""

LONGEST = 60
"""Seconds of the tenant's window; longer ones belong to single routes."""


class Pace:
    """Spreads what is left over the rest of the window.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = PLENTY
        self._until = 0.0

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what the tenant says is left of its window, and for how many seconds."""
        limit, left, seconds = (whole(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
        if limit is None or left is None or seconds is None or limit <= PLENTY or seconds > LONGEST:
            return
        self._left, self._until = left, self._clock() + seconds

    def wait(self) -> float:
        """Seconds to wait before the next request, which counts as made."""
        rest = self._until - self._clock()
        if self._left >= PLENTY or rest <= 0:
            return 0.0
        self._left = max(0, self._left - 1)
        return rest / (self._left + 1)
