"""A program of the same user that was given the text of `allow_required`, and a shell: it makes no yes of its own.

`python -m tests.shell` prints each thing it tries, how often, and what arrived at the tenant. It has `script`, `expect`
and curl, and writes the store's own file, with the chain's key or without. It does not write the approver's files, nor
does it know the passphrase. Exit code 1 when anything of it arrived, or when a person's own yes did not.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp import Client

from molecule_mcp.store import approver
from tests.calls.harness import PROGRAM, TenantProcess, called, client, tenant_process
from tests.calls.terminal import on_terminal
from tests.shell.outside import FROM_OUTSIDE, PASSPHRASE, Attack, Waiting, expecting, on_a_terminal, submitted
from tests.shell.rows import exchanged, granted_rows, set_back, taken_away


@dataclass(frozen=True)
class Tried:
    """One thing that was tried.

    Args:
        arrived: The changing requests that reached the tenant, and that no person had allowed.
        granted: How many yeses the program itself wrote down.
    """

    what: str
    tries: int
    arrived: list[str]
    granted: int
    own: bool = False
    """Whether a person did it, so that exactly one request had to arrive."""

    @property
    def held(self) -> bool:
        """Nothing came of it; of a person's own, what they allowed."""
        if self.own:
            return len(self.arrived) == 1
        return self.tries > 0 and not self.arrived and not self.granted

    def __str__(self) -> str:
        return f"{self.what}: {self.tries} tries, {self.granted} grants, {len(self.arrived)} arrived"


@dataclass
class Siege:
    """One tenant, one machine with an approver, one model that repeats its call, and the program beside it."""

    tenant: TenantProcess
    state: Path
    model: Client

    async def waits(self, tool: str, given: dict[str, Any]) -> Waiting:
        """A call that waits for a person."""
        # The program may remove this file; five tries lock the key only as long as it stands.
        (self.state / "approver.tries").unlink(missing_ok=True)
        self.hide_questions()
        worked, told = await called(self.model, tool, given)
        assert not worked
        assert told["error"] == "allow_required", told
        return Waiting(told, self.state)

    def hide_questions(self) -> None:
        """What waits already shall not keep the next call from being asked about: the program may write that, too."""
        if (self.state / "state.db").exists():
            with closing(sqlite3.connect(self.state / "state.db", timeout=30)) as sql, sql:
                sql.execute("UPDATE plans SET asks = 0")

    async def proven(self, what: str, allow: Callable[[Waiting], object]) -> Tried:
        """The same instrument in the hands of a person with the passphrase: what it does would be seen."""
        given, at = await self.deletion()
        before = len(self.tenant.proxy.changes)
        await anyio.to_thread.run_sync(allow, at)
        worked, told = await called(self.model, "delete_workspace", given)
        assert worked, told
        return Tried(f"control: {what}, the right passphrase", 1, self.tenant.proxy.changes[before:], 1, own=True)

    async def deletion(self) -> tuple[dict[str, Any], Waiting]:
        """The deletion of a new workspace: the call, and how it waits."""
        given = {"workspace_id": self.tenant.make("Victim")}
        return given, await self.waits("delete_workspace", given)

    def yeses(self) -> int:
        """How many yeses the store tells of."""
        with closing(sqlite3.connect(self.state / "state.db", timeout=30)) as sql:
            return sql.execute("SELECT COUNT(*) FROM chain WHERE kind = 'granted'").fetchone()[0]

    async def from_outside(self, what: str, attack: Attack) -> Tried:
        """An attack, and the call made again after it."""
        given, at = await self.deletion()
        before, yeses = len(self.tenant.proxy.changes), self.yeses()
        tries = await anyio.to_thread.run_sync(attack, at)
        await called(self.model, "delete_workspace", given)
        return Tried(what, tries, self.tenant.proxy.changes[before:], self.yeses() - yeses)

    async def forged(self, *, sealed: bool) -> Tried:
        """Rows that say yes, and the call made again after each."""
        given, at = await self.deletion()
        before, tries = len(self.tenant.proxy.changes), 0
        for _ in granted_rows(at, sealed=sealed):
            tries += 1
            await called(self.model, "delete_workspace", given)
        what = "rows that say granted, " + ("sealed with the chain's key, and in the chain" if sealed else "unsealed")
        return Tried(what, tries, self.tenant.proxy.changes[before:], 0)

    async def exchanged(self, where: str, *, sealed: bool) -> Tried:
        """A person allows what they are shown, and something else stands there by then."""
        given, other = await self.deletion()
        wanted = taken_away(other)
        _, at = await self.deletion()
        before = len(self.tenant.proxy.changes)
        change = partial(exchanged, at, wanted, sealed=sealed)
        await anyio.to_thread.run_sync(partial(self.person, at, where, change))
        await called(self.model, "delete_workspace", given)
        what = f"another plan under the code that a person looks at, {where}" + (", its MAC too" if sealed else "")
        return Tried(what, 1, self.tenant.proxy.changes[before:], 0)

    def person(self, at: Waiting, where: str, before_the_passphrase: Callable[[], None]) -> None:
        """Somebody with the passphrase says yes to what they see."""
        if where == "in a terminal":

            def passphrase() -> str:
                before_the_passphrase()
                return PASSPHRASE

            typed = (("or nothing):", "allow"), ("Approver's passphrase:", passphrase))
            on_terminal(at.command[len(PROGRAM) :], *typed)
            return
        submitted(at, PASSPHRASE, before_the_passphrase)

    async def used(self) -> list[Tried]:
        """A person's yes, used once; then it looks unused, to the process that used it and to a new one."""
        workspace = self.tenant.make("Victim")
        given = {"workspace_id": workspace, "key": "KEY", "value_from": "env:MOLECULE_SECRET_ONE"}
        self.tenant.admin.post(f"/workspaces/{workspace}/secrets", json={"key": "KEY", "value": "old"})
        at = await self.waits("set_workspace_secret", given)
        before = len(self.tenant.proxy.changes)
        await anyio.to_thread.run_sync(on_a_terminal, at, PASSPHRASE)
        worked, told = await called(self.model, "set_workspace_secret", given)
        own = self.tenant.proxy.changes[before:]
        assert worked, told
        assert len(own) == 1, own
        found: list[Tried] = []
        for what in ("the process that used it", "a new process"):
            set_back(at)
            before = len(self.tenant.proxy.changes)
            if what == "a new process":
                async with server(self.tenant, self.state) as other:
                    await called(other, "set_workspace_secret", given)
            else:
                await called(self.model, "set_workspace_secret", given)
            found.append(Tried(f"a used yes set back, to {what}", 1, self.tenant.proxy.changes[before:], 0))
        return found


