"""A server process that is killed while it makes a granted call, and the next one that finds what it left.

Each call is of a workspace of its own, so that what arrived for it can be counted. The next process first only reads,
then makes the killed call again: it is told what is known, and nothing that may have been done is done again.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molecule_mcp.store.sqlite import SqliteStore
from tests.calls.harness import PROGRAM
from tests.race.place import Place, sign, state_folder
from tests.store import making

POINTS = ("claim within", "claim after", "send before", "send after", "outcome within", "outcome after")
"""Where a process dies: within a transaction or after its commit; before the tenant acts on the request, or after."""

CARRIED_OUT = frozenset({"send after", "outcome within"})
"""Of these, where the tenant did what it was asked, and the outcome is unknown."""

GREETING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


@dataclass
class Killed:
    """What a run of kills came to.

    Args:
        kills: How many processes died at each point.
        answers: What a killed call was answered when it was made again.
        wrong: What is not as it should be.
    """

    kills: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    intents: int = 0
    executed: int = 0
    states: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        done, unknown = self.states["done"], self.states["unknown"]
        kills = ", ".join(f"{count} at {point}" for point, count in self.kills.items())
        answers = ", ".join(f"{count} {kind}" for kind, count in self.answers.most_common())
        return (
            f"killed: {kills}\n"
            f"made again: {answers}\n"
            f"{self.intents} intents; done {done} <= executed {self.executed} <= done + unknown {done + unknown}"
        )


class Server:
    """A greeted server on stdio whose client cannot be asked."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._number = 0

    async def ask(self, method: str, **params: Any) -> dict[str, Any] | None:
        """One request and its result; None when the process is gone."""
        self._number += 1
        await self.say({"id": self._number, "method": method, "params": params})
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            message = json.loads(line)
            if message.get("id") == self._number:
                return message["result"]
        return None

    async def call(self, tool: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """One call of a tool and its answer."""
        result = await self.ask("tools/call", name=tool, arguments=given)
        return None if result is None else json.loads(result["content"][0]["text"])

    async def say(self, message: dict[str, Any]) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def server(place: Place, folder: Path, die: Path) -> AsyncGenerator[Server]:
    """A server that ends itself where the file says."""
    env = {"MOLECULE_API_URL": place.origin, "MOLECULE_ORG_TOKEN": place.key}
    command = [sys.executable, "-m", "tests.race.dying", str(die), "serve", "--allow-wait", "0", "--state", str(folder)]
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, limit=2**20
    )
    started = Server(process)
    try:
        await started.ask("initialize", **GREETING)
        await started.say({"method": "notifications/initialized"})
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass
class Killing:
    """A run: one tenant, one state folder, one process after another."""

    place: Place
    folder: Path
    die: Path
    found: Killed = field(default_factory=Killed)
    last: tuple[str, str] | None = None

    async def run(self, times: int, points: Sequence[str]) -> Killed:
        """So many kills at each point, in turn; then a last process that finds what the last kill left."""
        state_folder(self.folder)
        for number in range(times):
            for point in points:
                await self.kill(point, await self.place.make(f"Kill {number}"))
        async with server(self.place, self.folder, self.die) as process:
            await self.begin(process)
        self.count()
        return self.found

    async def kill(self, point: str, target: str) -> None:
        """One process: it finds what the one before it left, has its own call granted, and dies in it."""
        given = {"workspace_id": target}
        async with server(self.place, self.folder, self.die) as process:
            await self.begin(process)
            first = await process.call("delete_workspace", given)
            if first is None or first["error"] != "allow_required":
                self.found.wrong.append(f"{point}: a call was not asked about: {first}")
                return
            sign(self.folder, first["code"])
            self.arm(point, target, process)
            if (answer := await process.call("delete_workspace", given)) is not None:
                self.found.wrong.append(f"{point}: the process did not die but answered {answer}")
            self.disarm()
            if await process.process.wait() != -signal.SIGKILL:
                self.found.wrong.append(f"{point}: the process ended with {process.process.returncode}")
        self.found.kills[point] += 1
        self.last = point, target

    def arm(self, point: str, target: str, process: Server) -> None:
        """Have the process die at this point of its next send."""
        self.die.write_text(point)

        async def kill(line: str) -> None:
            if line == f"DELETE /workspaces/{target}":
                process.process.kill()
                await process.process.wait()
                if point == "send before":
                    raise ConnectionError

        self.place.watched.before = kill if point == "send before" else None
        self.place.watched.after = kill if point == "send after" else None

    def disarm(self) -> None:
        """Nothing dies from now on."""
        self.die.unlink()
        self.place.watched.before = self.place.watched.after = None

    async def begin(self, process: Server) -> None:
        """What a new process does by itself, and what the killed call is told when it is made again."""
        if self.last is None:
            return
        point, target = self.last
        before = list(self.place.changes)
        await process.call("list_workspaces", {"limit": 1})
        if self.place.changes != before:
            self.found.wrong.append(f"{point}: something was sent by itself")
        told = await process.call("delete_workspace", {"workspace_id": target}) or {}
        kind = str(told.get("error", "done"))
        self.found.answers[f"{kind} after {point}"] += 1
        # Within the claim nothing was claimed, so the grant is unused and the repeated call uses it.
        kinds = {"done"} if point == "claim within" else {"unknown_outcome"}
        if point in CARRIED_OUT:
            # The next process reads that it happened, sooner or later than it is asked here.
            kinds.add("already_done")
        if kind not in kinds or (self.place.changes == before) != (kind != "done"):
            self.found.wrong.append(f"{point}: made again it was answered {told}")
        if left := self.opened():
            self.found.wrong.append(f"{point}: {left} intents were left open")

    def opened(self) -> int:
        """How many intents have no outcome."""
        return len(making.open_intents(self.folder))

    def count(self) -> None:
        """What the chain and the tenant say of it all."""
        found, store = self.found, SqliteStore(self.folder)
        records = list(store.records())
        store.close()
        executed = Counter(self.place.watched.executed)
        intended = Counter(f"{r.body['method']} {r.body['path']}" for r in records if r.kind == "intent")
        found.states = Counter(r.body["state"] for r in records if r.kind == "outcome")
        found.intents, found.executed = intended.total(), executed.total()
        found.wrong += [f"{line} was carried out {n} times" for line, n in executed.items() if n > intended[line]]
        found.wrong += [f"{line} has {n} intents" for line, n in intended.items() if n > 1]
        if found.states.total() != found.intents:
            found.wrong.append(f"{found.states.total()} outcomes")
        if not found.states["done"] <= found.executed <= found.states["done"] + found.states["unknown"]:
            found.wrong.append("the numbers do not fit")
        if found.states["failed"]:
            found.wrong.append(f"{found.states['failed']} failed")


def audited(folder: Path) -> tuple[bool, str]:
    """`molecule-mcp audit verify`: whether the chain is whole, and what it says."""
    command = [*PROGRAM, "audit", "verify", "--state", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode == 0 and "the chain is whole" in ended.stdout, ended.stdout.strip()
