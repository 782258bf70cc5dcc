"""Serve the embedded tenant on a socket, as a process of its own."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import uvicorn

from molecule_mcp.embedded.app import App, build
from molecule_mcp.embedded.options import Options

TICK_SECONDS = 3.0


async def serve(options: Options, *, host: str, port: int, started: Callable[[int], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs and return.

    Args:
        options: The tenant.
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        started: Called with the bound port once connections are accepted.
    Raises:
        OSError: The address cannot be bound.
    """
    bound = listener(host, port)
    app = build(options)
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False)
    server = Server(config, lambda: started and started(bound.getsockname()[1]), app.end_streams)
    ticking = asyncio.create_task(_tick(app))
    try:
        await server.serve(sockets=[bound])
    finally:
        ticking.cancel()
        app.close()


class Server(uvicorn.Server):
    """A uvicorn server that says when it listens, and ends without raising the signal that ended it again.

    Args:
        ending: Called before it waits for the answers under way; what never ends by itself has to be ended there.
    """

    def __init__(
        self, config: uvicorn.Config, listening: Callable[[], object], ending: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(config)
        self._listening, self._ending = listening, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then say so."""
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what never ends, then wait for the rest."""
        self._ending()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take SIGTERM and SIGINT as the wish to end; give them back afterwards."""
        former = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)


def listener(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        OSError: The address is taken or not ours.
    """
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms for an ACK.
    bound = socket.socket(family(host), socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name == "posix"))
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def family(host: str) -> socket.AddressFamily:
    """The address family of a host as written."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def _tick(app: App) -> None:
    while True:
        # Another process may hold the file; the next tick catches up.
        with suppress(sqlite3.OperationalError):
            app.tick()
        await asyncio.sleep(TICK_SECONDS)
