"""The calls that run in this process, so that its end can wait for them, and then cut off what is left."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anyio

GRACE = 5.0
"""Seconds that calls under way get at the end; what stops a container waits ten."""

LAST = 1
"""Seconds that each of the steps after it gets: to record what is unknown, to write the answers, to close streams."""


class UnderWay:
    """The tasks of calls that have begun and not ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        return bool(self._tasks)

    @contextmanager
    def one(self) -> Generator[None]:
        """The task around this is one call."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def finish(self, seconds: float) -> None:
        """Let calls end by themselves for so long."""
        with anyio.move_on_after(seconds):
            while self._tasks:
                await asyncio.wait([*self._tasks])

    async def cut(self, seconds: float) -> None:
        """Stop what still runs, and give it so long to record that its outcome is unknown.

        A send is shielded from the cancelling of its call, not from this: it comes once, so the record is written.
        """
        left = [*self._tasks]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=seconds)
