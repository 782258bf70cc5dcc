"""A tenant in process, its clock, and clients for each kind of credential."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from molecule_mcp.embedded import App, Options
from molecule_mcp.embedded.app import build
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.lifecycle import START_SECONDS
from molecule_mcp.embedded.routing import Route

ADMIN = "deployers-own-secret"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        """Let time pass: `advance(minutes=5)`."""
        self.time += timedelta(**span)


class Desk:
    """A tenant with the clients that talk to it: `http` sends no credential, `org` an organization key."""

    def __init__(self, clock: Clock, routes: Sequence[Route] | None = None, **options: Any) -> None:
        settings: dict[str, Any] = {
            "admin_token": ADMIN,
            "empty": True,
            "rate_limit": None,
            "agents": False,
            "clock": clock,
        }
        chosen = Options(**(settings | options))
        self.clock = clock
        self.app = build(chosen) if routes is None else App(Instance(chosen), routes)
        self.key = self.app.mint_org_key("tests")
        self.http = self.client()
        self.org = self.client(self.key)

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client with a bearer, or without one."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://tenant", headers=headers)

    async def workspace(self, name: str = "Plain", **fields: Any) -> str:
        """The id of a new managed workspace that is online."""
        made = await self.admin.post("/workspaces", json={"name": name, **fields})
        assert made.status_code == 201, made.text
        self.clock.advance(seconds=START_SECONDS)
        self.app.tick()
        return made.json()["id"]

    async def external(self, name: str = "Outside", **fields: Any) -> str:
        """The id of a new external workspace, online, without any token."""
        return await self.workspace(name, runtime="external", url="https://agent.example", **fields)

    @property
    def admin(self) -> httpx.AsyncClient:
        """A client with the deployer's secret."""
        return self.client(ADMIN)

    async def token(self, workspace_id: str) -> str:
        """A fresh token of a workspace."""
        made = await self.org.post(f"/workspaces/{workspace_id}/tokens")
        assert made.status_code == 201, made.text
        return made.json()["auth_token"]

    async def status(self, workspace_id: str) -> str:
        """A workspace's status now."""
        return (await self.http.get(f"/workspaces/{workspace_id}")).json()["status"]

    async def json(self, path: str) -> Any:
        """What an organization key reads at a path, 200 or an assertion error."""
        told = await self.org.get(path)
        assert told.status_code == 200, told.text
        return told.json()

    def cell(self, sql: str, *values: Any) -> Any:
        """The first cell of a query on the tenant's database."""
        return self.app.database.execute(sql, values).fetchone()[0]
