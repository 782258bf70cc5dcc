"""Several reads at once; the wire bounds how many really run together."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import anyio

from molecule_mcp.capability import Progress
from molecule_mcp.errors import MoleculeError, TenantError

Thing = TypeVar("Thing")
Found = TypeVar("Found")


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


async def alongside(watch: Callable[[], Coroutine[Any, Any, None]], one: Awaitable[Found]) -> Found:
    """The result of one thing, with a watcher that runs as long as it takes.

    Raises: what `one` raises, bare.
    """
    found: list[Found] = []
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            found.append(await one)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as several:
        # A task group wraps even a single error, and the callers look at its kind.
        raise several.exceptions[0] from several.exceptions[0].__cause__
    return found[0]


async def read_of_each(
    names: Sequence[str], read: Callable[[str], Awaitable[Found]], progress: Progress, line: str
) -> tuple[dict[str, Found], dict[str, str]]:
    """Read something of every name at the same time, for an answer that says what it could not read.

    Args:
        line: What a progress notice says after "7 of 20".
    Returns: What was read, by name in the order given, and why the rest could not be read.
    """
    found: dict[str, Found] = {}
    unread: dict[str, str] = {}

    async def one(name: str) -> None:
        try:
            found[name] = await read(name)
        except TenantError as error:
            unread[name] = error.message
        done = len(found) + len(unread)
        await progress(done, len(names), f"{done} of {len(names)} {line}")

    await each(names, one)
    return {name: found[name] for name in names if name in found}, unread
