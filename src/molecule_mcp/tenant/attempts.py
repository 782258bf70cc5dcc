"""What may be sent again: a read that broke, and anything the tenant turned away before its handler ran.

A changing request whose bytes may have left is never sent again: the tenant has no idempotency key, and has been seen
to do the work and then answer 500 or nothing.
"""

import random
from dataclasses import dataclass

import httpx

from molecule_mcp.errors import Sent, TenantUnreachable
from molecule_mcp.tenant.translate import Answer, waits

ATTEMPTS = 3
"""Times a read is tried when the connection or something in front of the tenant fails."""

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures that come before the first byte leaves."""

SILENCE = (httpx.ReadTimeout, httpx.WriteTimeout)
"""Failures that have already used up half of the deadline."""

IN_FRONT = (502, 504)
"""Statuses of whatever stands in front of a tenant that cannot reach it."""

NAMES: dict[type[Exception], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "too many calls at once",
    httpx.ReadTimeout: "silence",
    httpx.WriteTimeout: "it took no data",
}


@dataclass
class Progress:
    """How far one exchange got.

    Args:
        changing: Whether the request can change the tenant.
        relayed: Whether an agent may have written the answer, which then says little about what was done.
        left: Whether bytes of it may have left.
        queued: Whether it waits for other requests of this process to end, or for their pace.
        failures: Attempts that broke.
        waits: Times the tenant asked to wait.
    """

    changing: bool
    relayed: bool = False
    left: bool = False
    queued: bool = False
    failures: int = 0
    waits: int = 0

    @property
    def sent(self) -> Sent:
        """What can honestly be said of a changing request."""
        return "unknown" if self.changing and self.left else False

    def broke(self, error: Exception) -> float:
        """Seconds after which to try again.

        Raises: TenantUnreachable when it must not be sent again.
        """
        self.failures += 1
        self.left = not isinstance(error, NOT_SENT)
        if self.changing or self.failures >= ATTEMPTS or isinstance(error, SILENCE):
            # The error's own text may hold addresses, which help nobody and may tell too much.
            raise self.lost(NAMES.get(type(error), "the connection broke")) from error
        return backoff(self.failures)

    def answered(self, answer: Answer) -> float | None:
        """Seconds after which to ask again, None when this answer is the answer."""
        asked = waits(answer, relayed=self.relayed)
        if asked is not None:
            self.waits += 1
            # However little the tenant asks for, it is not hammered: at most seven times in a minute.
            return max(asked * random.uniform(1.0, 1.1), backoff(self.waits))
        if answer.status in IN_FRONT and not self.changing and self.failures < ATTEMPTS - 1:
            self.failures += 1
            return backoff(self.failures)
        return None

    def lost(self, why: str) -> TenantUnreachable:
        """The error for an exchange without an answer."""
        if self.queued:
            return TenantUnreachable(
                f"Other requests of this server were in its way: {why}; nothing was sent.",
                advice="Try again when they have ended, with fewer calls at once.",
            )
        advice = (
            "It may or may not have happened: read the present state before anything else."
            if self.sent
            else "Nothing was changed. Check that the tenant is up and MOLECULE_API_URL is right, then try again."
        )
        return TenantUnreachable(f"The tenant did not answer: {why}.", sent=self.sent, advice=advice)


def backoff(times: int) -> float:
    """Seconds before another try: 0.25 to 0.5 after the first, doubled each time."""
    return random.uniform(0.25, 0.5) * 2 ** (times - 1)
