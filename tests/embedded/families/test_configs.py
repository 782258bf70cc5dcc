"""Stored configs and model overrides."""

from collections.abc import Callable
from typing import Any

from tests.embedded.support import UNKNOWN, Desk


async def test_a_model_is_set_and_cleared_and_restarts_the_workspace(desk: Desk) -> None:
    workspace_id = await desk.workspace(model="given-at-creation")
    path = f"/workspaces/{workspace_id}/model"
    assert await desk.json(path) == {"model": "", "source": "default"}
    assert (await desk.org.put(path, json={"model": "a:b"})).json() == {"status": "saved", "model": "a:b"}
    assert await desk.status(workspace_id) == "provisioning"
    assert await desk.json(path) == {"model": "a:b", "source": "workspace_secrets"}
    (secret,) = await desk.json(f"/workspaces/{workspace_id}/secrets")
    assert secret["key"] == "MODEL_PROVIDER"
    assert (await desk.org.put(path, json={})).json() == {"status": "cleared"}
    assert await desk.json(path) == {"model": "", "source": "default"}


async def test_a_hosted_tenant_restarts_nothing(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id="o")
    client = desk.client(desk.key, **{"X-Molecule-Org-Id": "o"})
    made = await client.post("/workspaces", json={"name": "a"})
    desk.clock.advance(seconds=2)
    path = f"/workspaces/{made.json()['id']}"
    await client.put(f"{path}/model", json={"model": "m"})
    assert (await client.get(path)).json()["status"] == "online"


async def test_what_is_no_model_or_of_no_workspace_is_refused(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/model"
    cases: list[tuple[str, Any, int, str]] = [
        (path, {"model": 1}, 400, "invalid request body"),
        ("/workspaces/x/model", {"model": "m"}, 400, "invalid workspace ID"),
        (f"/workspaces/{UNKNOWN}/model", {"model": "m"}, 500, "failed to save model"),
    ]
    for place, body, status, error in cases:
        told = await desk.org.put(place, json=body)
        assert (told.status_code, told.json()) == (status, {"error": error})
    assert (await desk.org.put(f"/workspaces/{UNKNOWN}/model", json={})).status_code == 200
    assert await desk.json(f"/workspaces/{UNKNOWN}/model") == {"model": "", "source": "default"}
    assert (await desk.org.get("/workspaces/x/model")).json() == {"error": "query failed"}


async def config(desk: Desk, path: str, *bodies: Any) -> Any:
    """The document after these changes."""
    for body in bodies:
        assert (await desk.org.patch(path, json=body)).json() == {"status": "updated"}
    return (await desk.json(path))["data"]


async def test_a_merge_replaces_what_is_nested_and_keeps_null(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/config"
    assert await config(desk, path) == {}
    told = await config(desk, path, {"a": 1, "nest": {"x": 1, "y": 2}}, {"nest": {"z": 3}, "b": None})
    assert told == {"a": 1, "nest": {"z": 3}, "b": None}


async def test_an_array_turns_the_document_into_an_array_for_good(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/config"
    assert await config(desk, path, {"a": 1}, [2, 3]) == [{"a": 1}, 2, 3]
    assert await config(desk, path, {"b": 4}) == [{"a": 1}, 2, 3, {"b": 4}]


async def test_what_is_no_json_too_large_or_of_no_workspace_is_refused(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/config"
    assert (await desk.org.patch(path, content=b"{")).json() == {"error": "invalid JSON"}
    told = await desk.org.patch(path, json={"a": "x" * 262_144})
    assert (told.status_code, told.json()) == (413, {"error": "body too large or unreadable"})
    for place, body in ((path, {"a": "\x00"}), (f"/workspaces/{UNKNOWN}/config", {}), ("/workspaces/x/config", {})):
        told = await desk.org.patch(place, json=body)
        assert (told.status_code, told.json()) == (500, {"error": "failed to update config"})
    assert await desk.json(f"/workspaces/{UNKNOWN}/config") == {"data": {}}
    assert (await desk.org.get("/workspaces/x/config")).json() == {"error": "query failed"}
