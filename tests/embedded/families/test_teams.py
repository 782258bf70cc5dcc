"""Hibernation and teams."""

from collections.abc import Callable

from tests.embedded.support import UNKNOWN, Desk


async def test_hibernate_says_that_it_did_and_changes_nothing(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    before = await desk.json(f"/workspaces/{workspace_id}")
    told = await desk.org.post(f"/workspaces/{workspace_id}/hibernate")
    assert (told.status_code, told.json()) == (200, {"status": "hibernated"})
    assert await desk.json(f"/workspaces/{workspace_id}") == before


async def test_a_busy_workspace_hibernates_by_force_only_and_one_that_does_not_run_never(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    path = f"/workspaces/{workspace_id}/hibernate"
    desk.app.database.execute("UPDATE workspaces SET active_tasks = 2")
    told = await desk.org.post(path)
    assert (told.status_code, told.json()["active_tasks"]) == (409, 2)
    assert (await desk.org.post(f"{path}?force=1")).status_code == 409
    assert (await desk.org.post(f"{path}?force=true")).status_code == 200
    await desk.org.post(f"/workspaces/{workspace_id}/pause")
    for each in (workspace_id, UNKNOWN):
        told = await desk.org.post(f"/workspaces/{each}/hibernate")
        assert (told.status_code, "not in a hibernatable state" in told.json()["error"]) == (404, True)
    assert (await desk.org.post("/workspaces/x/hibernate")).json() == {"error": "lookup failed"}


FILES = {
    "config.yaml": "name: Research Lead\nsub_workspaces:\n  - name: Librarian\n    role: Finds facts\n"
    "  - config: claude-code-default\n  - other\n"
}


async def test_expand_makes_the_whole_team_anew_at_every_call(desk: Desk) -> None:
    await desk.org.post("/templates/import", json={"name": "Research Lead", "files": FILES})
    lead = await desk.workspace("Research LEAD", tier=4)
    for size in (3, 6):
        told = (await desk.org.post(f"/workspaces/{lead}/expand")).json()
        assert [(child["name"], child["role"]) for child in told["children"]] == [
            ("Librarian", "Finds facts"),
            ("claude-code-default", ""),
            ("other", ""),
        ]
        rows = [row for row in await desk.json("/workspaces") if row["parent_id"] == lead]
        assert len(rows) == size
        assert {(row["tier"], row["runtime"]) for row in rows} == {(4, "langgraph")}
    desk.clock.advance(seconds=2)
    assert await desk.status(told["children"][0]["id"]) == "online"


async def test_without_containers_the_team_is_rows_that_fail_after_ten_minutes(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id="o")
    client = desk.client(desk.key, **{"X-Molecule-Org-Id": "o"})
    await client.post("/templates/import", json={"name": "team", "files": FILES})
    lead = (await client.post("/workspaces", json={"name": "Research Lead"})).json()["id"]
    child = (await client.post(f"/workspaces/{lead}/expand")).json()["children"][0]["id"]
    for minutes, status in ((9, "provisioning"), (2, "failed")):
        desk.clock.advance(minutes=minutes)
        assert (await client.get(f"/workspaces/{child}")).json()["status"] == status


async def test_a_name_without_a_template_or_with_a_lonely_one_makes_nothing(desk: Desk) -> None:
    await desk.org.post("/templates/import", json={"name": "lonely", "files": {"config.yaml": "name: x\n"}})
    for name, error in (
        ("Nobody", "no config found for workspace"),
        ("Lonely", "workspace has no sub_workspaces defined in config"),
    ):
        told = await desk.org.post(f"/workspaces/{await desk.workspace(name)}/expand")
        assert (told.status_code, told.json()) == (400, {"error": error})
    assert (await desk.org.post(f"/workspaces/{UNKNOWN}/expand")).status_code == 404
    assert (await desk.org.post("/workspaces/x/expand")).json() == {"error": "lookup failed"}


async def test_collapse_removes_direct_children_and_leaves_all_that_they_had(desk: Desk) -> None:
    lead = await desk.workspace("lead")
    child = await desk.workspace("child", parent_id=lead)
    grandchild = await desk.workspace("grandchild", parent_id=child)
    await desk.org.post(f"/workspaces/{child}/schedules", json={"cron_expr": "* * * * *", "prompt": "p"})
    told = await desk.org.post(f"/workspaces/{lead}/collapse")
    assert told.json() == {"status": "collapsed", "removed": ["child"]}
    assert [await desk.status(each) for each in (lead, child, grandchild)] == ["online", "removed", "online"]
    assert desk.cell("SELECT count(*) FROM workspace_tokens WHERE workspace_id = ? AND revoked_at IS NULL", child) == 1
    assert desk.cell("SELECT enabled FROM schedules WHERE workspace_id = ?", child) == 1
    for each in (lead, UNKNOWN):
        told = await desk.org.post(f"/workspaces/{each}/collapse")
        assert (told.status_code, told.json()) == (200, {"status": "collapsed", "removed": []})
    assert (await desk.org.post("/workspaces/x/collapse")).json() == {"error": "failed to query children"}
