"""Consoles."""

from collections.abc import Callable

from tests.embedded.support import ADMIN, UNKNOWN, Desk


async def test_a_tenant_without_a_control_plane_has_none_whatever_the_id(desk: Desk) -> None:
    for each in (await desk.workspace(), UNKNOWN, "x"):
        told = await desk.org.get(f"/workspaces/{each}/console")
        assert told.status_code == 501
        assert told.json() == {"error": "console output unavailable on this deployment (no control plane)"}


async def test_a_hosted_one_shows_what_the_machine_wrote_at_its_start(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id="o")
    client = desk.client(ADMIN, **{"X-Molecule-Org-Id": "o"})
    workspace_id = (await client.post("/workspaces", json={"name": "a"})).json()["id"]
    assert workspace_id in (await client.get(f"/workspaces/{workspace_id}/console")).json()["output"]
    assert (await client.get(f"/workspaces/{UNKNOWN}/console")).status_code == 502
