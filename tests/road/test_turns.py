"""Sends that may change what another one stands on wait for it."""

from contextlib import AbstractAsyncContextManager

import anyio
import httpx

from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.road.turns import Turn, Turns
from tests.road.rig import Rig


class Passing:
    """Sends that pass a `Turn` until they are let go, and what is under way."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.under_way: list[str] = []

    async def send(self, name: str, turn: AbstractAsyncContextManager[None], ended: anyio.Event) -> None:
        """One send."""
        async with turn:
            self.under_way.append(name)
            await ended.wait()
            self.under_way.remove(name)


async def test_sends_beside_each_other_pass_together_and_one_alone_waits_for_all_and_keeps_the_next_waiting() -> None:
    passing = Passing()
    ends = {name: anyio.Event() for name in ("one", "two", "alone", "late")}
    async with anyio.create_task_group() as group:
        for name in ("one", "two", "alone", "late"):
            turn = passing.turn.alone() if name == "alone" else passing.turn.beside()
            group.start_soon(passing.send, name, turn, ends[name])
            await anyio.wait_all_tasks_blocked()
        assert passing.under_way == ["one", "two"]
        for ended, left in (("one", ["two"]), ("two", ["alone"]), ("alone", ["late"]), ("late", [])):
            ends[ended].set()
            await anyio.wait_all_tasks_blocked()
            assert passing.under_way == left


async def test_a_send_that_fails_or_is_cut_off_lets_the_next_one_pass() -> None:
    one = Turn()
    for turn in (one.beside, one.alone):
        with anyio.CancelScope() as scope:
            async with turn():
                scope.cancel()
                await anyio.lowlevel.checkpoint()
    with anyio.fail_after(5):
        async with one.alone():
            pass


async def test_only_sends_that_name_the_same_workspace_wait_for_each_other() -> None:
    passing, turns = Passing(), Turns()
    sends = {"one": (["a", "b"], False), "two": (["b", "b"], True), "three": (["c"], True), "four": (["b", "a"], True)}
    ends = {name: anyio.Event() for name in sends}
    async with anyio.create_task_group() as group:
        for name, (workspaces, alone) in sends.items():
            group.start_soon(passing.send, name, turns.passing(workspaces, alone=alone), ends[name])
            await anyio.wait_all_tasks_blocked()
        assert passing.under_way == ["one", "three"]
        for ended, left in (("one", ["three", "two"]), ("two", ["three", "four"])):
            ends[ended].set()
            await anyio.wait_all_tasks_blocked()
            assert passing.under_way == left
        ends["three"].set()
        ends["four"].set()


async def test_a_child_made_on_the_same_connection_waits_for_the_pause_that_did_not_see_it(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    made: list[Done] = []

    async def make() -> None:
        outcome = await road.call(Caller(), "create_workspace", {"name": "Helper", "parent_id": leaf})
        assert isinstance(outcome, Done)
        made.append(outcome)

    async with anyio.create_task_group() as group:

        async def hold(request: httpx.Request) -> None:
            if request.url.path.endswith("/pause"):
                group.start_soon(make)
                for _ in range(300):  # more than enough for what is not kept waiting
                    await anyio.to_thread.run_sync(int)

        rig.transport.before = hold
        outcome = await road.call(Caller(), "pause_workspace", {"workspace_id": leaf})
        assert isinstance(outcome, Done)
        assert outcome.structured["items"][0]["touched"] == 1
    assert rig.statuses()[made[0].structured["items"][0]["id"]] == "provisioning"
