"""Workspace images."""

from collections.abc import Callable

from tests.embedded.support import Desk

PATH = "/admin/workspace-images/refresh"


async def test_all_images_are_pulled_and_what_runs_on_them_is_recreated(desk: Desk) -> None:
    first, second = await desk.workspace(runtime="claude-code"), await desk.workspace()
    outside, paused = await desk.external(), await desk.workspace()
    await desk.org.post(f"/workspaces/{paused}/pause")
    told = (await desk.org.post(PATH)).json()
    assert (len(told["pulled"]), told["failed"]) == (8, [])
    assert told["recreated"] == [f"ws-{first[:12]}", f"ws-{second[:12]}"]
    assert [await desk.status(each) for each in (first, second, outside, paused)] == [
        "provisioning",
        "provisioning",
        "online",
        "paused",
    ]


async def test_one_image_is_pulled_and_nothing_recreated_unless_the_text_is_true(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    for query in ("recreate=false", "recreate=True", "recreate=1", "recreate="):
        told = (await desk.org.post(f"{PATH}?runtime=langgraph&{query}")).json()
        assert told == {"pulled": ["langgraph"], "failed": [], "recreated": []}
    assert await desk.status(workspace_id) == "online"


async def test_an_unknown_runtime_is_answered_with_the_known_ones(desk: Desk) -> None:
    told = await desk.org.post(f"{PATH}?runtime=zzz")
    assert (told.status_code, told.json()["error"], len(told.json()["known_runtimes"])) == (
        400,
        "unknown runtime: zzz",
        8,
    )


async def test_without_a_daemon_every_pull_fails_with_success(desks: Callable[..., Desk]) -> None:
    desk = desks(docker=False)
    failed = {"pulled": [], "failed": ["langgraph"], "recreated": []}
    told = await desk.org.post(f"{PATH}?runtime=langgraph&recreate=false")
    assert (told.status_code, told.json()) == (200, failed)
    told = await desk.org.post(f"{PATH}?runtime=langgraph")
    assert (told.status_code, told.json()["partial_result"]) == (500, failed)


async def test_a_hosted_tenant_has_no_such_route(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id="o")
    told = await desk.client(desk.key, **{"X-Molecule-Org-Id": "o"}).post(PATH)
    assert (told.status_code, told.text) == (404, "404 page not found")
