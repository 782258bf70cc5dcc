"""A change of nothing is answered with what can be changed."""

from collections.abc import Awaitable, Callable

import pytest
from tests.road.rig import Rig, can_ask, refused
from tests.tools import test_channels, test_instructions, test_schedules

from molecule_mcp.prepared import entries

Ids = dict[str, str]


async def of_a_workspace(rig: Rig) -> Ids:
    """What names a workspace."""
    return {"workspace_id": rig.named("SEO Analyst")}


async def of_a_channel(rig: Rig) -> Ids:
    """What names a channel."""
    workspace, made = await test_channels.connected(rig)
    return {"workspace_id": workspace, "channel": made["id"]}


async def of_an_instruction(_rig: Rig) -> Ids:
    """What names an instruction."""
    return {"instruction_id": test_instructions.TONE}


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ("update_workspace", of_a_workspace),
        ("update_schedule", test_schedules.made),
        ("update_channel", of_a_channel),
        ("update_instruction", of_an_instruction),
    ],
)
async def test_a_change_of_nothing_names_every_argument_that_would_change_something(
    rig: Rig, tool: str, named: Callable[[Rig], Awaitable[Ids]]
) -> None:
    ids = await named(rig)
    before = len(rig.transport.changes)
    error = await refused(rig.road().call(can_ask(), tool, ids))
    told = str(error.advice).removeprefix("Give at least one of: ").removesuffix(".").split(", ")
    assert error.message.startswith("nothing to change was given")
    assert sorted(told) == sorted(entries()[tool].tool["inputSchema"]["properties"].keys() - ids.keys() - {"dry_run"})
    assert len(rig.transport.changes) == before
