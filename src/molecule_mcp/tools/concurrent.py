"""Several reads at once; the wire bounds how many really run together."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

from molecule_mcp.errors import MoleculeError

Thing = TypeVar("Thing")


async def each(things: Iterable[Thing], one: Callable[[Thing], Awaitable[None]]) -> None:
    """Run `one` for every thing at the same time.

    Raises: the first MoleculeError, bare; the rest are cancelled. What was half read is not an answer.
    """
    failures: list[MoleculeError] = []

    async with anyio.create_task_group() as group:

        async def guarded(thing: Thing) -> None:
            try:
                await one(thing)
            except MoleculeError as error:
                failures.append(error)
                group.cancel_scope.cancel()

        for thing in things:
            group.start_soon(guarded, thing)
    if failures:
        raise failures[0]
