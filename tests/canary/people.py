"""What people see: the page while calls wait, also by a process that knows no value, and what commands print."""

import asyncio
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from molecule_mcp.store import approver
from molecule_mcp.store.sqlite import SqliteStore
from tests.calls.cases.case import of
from tests.calls.harness import PROGRAM
from tests.canary.calls import CANARIES, ENVIRON, calls
from tests.canary.host import Host, host
from tests.canary.rounds import Round, Tally
from tests.canary.tenant import NAMES, Leaky, leaky
from tests.canary.values import Canary
from tests.console.people import hidden

PASSPHRASE = "not a word of this is secret"
TYPED = Canary("page:typed", "typed & kept: 4Hx/8Wq+Lm'2 Zt6")
"""What a person types on the page."""

ASKING = {"set_workspace_secret": of("books", key="TYPED", value_from="page:typed"), "create_org_token": {"name": "n"}}
"""Calls that are carried through: one whose secret is typed, one whose value is shown once."""


COMMANDS = (("doctor",), ("doctor", "--json"), ("call", "list_workspaces"), ("call", "get_overview"))
"""What is run from a terminal, beside `allow` and `audit export`."""


class People(Round):
    """A round of questions that wait on the page, since the host shows no forms."""

    async def run(self) -> Tally:
        """Look at every page, carry two calls through, and search."""
        self.prepare()
        approver.init(self.state, PASSPHRASE)
        tally = Tally()
        async with leaky([*CANARIES, TYPED]) as place:
            place.taints = NAMES
            environ, flags = self.environ(), ("--allow-wait", "0")
            async with host(place.origin, place.key, self.state, self.errors, environ, *flags, asks=False) as connected:
                with stranger(self) as other:
                    pages = Pages(self, place, connected, other)
                    await pages.look(tally)
                    for tool, arguments in ASKING.items():
                        await pages.carry(tool, arguments, tally)
            tally.held = {each.place for each in place.known}
            canaries = [*CANARIES, TYPED, *place.known]
            place.forget()
            self.finish(tally, place, [*connected.lines, *await self.terminal(place)], canaries)
        return tally

    async def terminal(self, place: Leaky) -> list[tuple[str, str, bytes]]:
        """What commands print of good answers and of bad ones; each holds the key and its own variables alone."""
        environ = {"MOLECULE_API_URL": place.origin, "MOLECULE_ORG_TOKEN": place.key}
        for name, value in ENVIRON.items():
            place.note(name, value)
        lines: list[tuple[str, str, bytes]] = []
        for act in (None, place.error("404 Not Found"), place.page("500 Internal Server Error")):
            await place.fail(act)
            for command in COMMANDS:
                said = await asyncio.to_thread(self.command, *command, environ=environ)
                lines.append(("terminal", " ".join(command), said))
        return lines


@contextmanager
def stranger(round_: Round) -> Generator[str]:
    """The page as a process of its own, which holds no value. Yields its address."""
    args = [*PROGRAM, "page", "--port", "0", "--state", str(round_.state)]
    env = {"PATH": "/usr/bin:/bin", **{name: each for name, each in round_.environ().items() if name == "PYTHONPATH"}}
    process = subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)


class Pages:
    """A browser that keeps what it is shown.

    Args:
        other: Address of the page of a process that holds no value.
    """

    def __init__(self, round_: Round, place: Leaky, connected: Host, other: str) -> None:
        self.round, self.place, self.connected, self.other = round_, place, connected, other
        self.waited = False

    async def look(self, tally: Tally) -> None:
        """Call every tool; look at the page of each question, and withdraw it."""
        for tool, arguments in calls(hosted=False, files=False, only=self.round.only):
            self.place.renew()
            answer = await self.connected.call(tool, arguments)
            tally.calls += 1
            tally.worked += answer["worked"]
            tally.tools.add(tool)
            if answer.get("error") == "allow_required":
                await self.plan(answer, tool)

    async def plan(self, answer: dict[str, Any], tool: str) -> None:
        """One question, wherever a person can see it."""
        path, code = str(urlsplit(str(answer["page"])).path), str(answer["code"])
        base = answer["page"].removesuffix(path)
        for address in (answer["page"], f"{self.other}{path}", f"{base}/open?code={code}"):
            await self.shown(tool, address)
        if not self.waited:
            self.waited = True
            await self.shown("everything", base, "/waiting", passphrase=PASSPHRASE)
            said = [await asyncio.to_thread(self.round.command, "allow", *more) for more in ((), (code,))]
            self.connected.lines += [("terminal", "allow", each) for each in said]
        await asyncio.to_thread(withdraw, self.round, code)

    async def carry(self, tool: str, arguments: dict[str, Any], tally: Tally) -> None:
        """A call to its end: what it asks for is typed, the question is allowed, what was minted is looked at once."""
        self.place.renew()
        answer = await self.connected.call(tool, arguments)
        if answer.get("error") == "secret_required":
            await self.shown(tool, answer["page"], value=TYPED.value)
            answer = await self.connected.call(tool, arguments)
        assert answer["error"] == "allow_required", answer
        base = answer["page"].split("/plan/")[0]
        phrase = str(answer["would"][-1]).rsplit(": ", 1)[-1]
        await self.shown(tool, answer["page"], decision="allow", phrase=phrase, passphrase=PASSPHRASE)
        answer = await self.connected.call(tool, arguments)
        assert answer["worked"], answer
        tally.calls += 1
        tally.worked += 1
        outputs = self.round.state / "outputs"
        for name in sorted(path.name for path in outputs.iterdir() if path.name.startswith("org-token")):
            await self.shown("before it is shown", f"{base}/minted/{name}")
            once = await asyncio.to_thread(send, f"{base}/minted/{name}", "", {"passphrase": PASSPHRASE})
            values = [each.value for each in self.place.known if each.place == "the tenant's auth_token"]
            assert any(value in once.text for value in values), "the one time that it may be seen"
            await self.shown("after it was shown", f"{base}/minted/{name}", passphrase=PASSPHRASE)

    async def shown(self, by: str, address: str, form: str = "", **fields: str) -> None:
        """Load a page, and send its form when fields are given; keep what came."""
        said = await asyncio.to_thread(send, address, form, fields)
        self.connected.lines.append(("pages", by, said.content + repr(said.headers.raw).encode()))


def send(address: str, form: str, fields: dict[str, str]) -> httpx.Response:
    """What a browser gets: the page, or the answer to its form at this path."""
    place = urlsplit(address)
    with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as http:
        page = http.get(address)
        if not fields:
            return page
        origin = {"Origin": f"{place.scheme}://{place.netloc}"}
        return http.post(f"{address}{form}", data=hidden(page.text) | fields, headers=origin)


def withdraw(round_: Round, code: str) -> None:
    """End a question without an answer."""
    with closing(SqliteStore(round_.state)) as store:
        stored = store.plan_by_code(code)
        assert stored
        store.refuse(stored.plan.id, "stale", time.time())
