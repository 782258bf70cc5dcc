"""Every tool against one way for a tenant to fail: what each call tells, and what that costs the server's process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from mcp import Client

from molecule_mcp.errors import Sent
from molecule_mcp.prepared import entries
from tests.calls import harness
from tests.calls.cases import cases
from tests.calls.cases.case import ENVIRON, Case
from tests.calls.faults import FAULTS, Fault, Faulty, changing, error, faulty
from tests.calls.harness import Doors, Person, called, http_process

MOST_GROWN = 16 << 20
"""Bytes of memory that a server may keep of one kind of failure, over all tools."""

TOGETHER = 8
"""Calls at once: as many as the server sends at once, so that none waits for its turn while its deadline runs."""

DEADLINE = 2
"""Seconds that the server waits for a tenant that never answers."""

LONGEST = 20
"""Seconds within which a call is over: a few exchanges, each within its deadline, on a busy machine."""

FOLLOWED = 90
"""The same of a change that is followed after its answer was lost."""


async def complaints(name: str, folder: Path, *, quick: bool = False) -> list[str]:
    """What is wrong with how the tools fail in this way; an empty list when nothing is.

    Args:
        quick: Leave out the changes that are followed for long.
    """
    async with failing(name, folder) as started:
        started.rows = {tool: case for tool, case in changes().items() if not (quick and case.follows)}
        return await started.complaints()


async def unread(name: str, folder: Path) -> list[str]:
    """What is wrong with what the tools tell when only the reads after a change fail in this way."""
    async with failing(name, folder) as started:
        return await started.every(changes(), started.after_the_change, alone=True)


@asynccontextmanager
async def failing(name: str, folder: Path) -> AsyncGenerator["Failing"]:
    """A server before a tenant of this fault."""
    fault = FAULTS[name]
    environ = ENVIRON | ({"MOLECULE_MCP_DEADLINE": str(DEADLINE)} if fault.patient else {})
    async with faulty() as place:
        with http_process(place, folder, environ=environ) as doors:
            async with doors.client("http", person=Person(harness.exactly_yes)) as client:
                await client.list_tools()
                yield Failing(place, doors, client, fault)


def changes() -> dict[str, Case]:
    """The rows of the tools that change something."""
    return {name: case for name, case in cases().items() if case.seen or case.unseen}


@dataclass
class Failing:
    """One server before one tenant that fails in one way.

    Args:
        rows: The changes that are tried.
    """

    place: Faulty
    doors: Doors
    client: Client
    fault: Fault
    rows: dict[str, Case] = field(default_factory=dict[str, Case])
    numbers: Iterator[int] = field(default_factory=count)
    over: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Told of the end of every call."""

    def anew(self, name: str, case: Case) -> dict[str, Any]:
        """The arguments of a call that repeats none before it."""
        if "client_token" not in entries()[name].tool["inputSchema"]["properties"]:
            return case.arguments
        return {**case.arguments, "client_token": f"call-{next(self.numbers)}"}

    async def call(self, name: str, case: Case) -> tuple[bool, dict[str, Any]]:
        """One call; where another's question is open, once more after some call has ended."""
        arguments = self.anew(name, case)
        while True:
            worked, answer = await called(self.client, name, arguments)
            async with self.over:
                if answer.get("error") != "question_open":
                    self.over.notify_all()
                    return worked, answer
                await self.over.wait()

    async def complaints(self) -> list[str]:
        """What is wrong: at the first request of every tool, at the change of those that make one, and in memory."""
        rows = cases()
        # Once through all of them, so that everything is loaded before memory is measured.
        await self.place.fail(error("401 Unauthorized"))
        await self.every(rows, self.quietly)
        before = resident(self.doors)
        await (self.place.fail(self.fault.act) if self.fault.act else self.place.fall_silent_after(0))
        # What goes out all the same is tried at the change, once: a call in doubt is not sent again.
        stopped = {name: case for name, case in rows.items() if not (case.blind or (case.raw and self.fault.taken))}
        found = await self.every(stopped, self.at_first, alone=self.fault.alone)
        found += await self.at_changes()
        grown = resident(self.doors) - before
        return found if grown < MOST_GROWN else [*found, f"the server grew by {grown >> 20} MB"]

    async def at_changes(self) -> list[str]:
        """What is wrong when only the changes fail."""
        if self.fault.act is None:
            return await self.every(self.rows, self.before_the_change, alone=True)
        self.place.renew()
        await self.place.fail(self.fault.act, changing)
        found = await self.every(self.rows, self.at_the_change, alone=self.fault.alone)
        return found if len(self.place.changes) >= len(self.rows) else [*found, "some changes never arrived"]

    async def every(
        self, rows: dict[str, Case], call: Callable[[str, Case], Awaitable[list[str]]], *, alone: bool = False
    ) -> list[str]:
        """Make the call of every row, one at a time or several together."""
        together = asyncio.Semaphore(1 if alone else TOGETHER)

        async def one(name: str, case: Case) -> list[str]:
            async with together:
                try:
                    async with asyncio.timeout(FOLLOWED if case.follows else LONGEST):
                        return [f"{name}: {each}" for each in await call(name, case)]
                except TimeoutError:
                    return [f"{name}: not over in time"]

        return sum(await asyncio.gather(*(one(*row) for row in rows.items())), list[str]())

    async def quietly(self, name: str, case: Case) -> list[str]:
        """A call that nobody looks at."""
        await self.call(name, case)
        return []

    async def at_first(self, name: str, case: Case) -> list[str]:
        """Every request fails, so nothing is changed."""
        return await self.told(name, case, False)

    async def at_the_change(self, name: str, case: Case) -> list[str]:
        """Only what changes something fails."""
        return await self.told(name, case, self.fault.change)

    async def after_the_change(self, name: str, case: Case) -> list[str]:
        """The change is done, and what is read then fails: it is no failed change, and is not called unseen."""
        self.place.renew()
        await self.place.fail(self.fault.act, lambda line: bool(self.place.changes) and not changing(line))
        worked, answer = await called(self.client, name, self.anew(name, case))
        if not self.place.changes:
            return [f"changed nothing: {answer}"]
        read = len(self.place.seen) - self.place.seen.index(self.place.changes[0]) - 1
        if (worked and read and not case.vague) or (not worked and answer["sent"] is not True):
            return [f"{answer}, with {read} reads after the change"]
        return []

    async def before_the_change(self, name: str, case: Case) -> list[str]:
        """Nobody listens any more when it comes to the change."""
        self.place.renew()
        await self.place.fail(error("401 Unauthorized"), changing)
        _, answer = await called(self.client, name, self.anew(name, case))
        if not self.place.changes:
            return [f"changed nothing: {answer}"]
        await self.place.fall_silent_after(self.place.seen.index(self.place.changes[0]))
        return await self.told(name, case, self.fault.change)

    async def told(self, name: str, case: Case, sent: Sent) -> list[str]:
        """What is wrong with what a call tells, which can say no more than this about what was sent."""
        worked, answer = await self.call(name, case)
        honest = {sent, "unknown"} if case.doubt and sent else {sent}
        if worked or answer["sent"] not in honest or not answer["message"]:
            return [f"{answer}, but sent is {sent}"]
        return []


def resident(doors: Doors) -> int:
    """Bytes of memory that the server's process holds."""
    lines = Path(f"/proc/{doors.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))