@asynccontextmanager
async def server(tenant: TenantProcess, state: Path) -> AsyncGenerator[Client]:
    """A server whose client cannot be asked."""
    environ = {"MOLECULE_SECRET_ONE": "sesame-0123456789"}
    async with client(tenant, state, mode="2026-07-28", flags=("--allow-wait", "0"), environ=environ) as connected:
        yield connected


PLACES = ("in a terminal", "on the page")
"""Where a person looks at a plan."""

CONTROLS: dict[str, Callable[[Waiting], object]] = {
    "script": lambda at: on_a_terminal(at, PASSPHRASE),
    "expect": lambda at: expecting(at, PASSPHRASE),
    "curl": lambda at: submitted(at, PASSPHRASE),
}


async def besieged(
    state: Path,
    tell: Callable[[Tried], None],
    outside: Sequence[str],
    controls: Sequence[str],
    places: Sequence[str] = PLACES,
) -> None:
    """Everything, one after the other; each is told when it is over."""
    approver.init(state, PASSPHRASE)
    with tenant_process() as tenant:
        async with server(tenant, state) as model:
            siege = Siege(tenant, state, model)
            for what in outside:
                tell(await siege.from_outside(what, FROM_OUTSIDE[what]))
            for what in controls:
                tell(await siege.proven(what, CONTROLS[what]))
            for sealed in (False, True):
                tell(await siege.forged(sealed=sealed))
            for where in places:
                for sealed in (False, True):
                    tell(await siege.exchanged(where, sealed=sealed))
            for tried in await siege.used():
                tell(tried)


async def run() -> bool:
    """All of it, told as it goes."""
    all_held: list[bool] = []

    def tell(tried: Tried) -> None:
        print(f"{'held' if tried.held else 'FELL'}  {tried}", flush=True)
        all_held.append(tried.held)

    with tempfile.TemporaryDirectory() as name:
        await besieged(Path(name), tell, tuple(FROM_OUTSIDE), tuple(CONTROLS))
    return all(all_held)


def main() -> int:
    """Run, and say what was seen."""
    argparse.ArgumentParser(description="A shell of the same user against the gate.").parse_args()
    missing = [name for name in ("script", "expect", "curl") if shutil.which(name) is None]
    if missing:
        print(f"needs {', '.join(missing)}", file=sys.stderr)
        return 2
    held = anyio.run(run)
    print("Nothing was allowed but by the person." if held else "NOT as it should be.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
