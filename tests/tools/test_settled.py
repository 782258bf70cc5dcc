"""Whether a request whose outcome was lost took effect, read from the tenant: each tool that can tell, both ways."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig

from molecule_mcp import tools
from molecule_mcp.capability import Past, changing
from molecule_mcp.embedded.times import stored
from molecule_mcp.errors import TenantRefused
from molecule_mcp.road.sending import reading
from molecule_mcp.tenant import paths
from molecule_mcp.tools import settled
from molecule_mcp.tools.settled import SKEW

THING = {
    "delete_channel": ("channels", "workspace_id", "id"),
    "delete_schedule": ("schedules", "workspace_id", "id"),
    "delete_memory": ("memories", "workspace_id", "id"),
    "delete_memory_entry": ("memory", "workspace_id", "key"),
    "delete_checkpoints": ("checkpoints", "workspace_id", "workflow_id"),
    "delete_workspace_secret": ("workspace_secrets", "workspace_id", "key"),
    "revoke_workspace_token": ("workspace_tokens", "workspace_id", "id"),
    "delete_workspace": ("workspaces", "id", ""),
    "delete_instruction": ("instructions", "id", ""),
    "revoke_org_token": ("org_tokens", "id", ""),
    "delete_global_secret": ("global_secrets", "key", ""),
}
"""Tool that deletes -> the tenant's table, and the columns that its path names."""

NAMED = {"delete_memory_entry": "updated_at", "delete_checkpoints": "completed_at",
         "delete_workspace_secret": "updated_at", "delete_global_secret": "updated_at"}  # fmt: skip
"""Tools whose things have names -> the column that says when one was last touched."""

UNTOLD = {
    "uninstall_plugin": "its restart hides what is installed",
    "remove_agent": "no route reads the note",
}
"""Tools that delete and cannot tell, and why."""


def some(rig: Rig, tool: str) -> list[str]:
    """The path's values of one thing of the sample; live, and in a workspace that is there."""
    table, *columns = THING[tool]
    live = "revoked_at IS NULL" if "token" in table else "status != 'removed'" if table == "workspaces" else "1"
    row = rig.app.database.execute(
        f"SELECT {', '.join(filter(None, columns))} FROM {table} WHERE {live} ORDER BY rowid LIMIT 1"
    ).fetchone()
    return [str(each) for each in row]


async def seen(
    rig: Rig,
    tool: str,
    values: list[str],
    at: float,
    query: Mapping[str, str] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> bool | None:
    """What a tool reads of a request that it sent then."""
    context, capability = rig.road().context, tools.catalogue()[tool]
    (route,) = filter(changing, capability.sends)
    names = paths.PARAMETER.findall(route)
    assert capability.settle
    past = Past(dict(zip(names, values, strict=True)), query or {}, at, arguments or {})
    found = await capability.settle(reading(context, capability), past)
    assert rig.transport.changes == []
    return found


async def delete(rig: Rig, tool: str, values: list[str]) -> None:
    """Carry it out past the counted transport."""
    (route,) = filter(changing, tools.catalogue()[tool].sends)
    template = route.removeprefix("DELETE ")
    path = paths.fill(template, dict(zip(paths.PARAMETER.findall(template), values, strict=True)))
    key = rig.app.mint_org_key("past")
    headers = {"Authorization": f"Bearer {key}"}
    request = httpx.Request("DELETE", f"http://127.0.0.1{path}?confirm=true", headers=headers)
    answer = await rig.transport.inner.handle_async_request(request)
    assert answer.is_success, await answer.aread()
    await answer.aclose()


def test_every_tool_that_deletes_can_tell_or_is_named_with_why_not() -> None:
    deleting = {name for name, each in tools.catalogue().items() if any(r.startswith("DELETE ") for r in each.sends)}
    told = {name for name, each in tools.catalogue().items() if each.settle}
    assert deleting - told == UNTOLD.keys()
    assert told - deleting == {"create_org_token"}
    assert deleting & told == THING.keys()


@pytest.mark.parametrize("tool", THING)
async def test_what_is_still_there_was_not_deleted_and_what_is_gone_was(rig: Rig, tool: str) -> None:
    values, later = some(rig, tool), time.time() + 2 * SKEW
    assert await seen(rig, tool, values, later) is False
    await delete(rig, tool, values)
    assert await seen(rig, tool, values, later) is True


@pytest.mark.parametrize("tool", NAMED)
async def test_what_has_a_name_may_have_been_made_anew(rig: Rig, tool: str) -> None:
    values = some(rig, tool)
    touched = f"UPDATE {THING[tool][0]} SET {NAMED[tool]} = ?"
    rig.app.database.execute(touched, (stored(datetime.now(UTC)),))
    assert await seen(rig, tool, values, time.time()) is None
    assert await seen(rig, tool, values, time.time() + 2 * SKEW) is False


def test_a_time_lies_before_another_only_when_no_clock_can_be_so_wrong() -> None:
    assert settled.before("1970-01-01T00:10:00Z", 600 + SKEW + 1)
    assert not settled.before("1970-01-01T00:10:00Z", 600 + SKEW)


async def test_a_purge_is_told_from_a_delete(rig: Rig) -> None:
    purge = {"purge": "true"}
    values = some(rig, "delete_workspace")
    assert await seen(rig, "delete_workspace", values, 0, query=purge) is False
    await delete(rig, "delete_workspace", values)
    assert await seen(rig, "delete_workspace", values, 0, query=purge) is None
    rig.app.database.execute("DELETE FROM workspaces WHERE id = ?", values)
    assert await seen(rig, "delete_workspace", values, 0, query=purge) is True


async def test_a_workspace_that_may_not_be_read_is_not_taken_for_one_that_is_gone(rig: Rig) -> None:
    async def forbidden(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"error": "no"})

    rig.transport.before = forbidden
    with pytest.raises(TenantRefused):
        await seen(rig, "delete_workspace", some(rig, "delete_workspace"), 0)


@pytest.mark.parametrize(("tool", "full"), [("revoke_org_token", 500), ("revoke_workspace_token", 200)])
@pytest.mark.parametrize("short", [0, 1])
async def test_what_is_missing_in_a_list_that_was_cut_need_not_be_gone(
    rig: Rig, tool: str, full: int, short: int
) -> None:
    values = some(rig, tool)
    row = {"id": "x", "prefix": "x", "created_at": "2026-11-24T09:00:00Z"}

    async def long(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"tokens": [row] * (full - short), "count": full})

    rig.transport.before = long
    assert await seen(rig, tool, values, 0) is (True if short else None)


@pytest.mark.parametrize(
    ("labels", "verdict"), [(["other"], False), (["mine", "other"], True), (["mine", "mine"], None)]
)
async def test_a_minted_key_is_told_by_its_label_as_long_as_one_came_since(
    rig: Rig, labels: list[str], verdict: bool | None
) -> None:
    for label in labels:
        rig.app.mint_org_key(label)
    now = time.time()
    assert await seen(rig, "create_org_token", [], now, arguments={"name": "mine"}) is verdict
    assert await seen(rig, "create_org_token", [], now + 2 * SKEW, arguments={"name": "mine"}) is False
    assert await seen(rig, "create_org_token", [], now) is None
