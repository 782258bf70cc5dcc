"""Calls under way are known until they end, and can be cut off at the end of the process."""

import asyncio
from contextlib import suppress

import anyio
import pytest

from molecule_mcp.road.underway import GRACE, LAST, UnderWay


async def test_a_call_is_under_way_until_it_ends() -> None:
    calls = UnderWay()
    assert not calls
    with calls.one():
        assert calls
    assert not calls
    with pytest.raises(ValueError, match="broken"), calls.one():
        raise ValueError("broken")
    assert not calls


async def test_what_still_runs_is_cut_off_and_may_write_down_how_it_ended() -> None:
    calls, begun, told = UnderWay(), asyncio.Event(), list[str]()

    async def call() -> None:
        with calls.one():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                told.append("unknown")

    task = asyncio.create_task(call())
    await begun.wait()
    await calls.cut(5)
    assert task.cancelled()
    assert told == ["unknown"]
    assert not calls


async def test_a_call_that_ends_by_itself_is_waited_for() -> None:
    calls, begun, go = UnderWay(), asyncio.Event(), asyncio.Event()

    async def call() -> None:
        with calls.one():
            begun.set()
            await go.wait()

    task = asyncio.create_task(call())
    await begun.wait()
    waiting = asyncio.create_task(calls.finish(60))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    go.set()
    await waiting
    assert task.done()


async def test_a_call_that_does_not_end_is_waited_for_no_longer_than_told() -> None:
    calls = UnderWay()
    with calls.one():
        await calls.finish(0)
        assert calls


async def test_with_nothing_under_way_there_is_nothing_to_cut() -> None:
    await UnderWay().cut(0)


async def test_a_call_that_will_not_be_cut_off_is_left_to_itself() -> None:
    calls, begun, go = UnderWay(), asyncio.Event(), asyncio.Event()

    async def call() -> None:
        with calls.one():
            begun.set()
            while not go.is_set():
                with suppress(asyncio.CancelledError):
                    await go.wait()

    task = asyncio.create_task(call())
    await begun.wait()
    with anyio.fail_after(GRACE):
        await calls.cut(0)
    assert calls
    go.set()
    await task
    assert not calls


def test_every_step_of_the_end_together_takes_less_than_what_stops_a_container_waits() -> None:
    assert (GRACE, LAST) == (5, 1)
    assert GRACE + 3 * LAST < 10
