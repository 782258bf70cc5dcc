"""Calls under way are known until they end, and can be cut off at the end of the process."""

import asyncio

import pytest

from molecule_mcp.road.underway import UnderWay


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
