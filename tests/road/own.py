"""Tools of a test's own, for what no tool of the program does."""

from typing import Any

import httpx

from molecule_mcp.capability import Family, Risk
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer
from tests.road.rig import Rig

READ, SEND = "GET /workspaces/{id}", "POST /workspaces/{id}/channels"
VALUE = "a-value-nobody-sees"


class Told(Answer):
    """What a tool of these tests answers."""

    seen: str = ""


def made(function: Any, risk: Risk = Risk.DISRUPT, **more: Any) -> dict[str, Any]:
    """What a road finds instead of its own tools: this one."""
    family = Family("test")
    family.tool(risk, sends=[READ] if risk is Risk.READ else [READ, SEND], title="Test", **more)(function)
    return {"find": family.capabilities.get}


async def send(tenant: Tenant, workspace_id: str) -> dict[str, Any]:
    """The changing request of these tests."""
    return await tenant.send("POST", "/workspaces/{id}/channels", dict[str, Any], id=workspace_id, body={"a": 1})


async def read(tenant: Tenant, workspace_id: str) -> str:
    """The read of these tests."""
    return str((await tenant.read("/workspaces/{id}", dict[str, Any], id=workspace_id))["name"])


async def named_so(request: httpx.Request) -> httpx.Response:
    """A tenant in whose every answer stands a known value."""
    return httpx.Response(200, json={"name": VALUE})


def bodies(rig: Rig, kind: str) -> list[dict[str, Any]]:
    """The bodies of the records of a kind, oldest first."""
    return [dict(each.body) for each in rig.road().context.store().records() if each.kind == kind]
