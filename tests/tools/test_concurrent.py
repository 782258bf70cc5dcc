"""Several reads at once: all of them, or the first failure and nothing half read."""

import anyio
import pytest

from molecule_mcp.errors import TenantUnreachable
from molecule_mcp.tools.concurrent import alongside, each, read_of_each


async def test_every_thing_is_done() -> None:
    done: list[int] = []

    async def one(thing: int) -> None:
        await anyio.lowlevel.checkpoint()
        done.append(thing)

    await each(range(5), one)
    assert sorted(done) == [0, 1, 2, 3, 4]


async def test_nothing_to_do_is_done() -> None:
    async def one(thing: int) -> None:
        raise AssertionError(thing)

    await each([], one)


async def test_all_run_at_the_same_time() -> None:
    """Each waits for the others, so that one after another would never end."""
    here: list[int] = []
    together = anyio.Event()

    async def one(thing: int) -> None:
        here.append(thing)
        if len(here) == 3:
            together.set()
        await together.wait()

    with anyio.fail_after(5):
        await each(range(3), one)


async def test_the_first_failure_comes_out_bare_and_the_rest_is_cut_off() -> None:
    cut: list[int] = []

    async def one(thing: int) -> None:
        if thing == 1:
            raise TenantUnreachable("no answer")
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            cut.append(thing)
            raise

    with anyio.fail_after(5), pytest.raises(TenantUnreachable, match="no answer") as failed:
        await each(range(3), one)
    assert type(failed.value) is TenantUnreachable
    assert sorted(cut) == [0, 2]


async def test_of_several_failures_the_first_is_told() -> None:
    async def one(thing: int) -> None:
        if thing == 0:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
        raise TenantUnreachable(f"failure {thing}")

    with pytest.raises(TenantUnreachable, match="failure 1"):
        await each(range(2), one)


async def test_a_defect_is_no_answer_either_and_is_not_taken_for_a_failure_of_the_tenant() -> None:
    async def one(thing: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as failed:
        await each([1], one)
    assert isinstance(failed.value.exceptions[0], ZeroDivisionError)


async def test_a_call_that_is_cut_off_ends_its_reads() -> None:
    async def one(thing: int) -> None:
        await anyio.sleep_forever()

    with anyio.move_on_after(0) as scope:
        await each(range(3), one)
    assert scope.cancelled_caught


async def test_what_could_not_be_read_is_told_beside_what_was_and_progress_counts_both() -> None:
    told: list[str] = []

    async def read(name: str) -> str:
        if name == "b":
            raise TenantUnreachable("no answer")
        return name.upper()

    async def progress(done: float, total: float | None, line: str) -> None:
        told.append(f"{done:.0f}/{total:.0f} {line}")

    found, unread = await read_of_each(["c", "b", "a"], read, progress, "read")
    assert list(found.items()) == [("c", "C"), ("a", "A")]
    assert unread == {"b": "no answer"}
    assert told[-1] == "3/3 3 of 3 read"


async def test_a_watcher_runs_as_long_as_what_it_watches() -> None:
    begun, ended = anyio.Event(), anyio.Event()

    async def watching() -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async def watched() -> str:
        await begun.wait()
        return "done"

    assert await alongside(watching, watched()) == "done"
    assert ended.is_set()


@pytest.mark.parametrize("error", [TenantUnreachable("gone"), GeneratorExit()])
async def test_an_error_of_what_is_watched_comes_bare(error: BaseException) -> None:
    async def failing() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await alongside(anyio.sleep_forever, failing())
    assert caught.value is error
