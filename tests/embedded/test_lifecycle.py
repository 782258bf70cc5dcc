"""Starts and the time that they take."""

from collections.abc import Callable

from tests.embedded.support import Clock, Desk


async def test_a_managed_workspace_comes_online_when_its_container_has_started(desk: Desk, clock: Clock) -> None:
    made = (await desk.org.post("/workspaces", json={"name": "New"})).json()
    assert await desk.status(made["id"]) == "provisioning"
    clock.advance(seconds=1)
    row = (await desk.http.get(f"/workspaces/{made['id']}")).json()
    assert (row["status"], row["url"]) == ("online", f"http://ws-{made['id'][:12]}:8000")
    assert row["agent_card"]["name"] == "New"
    kinds = [event["event_type"] for event in await desk.json(f"/events/{made['id']}")]
    assert kinds == ["WORKSPACE_ONLINE", "WORKSPACE_PROVISIONING"]


async def test_a_start_fails_while_the_container_daemon_is_down(desks: Callable[..., Desk]) -> None:
    desk = desks(docker=False)
    workspace_id = await desk.workspace()
    row = (await desk.json("/workspaces"))[0]
    assert (row["status"], row["last_sample_error"]) == ("failed", "workspace start failed")
    event = (await desk.json(f"/events/{workspace_id}"))[0]
    assert (event["event_type"], event["payload"]) == (
        "WORKSPACE_PROVISION_FAILED",
        {"error": "workspace start failed"},
    )


async def test_a_hosted_tenant_starts_without_docker(desks: Callable[..., Desk], clock: Clock) -> None:
    desk = desks(org_id="o", docker=False)
    client = desk.client(desk.key, **{"X-Molecule-Org-Id": "o"})
    made = (await client.post("/workspaces", json={"name": "New"})).json()
    clock.advance(seconds=1)
    assert (await client.get(f"/workspaces/{made['id']}")).json()["status"] == "online"


async def test_an_awaited_agent_that_does_not_come_fails_after_ten_minutes(desk: Desk, clock: Clock) -> None:
    made = (await desk.org.post("/workspaces", json={"name": "Out", "runtime": "external"})).json()
    clock.advance(minutes=10)
    assert await desk.status(made["id"]) == "provisioning"
    clock.advance(seconds=1)
    assert await desk.status(made["id"]) == "failed"


async def test_a_cycle_of_parents_ends_every_walk(desk: Desk) -> None:
    """Deviation: the tenant hangs on these, which would stop the whole process here."""
    a = await desk.workspace("A")
    b = await desk.workspace("B", parent_id=a)
    await desk.org.patch(f"/workspaces/{a}", json={"parent_id": b})
    assert (await desk.org.post(f"/workspaces/{a}/pause")).json()["paused_count"] == 2
    assert (await desk.org.post(f"/workspaces/{a}/restart")).status_code == 409
    deleted = await desk.org.delete(f"/workspaces/{a}?confirm=true")
    assert deleted.json() == {"status": "removed", "cascade_deleted": 1}
