"""Key-value memory."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def put(desk: Desk, workspace_id: str, **fields: Any) -> Any:
    """Status and body of a write."""
    told = await desk.org.post(f"/workspaces/{workspace_id}/memory", json=fields)
    return told.status_code, told.json()


async def test_the_last_writer_wins_and_the_version_counts(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    assert await put(desk, workspace_id, key="k", value={"bb": 1, "a": [{"z": 1, "aa": 2}]}) == (
        200,
        {"status": "ok", "key": "k", "version": 1},
    )
    assert (await put(desk, workspace_id, key="k", value=None))[1]["version"] == 2
    assert await desk.json(f"/workspaces/{workspace_id}/memory/k") == {
        "key": "k", "value": None, "version": 2, "updated_at": "2026-11-24T09:00:01Z",
    }  # fmt: skip


async def test_object_keys_come_back_by_length_then_bytes(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await put(desk, workspace_id, key="k", value={"bb": 1, "b": 2, "a": [{"zz": 1, "y": 2}]})
    told = await desk.org.get(f"/workspaces/{workspace_id}/memory/k")
    assert '{"a":[{"y":2,"zz":1}],"b":2,"bb":1}' in told.text


async def test_a_write_over_another_version_is_refused(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    absent = {"error": "if_match_version mismatch: key does not exist", "expected_version": 3, "current_version": None}
    assert await put(desk, workspace_id, key="k", value=1, if_match_version=3) == (409, absent)
    assert (await put(desk, workspace_id, key="k", value=1, if_match_version=0))[0] == 200
    there = {"error": "if_match_version mismatch", "expected_version": 0, "current_version": 1}
    assert await put(desk, workspace_id, key="k", value=2, if_match_version=0) == (409, there)
    assert (await put(desk, workspace_id, key="k", value=2, if_match_version=1))[1]["version"] == 2


async def test_an_expired_entry_is_hidden_but_its_version_counts(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.workspace()
    await put(desk, workspace_id, key="k", value=1, ttl_seconds=10)
    assert (await desk.json(f"/workspaces/{workspace_id}/memory"))[0]["expires_at"] == "2026-11-24T09:00:11Z"
    clock.advance(seconds=10)
    assert (await desk.org.get(f"/workspaces/{workspace_id}/memory/k")).status_code == 404
    assert await desk.json(f"/workspaces/{workspace_id}/memory") == []
    assert (await put(desk, workspace_id, key="k", value=1, if_match_version=0))[0] == 409
    assert (await put(desk, workspace_id, key="k", value=1))[1]["version"] == 2
    assert "expires_at" not in await desk.json(f"/workspaces/{workspace_id}/memory/k")


@pytest.mark.parametrize("ttl", [0, -5, 10**17])
async def test_an_odd_lifetime_is_over_at_once(desk: Desk, ttl: int) -> None:
    workspace_id = await desk.workspace()
    assert (await put(desk, workspace_id, key="k", value=1, ttl_seconds=ttl))[0] == 200
    assert await desk.json(f"/workspaces/{workspace_id}/memory") == []


async def test_a_deleted_entry_starts_again_and_deleting_nothing_is_fine(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await put(desk, workspace_id, key="k", value=1)
    for _ in range(2):
        told = await desk.org.delete(f"/workspaces/{workspace_id}/memory/k")
        assert (told.status_code, told.json()) == (200, {"status": "deleted"})
    assert (await put(desk, workspace_id, key="k", value=1))[1]["version"] == 1
    assert (await desk.org.delete(f"/workspaces/{UNKNOWN}/memory/k")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"key": 5, "value": 1}, 400, "invalid request body"),
        ({"key": "k", "value": 1, "ttl_seconds": "5"}, 400, "invalid request body"),
        ({"key": "", "value": 1}, 400, "key is required"),
        ({"value": 1, "other": 2}, 400, "key is required"),
        ({"key": "k"}, 500, "failed to set memory"),
        ({"key": "k", "value": ["\x00"]}, 500, "failed to set memory"),
        ({"key": "k\x00", "value": 1}, 500, "failed to set memory"),
    ],
)
async def test_what_cannot_be_stored_is_refused(desk: Desk, fields: dict[str, Any], status: int, error: str) -> None:
    assert await put(desk, await desk.workspace(), **fields) == (status, {"error": error})


@pytest.mark.parametrize("workspace_id", [UNKNOWN, "x"])
async def test_a_workspace_that_does_not_exist_takes_nothing(desk: Desk, workspace_id: str) -> None:
    assert await put(desk, workspace_id, key="k", value=1) == (500, {"error": "failed to set memory"})


async def test_malformed_ids_are_server_errors(desk: Desk) -> None:
    assert (await desk.org.get("/workspaces/x/memory")).json() == {"error": "query failed"}
    assert (await desk.org.get("/workspaces/x/memory/k")).json() == {"error": "query failed"}
    assert (await desk.org.delete("/workspaces/x/memory/k")).json() == {"error": "failed to delete"}
