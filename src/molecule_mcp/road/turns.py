"""Which sends of this process that name the same workspace are under way together.

A send that nobody is asked about stands on live facts, read right before it leaves. Nothing of this process that may
change them is under way between that look and its answer; other processes are not kept from it.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

import anyio

BESIDE = frozenset({"workspaces", "teams"})
"""The families that make, move, start or stop workspaces, which is what live facts are about; their sends are short."""


class Turns:
    """The turn at each workspace that a send names, as long as one needs it."""

    def __init__(self) -> None:
        self._at = WeakValueDictionary[str, Turn]()

    @asynccontextmanager
    async def passing(self, workspaces: Iterable[str], *, alone: bool) -> AsyncGenerator[None]:
        """A send that names these workspaces."""
        async with AsyncExitStack() as stack:
            for workspace in sorted({*workspaces}):  # in one order, so that no two wait for each other
                turn = self._at.setdefault(workspace, Turn())
                await stack.enter_async_context(turn.alone() if alone else turn.beside())
            yield


class Turn:
    """Lets sends pass beside each other, or one alone."""

    def __init__(self) -> None:
        self._door = anyio.Lock()
        self._under_way = 0
        self._last_left = anyio.Event()

    @asynccontextmanager
    async def beside(self) -> AsyncGenerator[None]:
        """Others of this kind may be under way, but none that passes alone; one that waits for that comes first."""
        async with self._door:
            self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._last_left.set()

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """No other is under way, and none begins."""
        async with self._door:
            while self._under_way:
                self._last_left = anyio.Event()
                await self._last_left.wait()
            yield
