"""List, read, change and delete workspaces."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def test_the_list_is_oldest_first_and_leaves_removed_ones_out(desk: Desk) -> None:
    first, gone, last = [await desk.workspace(name) for name in ("first", "gone", "last")]
    await desk.org.delete(f"/workspaces/{gone}")
    assert [row["id"] for row in await desk.json("/workspaces")] == [first, last]


async def test_only_the_list_shows_what_is_sensitive(desk: Desk) -> None:
    workspace_id = await desk.workspace(budget_limit=5)
    sensitive = {"current_task", "last_sample_error", "budget_limit", "monthly_spend", "workspace_dir"}
    assert sensitive <= (await desk.json("/workspaces"))[0].keys()
    assert not sensitive & (await desk.json(f"/workspaces/{workspace_id}")).keys()


@pytest.mark.parametrize(("workspace_id", "status"), [("not-a-uuid", 400), (UNKNOWN, 404)])
async def test_reading_what_does_not_exist(desk: Desk, workspace_id: str, status: int) -> None:
    assert (await desk.http.get(f"/workspaces/{workspace_id}")).status_code == status


class TestState:
    async def test_the_agent_reads_its_own_state(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        client = desk.client(await desk.token(workspace_id))
        state = {"workspace_id": workspace_id, "status": "online", "paused": False, "deleted": False}
        assert (await client.get(f"/workspaces/{workspace_id}/state")).json() == state
        await desk.org.post(f"/workspaces/{workspace_id}/pause")
        assert (await client.get(f"/workspaces/{workspace_id}/state")).json()["paused"] is True

    async def test_a_removed_and_an_unknown_workspace_are_gone(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        await desk.org.delete(f"/workspaces/{workspace_id}")
        gone = await desk.org.get(f"/workspaces/{workspace_id}/state")
        assert (gone.status_code, gone.json()["status"]) == (404, "removed")
        never = await desk.org.get(f"/workspaces/{UNKNOWN}/state")
        assert (never.status_code, never.json()) == (404, {"workspace_id": UNKNOWN, "deleted": True})

    async def test_a_malformed_id_is_a_server_error(self, desk: Desk) -> None:
        told = await desk.org.get("/workspaces/x/state")
        assert (told.status_code, told.json()) == (500, {"error": "auth check failed"})


class TestUpdate:
    @pytest.mark.parametrize(
        ("field", "value", "read"),
        [
            ("name", "New", "New"),
            ("name", "", ""),
            ("name", None, "Plain"),
            ("name", 5, "Plain"),
            ("role", "Writes", "Writes"),
            ("role", None, None),
            ("tier", 9, 9),
            ("tier", 2.0, 2),
            ("tier", 2.5, 3),
            ("tier", "abc", 3),
            ("tier", 2**40, 3),
            ("collapsed", True, True),
            ("collapsed", 1, False),
            ("runtime", "hermes", "hermes"),
            ("parent_id", UNKNOWN, None),
            ("parent_id", "x", None),
            ("workspace_dir", "/srv/work", "/srv/work"),
            ("workspace_dir", "", None),
            ("status", "online", "online"),
            ("budget_limit", 5, None),
            ("x", 5, 0),
        ],
    )
    async def test_what_the_database_takes_is_stored_and_the_rest_is_not(
        self, desk: Desk, field: str, value: Any, read: Any
    ) -> None:
        """Contract: 200 "updated" either way."""
        workspace_id = await desk.workspace()
        told = await desk.org.patch(f"/workspaces/{workspace_id}", json={field: value})
        assert (told.status_code, told.json()["status"]) == (200, "updated")
        assert (await desk.json("/workspaces"))[0][field] == read

    async def test_a_place_needs_both_numbers(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        await desk.org.patch(f"/workspaces/{workspace_id}", json={"x": 1.5, "y": 2})
        row = await desk.json(f"/workspaces/{workspace_id}")
        assert (row["x"], row["y"]) == (1.5, 2)

    async def test_a_parent_is_set_and_taken_away(self, desk: Desk) -> None:
        parent, child = await desk.workspace("parent"), await desk.workspace("child")
        for value in (parent, None):
            await desk.org.patch(f"/workspaces/{child}", json={"parent_id": value})
            assert (await desk.json(f"/workspaces/{child}"))["parent_id"] == value

    async def test_a_new_directory_needs_a_restart(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        told = await desk.org.patch(f"/workspaces/{workspace_id}", json={"workspace_dir": None})
        assert told.json() == {"status": "updated", "needs_restart": True}

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b"[]", "invalid request body"),
            (b"", "invalid request body"),
            (b'{"name": "a|b"}', "name contains invalid characters"),
            (b'{"runtime": "a\\nb"}', "runtime contains invalid characters"),
            (b'{"name": "' + b"x" * 256 + b'"}', "name must be at most 255 characters"),
            (b'{"workspace_dir": "/etc/x"}', "invalid workspace directory"),
            (b'{"workspace_dir": 5}', "invalid workspace directory"),
        ],
    )
    async def test_a_bad_text_is_refused_by_name(self, desk: Desk, body: bytes, error: str) -> None:
        told = await desk.org.patch(f"/workspaces/{await desk.workspace()}", content=body)
        assert (told.status_code, told.json()) == (400, {"error": error})

    async def test_ids_are_checked_and_null_is_a_body(self, desk: Desk) -> None:
        assert (await desk.org.patch("/workspaces/x", json={})).status_code == 400
        assert (await desk.org.patch(f"/workspaces/{UNKNOWN}", json={})).status_code == 404
        assert (await desk.org.patch(f"/workspaces/{await desk.workspace()}", content=b"null")).status_code == 200


class TestDelete:
    async def test_without_children_it_acts_at_once(self, desk: Desk) -> None:
        workspace_id = await desk.workspace(canvas={"x": 5, "y": 6})
        told = await desk.org.delete(f"/workspaces/{workspace_id}")
        assert told.json() == {"status": "removed", "cascade_deleted": 0}
        row = await desk.json(f"/workspaces/{workspace_id}")
        assert (row["status"], row["url"], row["x"], row["y"]) == ("removed", "", 0, 0)

    async def test_soft_deletion_revokes_tokens_disables_schedules_and_keeps_the_rest(self, desk: Desk) -> None:
        workspace_id = await desk.workspace(secrets={"A": "b"})
        token = await desk.token(workspace_id)
        path = f"/workspaces/{workspace_id}"
        await desk.org.post(f"{path}/schedules", json={"cron_expr": "0 0 * * *", "prompt": "p"})
        await desk.org.post(f"{path}/memory", json={"key": "k", "value": 1})
        await desk.org.delete(path)
        assert (await desk.client(token).get(f"{path}/memory")).status_code == 401
        assert (await desk.json(f"{path}/schedules"))[0]["enabled"] is False
        assert (await desk.json(f"{path}/memory"))[0]["value"] == 1
        assert await desk.json(f"{path}/secrets/values") == {"A": "b"}

    @pytest.mark.parametrize("confirm", ["", "?confirm=1", "?confirm=yes", "?confirm=TRUE", "?purge=true"])
    async def test_children_need_the_literal_true(self, desk: Desk, confirm: str) -> None:
        parent = await desk.workspace("parent")
        child = await desk.workspace("child", parent_id=parent)
        told = await desk.org.delete(f"/workspaces/{parent}{confirm}")
        assert told.status_code == 409
        assert told.json()["children"] == [{"id": child, "name": "child"}]
        assert told.json()["children_count"] == 1
        assert await desk.status(parent) == "online"

    async def test_confirmed_it_takes_every_descendant(self, desk: Desk) -> None:
        top = await desk.workspace("top")
        mid = await desk.workspace("mid", parent_id=top)
        leaf = await desk.workspace("leaf", parent_id=mid)
        told = await desk.org.delete(f"/workspaces/{top}?confirm=true")
        assert told.json() == {"status": "removed", "cascade_deleted": 2}
        assert [await desk.status(each) for each in (top, mid, leaf)] == ["removed"] * 3

    async def test_a_purge_erases_rows_but_not_events_nor_children_removed_before(self, desk: Desk) -> None:
        parent = await desk.workspace("parent", secrets={"A": "b"})
        earlier, child = [await desk.workspace(name, parent_id=parent) for name in ("earlier", "child")]
        await desk.org.delete(f"/workspaces/{earlier}")
        told = await desk.org.delete(f"/workspaces/{parent}?confirm=true&purge=true")
        assert told.json() == {"status": "purged", "cascade_deleted": 1}
        assert (await desk.http.get(f"/workspaces/{parent}")).status_code == 404
        assert (await desk.http.get(f"/workspaces/{child}")).status_code == 404
        assert (await desk.json(f"/workspaces/{earlier}"))["parent_id"] is None
        assert desk.cell("SELECT count(*) FROM workspace_secrets") == 0
        assert (await desk.json(f"/events/{parent}"))[0]["event_type"] == "WORKSPACE_REMOVED"

    async def test_only_the_literal_true_purges(self, desk: Desk) -> None:
        workspace_id = await desk.workspace()
        assert (await desk.org.delete(f"/workspaces/{workspace_id}?purge=1")).json()["status"] == "removed"
        assert await desk.status(workspace_id) == "removed"

    async def test_an_unknown_id_is_said_to_be_removed(self, desk: Desk) -> None:
        """Contract: a defect that clients must cope with."""
        told = await desk.org.delete(f"/workspaces/{UNKNOWN}")
        assert (told.status_code, told.json()) == (200, {"status": "removed", "cascade_deleted": 0})

    async def test_a_malformed_id_is_refused(self, desk: Desk) -> None:
        assert (await desk.org.delete("/workspaces/x")).status_code == 400

    async def test_a_stop_that_fails_answers_500_after_everything_is_removed(self, desks: Callable[..., Desk]) -> None:
        desk = desks(docker=False)
        workspace_id = await desk.workspace()
        for _ in range(2):
            told = await desk.org.delete(f"/workspaces/{workspace_id}?purge=true")
            assert (told.status_code, told.json()["stop_failures"], told.json()["removed_count"]) == (500, 1, 1)
            assert await desk.status(workspace_id) == "removed"

    async def test_an_external_one_needs_no_stop(self, desks: Callable[..., Desk]) -> None:
        desk = desks(docker=False)
        assert (await desk.org.delete(f"/workspaces/{await desk.external()}")).status_code == 200


async def test_the_time_of_the_last_message_is_shown(desk: Desk, clock: Clock) -> None:
    workspace_id = await desk.workspace()
    desk.app.database.execute("UPDATE workspaces SET last_outbound_at = '2026-11-24T09:00:00.500000Z'")
    assert (await desk.json(f"/workspaces/{workspace_id}"))["last_outbound_at"] == "2026-11-24T09:00:00.5Z"
