"""Rounds: one server process before one leaky tenant, every tool called, and everything searched that anybody sees."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.calls.cases.case import of
from tests.calls.faults import changing
from tests.calls.harness import PROGRAM
from tests.canary.calls import CANARIES, ENVIRON, FILES, RESOURCES, calls
from tests.canary.host import Host, Line, host
from tests.canary.tenant import NAMES, TEXTS, Leaky, leaky
from tests.canary.values import Canary, Find, found

SINKS = ("results", "questions", "progress", "logs", "audit", "pages", "terminal", "state")
"""Results (and errors) of tools and resources; forms; progress; stderr at level DEBUG; the exported audit; the page for
people; what commands print; files of the state folder, but those that are there to hold secrets."""

SECRET_FOLDERS = {"outputs", "secrets"}
PATIENT = {"429 for ever", "silence"}
DEADLINE = "1"
"""Seconds that the server waits for a tenant that never answers."""

TOGETHER = 8
"""Calls at once."""
LONGEST = 150
"""Seconds of the longest call: a change that is followed after its answer was lost."""

GOOD: dict[str, tuple[set[str] | None, bool]] = {
    "good, texts": (TEXTS, False),
    "good, names": (NAMES, False),
    "good, everything": (None, True),
}
"""Rounds of good answers: which fields repeat the values, and whether references lead to files."""

HOSTED = "good, hosted"


@dataclass
class Tally:
    """What a round saw.

    Args:
        size: Bytes that were searched, by sink.
        finds: Canaries where none may be.
        held: Canaries that the server held at the end, by place.
    """

    calls: int = 0
    worked: int = 0
    size: Counter[str] = field(default_factory=Counter[str])
    finds: list[Find] = field(default_factory=list[Find])
    held: set[str] = field(default_factory=set[str])
    tools: set[str] = field(default_factory=set[str])
    failed: list[str] = field(default_factory=list[str])

    def add(self, other: "Tally") -> None:
        """Sum up."""
        self.calls += other.calls
        self.worked += other.worked
        self.size += other.size
        self.finds += other.finds
        self.held |= other.held
        self.tools |= other.tools
        self.failed += other.failed

    def search(self, lines: Iterable[Line], canaries: list[Canary]) -> None:
        """Search what was written; a long text by its lines once something is in it."""
        for sink, by, data in lines:
            self.size[sink] += len(data)
            if b"\n" not in data.strip() or any(found(sink, by, data, canaries)):
                self.finds += [each for line in data.splitlines() for each in found(sink, by, line, canaries)]
                self.finds += [each for each in found(sink, by, data, canaries) if "\n" in each.written]


@dataclass(frozen=True)
class Round:
    """One round.

    Args:
        name: As it is printed: one of GOOD, HOSTED, or a fault.
        folder: For the server's files.
        only: These tools alone; None: all.
        source: A folder with another copy of the program.
    """

    name: str
    folder: Path
    only: frozenset[str] | None = None
    source: Path | None = None

    @property
    def state(self) -> Path:
        """The server's state folder."""
        return self.folder / "state"

    @property
    def errors(self) -> Path:
        """The server's stderr."""
        return self.folder / "stderr"

    def environ(self) -> dict[str, str]:
        """What the server's environment holds more."""
        found = {place.removeprefix("env:"): value for place, value in ENVIRON.items()}
        if self.name in PATIENT:
            found["MOLECULE_MCP_DEADLINE"] = DEADLINE
        if self.name == HOSTED:
            found["MOLECULE_ORG_ID"] = "org-1"
        if self.source:
            found["PYTHONPATH"] = str(self.source / "src")
        return found

    def prepare(self) -> None:
        """Put the values behind file references where they belong."""
        secrets = self.state / "secrets"
        secrets.mkdir(mode=0o700, parents=True)
        self.state.chmod(0o700)
        for place, value in FILES.items():
            path = secrets / place.removeprefix("file:")
            path.touch(mode=0o600)
            path.write_text(value + "\n", encoding="utf-8")

    async def run(self) -> Tally:
        """Make the calls, and search."""
        self.prepare()
        tally = Tally()
        async with AsyncExitStack() as stack:
            place = await stack.enter_async_context(leaky(CANARIES, "org-1" if self.name == HOSTED else None))
            async with host(place.origin, place.key, self.state, self.errors, self.environ()) as connected:
                await self.play(place, connected, tally)
            self.finish(tally, place, connected.lines)
        return tally

    async def play(self, place: Leaky, connected: Host, tally: Tally) -> None:
        """All calls: under good answers, or under a fault at everything and then at changes only."""
        if self.name in GOOD or self.name == HOSTED:
            place.taints, files = GOOD.get(self.name, (TEXTS, False))
            await self.every(place, connected, tally, files=files, renew=True)
            return
        act = place.faults()[self.name]
        await (place.fail(act) if act else place.fall_silent_after(0))
        await self.every(place, connected, tally, files=False)
        if act:
            place.renew()
            await place.fail(act, changing)
            await self.every(place, connected, tally, files=True)

    async def every(self, place: Leaky, connected: Host, tally: Tally, *, files: bool, renew: bool = False) -> None:
        """Every call, several together; one at a time where each wants the sample as it was."""
        together = asyncio.Semaphore(1 if renew else TOGETHER)

        async def one(tool: str, arguments: dict[str, Any]) -> None:
            async with together, asyncio.timeout(LONGEST):
                if renew:
                    place.renew()
                answer = await connected.call(tool, arguments)
                while answer.get("error") == "question_open":  # a person is asked one thing at a time
                    answer = await connected.call(tool, arguments)
                tally.calls += 1
                tally.worked += answer["worked"]
                tally.tools.add(tool)
                if not answer["worked"]:
                    tally.failed.append(f"{tool}: {str(answer)[:300]}")

        hosted = self.name == HOSTED
        await asyncio.gather(*(one(*call) for call in calls(hosted=hosted, files=files, only=self.only)))
        if renew and not hosted:
            await one("write_file", of("seo", path=f"of-{place.key}.md", content="a value where none belongs"))
        for uri in RESOURCES:
            await connected.request("resources/read", {"uri": uri})

    def finish(self, tally: Tally, place: Leaky, lines: list[Line], more: Iterable[Canary] = ()) -> None:
        """Search what the server said, and what it left."""
        canaries = list({each.value: each for each in [*CANARIES, *place.known, *more]}.values())
        tally.held |= {each.place for each in place.known}
        tally.search([*lines, *self.left()], canaries)

    def left(self) -> Iterable[Line]:
        """What stands in the log, the audit and the state folder."""
        yield "logs", self.name, self.errors.read_bytes()
        yield "audit", "audit export", self.command("audit", "export")
        yield "terminal", "allow", self.command("allow")
        for path in sorted(self.state.rglob("*")):
            if path.is_file() and path.relative_to(self.state).parts[0] not in SECRET_FOLDERS:
                yield "state", path.name, path.read_bytes()

    def command(self, *args: str, environ: dict[str, str] | None = None) -> bytes:
        """What a command prints."""
        env = {"PATH": "/usr/bin:/bin", **self.environ(), **(environ or {})}
        command = [*PROGRAM, *args, "--state", str(self.state)]
        run = subprocess.run(command, env=env, capture_output=True, check=False)
        return run.stdout + run.stderr
