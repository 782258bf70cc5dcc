"""One grant, used by many processes at once: one send arrives."""

import json
from collections import Counter
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.types import ElicitResult, InputRequiredResult, TextContent

from tests.calls import harness
from tests.calls.harness import Person, called, client
from tests.race.place import Place, sign, state_folder, verified

AT_ONCE = ("--allow-wait", "0")


@dataclass(frozen=True)
class Used:
    """What many uses of one grant came to.

    Args:
        answers: How each use was answered -> how often.
        arrived: The changing requests that arrived.
        chain: What is wrong with the chain, or None.
    """

    what: str
    uses: int
    answers: Counter[str]
    arrived: list[str]
    chain: str | None

    @property
    def holds(self) -> bool:
        """One arrived, every use was answered, and one of them with what it did."""
        return len(self.arrived) == 1 and self.answers.total() == self.uses and self.answers["done"] == 1 and (
            self.chain is None
        )  # fmt: skip

    def __str__(self) -> str:
        answers = ", ".join(f"{count} {kind}" for kind, count in self.answers.most_common())
        return f"{self.what}: {self.uses} uses, {len(self.arrived)} arrived ({answers})"


async def signed(place: Place, folder: Path, processes: int, uses: int, *, tokens: bool) -> Used:
    """Uses of a grant that the approver signed.

    Args:
        tokens: Whether each use names itself, so that nothing but the claim tells it from the others; else it is the
            same call, and told the outcome of the first.
    """
    state_folder(folder)
    target = await place.make("Race")
    tool = "create_workspace_token" if tokens else "delete_workspace"
    given = [{"workspace_id": target} | ({"client_token": f"use-{each}"} if tokens else {}) for each in range(uses)]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client(place, folder, mode="2026-07-28", flags=AT_ONCE))
            for _ in range(processes)
        ]
        _, first = await called(clients[0], tool, given[0])
        sign(folder, first["code"])
        before = len(place.changes)
        answers = await gathered([kind(called(clients[n % processes], tool, each)) for n, each in enumerate(given)])
    named = "each with a name of its own" if tokens else "the same call"
    return Used(f"signed, {processes} processes, {named}", uses, answers, place.changes[before:], verified(folder))


async def attested(place: Place, folder: Path, processes: int, uses: int) -> Used:
    """Uses of one answer of a client's form, replayed at the process that asked and at all the others."""
    state_folder(folder)
    given = {"workspace_id": await place.make("Race")}
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                client(place, folder, mode="2026-07-28", person=Person(harness.decline), flags=AT_ONCE)
            )
            for _ in range(processes)
        ]
        asked = await clients[0].session.call_tool("delete_workspace", given, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        assert asked.input_requests is not None
        params: Any = asked.input_requests["allow"].params
        yes = harness.exactly_yes(params.message, params.requested_schema)
        before = len(place.changes)
        # Half of them where the answer can count at all.
        where = [clients[0] if n % 2 == 0 else clients[1 + n // 2 % (processes - 1)] for n in range(uses)]
        answers = await gathered([replayed(each, given, asked.request_state, yes) for each in where])
    what = f"a form's answer, replayed at {processes} processes"
    return Used(what, uses, answers, place.changes[before:], verified(folder))


async def replayed(at: Client, given: dict[str, Any], state: Any, yes: ElicitResult) -> str:
    """Call with an answer and the sealed state of its question."""
    try:
        result = await at.session.call_tool(
            "delete_workspace", given, input_responses={"allow": yes}, request_state=state
        )
    except MCPError:
        return "refused: sealed by another process"
    assert isinstance(result.content[0], TextContent)
    return told(not result.is_error, json.loads(result.content[0].text))


async def kind(call: Awaitable[tuple[bool, dict[str, Any]]]) -> str:
    """How one use was answered."""
    return told(*await call)


def told(worked: bool, answer: dict[str, Any]) -> str:
    """An answer in a word."""
    if worked:
        return "told again" if answer.get("deduplicated") else "done"
    return str(answer.get("error"))


async def gathered(calls: list[Awaitable[str]]) -> Counter[str]:
    """All at once."""
    kinds: Counter[str] = Counter()

    async def one(call: Awaitable[str]) -> None:
        kinds[await call] += 1

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)
    return kinds
