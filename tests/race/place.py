"""The sample's tenant on a socket of this process, where a test steps in at exactly one request; and the approver."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from molecule_mcp.console import decisions
from molecule_mcp.store import approver
from molecule_mcp.store.sqlite import SqliteStore
from tests.calls.faults import Faulty, changing

PASSPHRASE = "correct horse battery"
Hook = Callable[[str], Awaitable[None]]


class Watched(httpx.AsyncBaseTransport):
    """The tenant behind the socket.

    Args:
        before: Runs when a request has arrived.
        after: Runs when it was carried out, and is not answered yet.
        executed: The changing requests that were carried out, in order.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.executed: list[str] = []
        self.before: Hook | None = None
        self.after: Hook | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.raw_path.decode()}"
        if self.before:
            await self.before(line)
        answer = await self.inner.handle_async_request(request)
        if changing(line) and answer.is_success:
            self.executed.append(line)
        if self.after:
            await self.after(line)
        return answer


class Place(Faulty):
    """A tenant whose socket can be watched, and that can be changed past it."""

    def __init__(self) -> None:
        super().__init__()
        self._past = self._inner
        self._inner = self.watched = Watched(self._inner)

    async def past(self, method: str, path: str, body: object = None) -> Any:
        """A request past the socket: nobody counts it. Returns the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.key}", "X-Molecule-Org-Id": self.org_id or ""}
        request = httpx.Request(method, self.origin + path, headers=headers, json=body)
        answer = await self._past.handle_async_request(request)
        await answer.aread()
        assert answer.is_success, answer.text
        return answer.json()

    async def make(self, name: str, parent: str | None = None) -> str:
        """A new external workspace, which nothing changes by itself. Returns its id."""
        body = {"name": name, "external": True, "runtime": "external", "url": "http://192.0.2.1:9", "parent_id": parent}
        made = await self.past("POST", "/workspaces", {key: value for key, value in body.items() if value is not None})
        return made["id"]

    async def lives(self, workspace_id: str) -> bool:
        """Whether a workspace still is in the tenant's list."""
        return any(row["id"] == workspace_id for row in await self.past("GET", "/workspaces"))


@asynccontextmanager
async def tenant() -> AsyncGenerator[Place]:
    """A tenant that listens while the block runs."""
    place = Place()
    await place.listen()
    try:
        yield place
    finally:
        await place.hang_up()
        place.close()


def state_folder(folder: Path) -> Path:
    """A state folder with an approver."""
    approver.init(folder, PASSPHRASE)
    return folder


def sign(folder: Path, code: str) -> None:
    """The person allows what waits under this code, with the passphrase."""
    store = SqliteStore(folder)
    try:
        decisions.allow(store, folder, decisions.open_plan(store, code), "allow", PASSPHRASE)
    finally:
        store.close()


def verified(folder: Path) -> str | None:
    """What is wrong with the chain, or None."""
    store = SqliteStore(folder)
    try:
        return store.verify()[1]
    finally:
        store.close()
