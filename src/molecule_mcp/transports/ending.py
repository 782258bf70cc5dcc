"""An HTTP server that ends in time: calls under way may finish, streams may not wait for their readers to leave."""

import logging
import signal
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from molecule_mcp.road.underway import GRACE, LAST, UnderWay

QUIET = 2
"""Tenths of a second without a call before streams are closed: the last answer is on its way through one of them."""


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT, and returns without raising the signal again; a second one cuts the grace short.

    Args:
        calls: The calls under way.
        ready: Called once it serves, and a signal ends it as it should.
    """

    def __init__(self, config: uvicorn.Config, calls: UnderWay, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._calls = calls
        self._ready = ready
        self._until: float | None = None
        self._quiet = 0

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take SIGTERM and SIGINT as the wish to end; give them back afterwards."""
        former = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to end. `should_exit` stays false meanwhile: at its sight streams stop that carry answers."""
        self._until = time.monotonic() + (GRACE if self._until is None else 0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to go on to the shutdown."""
        if self._until is not None:
            for each in self.servers:
                each.close()
            self._quiet = 0 if self._calls else self._quiet + 1
            self.should_exit = self._quiet > QUIET or time.monotonic() >= self._until
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut off the calls that are left, then everything else."""
        # What is still open is cut off now, and uvicorn calls every one of them an error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await self._calls.cut(LAST)
        await super().shutdown(sockets)
