"""A model that steers by arguments: whatever it puts into an id or a key, not one byte leaves."""

from typing import Any

import pytest

from molecule_mcp import tools
from molecule_mcp.errors import MoleculeError
from molecule_mcp.tenant import Wire
from tests.road.rig import Rig, can_ask
from tests.tenant.loopback import loopback, said, says
from tests.tenant.test_paths import HOSTILE

ID = "28f5febc-a42c-4eb1-abd6-eb7443e25203"
GOOD: dict[str, Any] = {
    "workspace_id": ID, "approval_id": ID, "token_id": ID, "key": "OPENAI_API_KEY", "name": "x",
    "value_from": "env:MOLECULE_SECRET_KEY",
}  # fmt: skip
IN_PATHS = {"workspace_id", "approval_id", "token_id", "key", "parent_id"}
"""Parameters whose value ends up in a path, or names a workspace."""


def calls() -> list[tuple[str, str]]:
    """Every tool with every such parameter of it."""
    return [
        (name, parameter)
        for name, capability in tools.catalogue().items()
        for parameter in sorted(IN_PATHS & capability.function.__annotations__.keys())
    ]


@pytest.mark.parametrize(("tool", "parameter"), calls())
async def test_a_hostile_value_sends_nothing_at_all(rig: Rig, tool: str, parameter: str) -> None:
    async with loopback(says(said(b"[]"))) as server:
        wire = Wire(server.origin, "k" * 43)
        road = rig.road(wire=lambda: wire)
        wanted = tools.catalogue()[tool].function.__annotations__
        for hostile in HOSTILE:
            if parameter == "parent_id" and hostile == "":
                continue  # says that there is none
            given = {name: value for name, value in GOOD.items() if name in wanted} | {parameter: hostile}
            with pytest.raises(MoleculeError) as refused:
                await road.call(can_ask(), tool, given)
            assert (refused.value.kind, refused.value.sent) == ("arguments", False), hostile
        assert (server.connections, server.received) == (0, b"")


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each and len(each) < 256])
async def test_a_hostile_name_leads_to_the_list_and_to_no_other_route(rig: Rig, hostile: str) -> None:
    """get_workspace takes names, which are looked up in the list; no route is made of them."""
    with pytest.raises(MoleculeError):
        await rig.road().call(can_ask(), "get_workspace", {"workspace": hostile})
    assert set(rig.transport.lines) <= {"GET /workspaces"}
