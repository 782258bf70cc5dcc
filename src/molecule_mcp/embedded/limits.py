"""Count requests per peer address in fixed windows that start at the first request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

SWEEP_EVERY = timedelta(minutes=5)
FORGOTTEN_AFTER = timedelta(minutes=10)


@dataclass
class Window:
    """One peer's window."""

    start: datetime
    used: int = 0


@dataclass(frozen=True)
class Verdict:
    """What one request was told; `seconds` until the window ends."""

    limit: int
    remaining: int
    seconds: int
    allowed: bool

    @property
    def headers(self) -> dict[str, str]:
        """The rate headers of the answer."""
        told = {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Remaining": str(self.remaining),
            "X-Ratelimit-Reset": str(self.seconds),
        }
        return told if self.allowed else {**told, "Retry-After": str(self.seconds)}


class Limiter:
    """So many requests per window and peer.

    Args:
        limit: Requests in one window.
        window: Its length.
        started: When the process began to sweep old windows.
    """

    def __init__(self, limit: int, window: timedelta, started: datetime) -> None:
        self.limit, self.window, self.started = limit, window, started
        self._windows: dict[str, Window] = {}

    def count(self, peer: str, now: datetime) -> Verdict:
        """Count one request of a peer."""
        current = self._windows.get(peer)
        if current is None or now >= current.start + self.window or self._swept(current, now):
            current = self._windows[peer] = Window(now)
        current.used += 1
        seconds = ceil((current.start + self.window - now).total_seconds())
        return Verdict(self.limit, max(0, self.limit - current.used), seconds, current.used <= self.limit)

    def _swept(self, window: Window, now: datetime) -> bool:
        # The tenant's sweep, every 5 minutes, also forgets windows that have not ended yet.
        last_sweep = self.started + (now - self.started) // SWEEP_EVERY * SWEEP_EVERY
        return window.start <= last_sweep - FORGOTTEN_AFTER
