"""Platform instructions."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk

WORKSPACE = "f38946d6-f898-4dbf-88c6-38799b879237"


async def add(desk: Desk, title: str, content: str = "c", **more: Any) -> str:
    """The id of a new instruction, global unless said otherwise."""
    told = await desk.org.post("/instructions", json={"scope": "global", "title": title, "content": content, **more})
    assert told.status_code == 201, told.text
    return told.json()["id"]


async def titles(desk: Desk, query: str = "") -> list[str]:
    """The titles that a list shows."""
    return [row["title"] for row in await desk.json(f"/instructions{query}")]


async def test_a_list_goes_by_scope_priority_and_age(desk: Desk) -> None:
    await add(desk, "role", scope="workspace", scope_target=WORKSPACE, priority=99)
    for title, priority in (("old", 0), ("new", 0), ("first", 10)):
        await add(desk, title, priority=priority, enabled=False)
    assert await titles(desk) == ["first", "old", "new", "role"]
    assert all(row["enabled"] for row in await desk.json("/instructions"))
    assert await titles(desk, "?scope=workspace") == ["role"]
    assert await titles(desk, "?scope=team") == []


async def test_a_workspace_sees_what_is_enabled_and_meant_for_it_whatever_the_scope(desk: Desk) -> None:
    await add(desk, "role", scope="workspace", scope_target=WORKSPACE)
    await add(desk, "other", scope="workspace", scope_target="misspelt")
    off = await add(desk, "off")
    await add(desk, "on", scope_target=WORKSPACE)
    await desk.org.put(f"/instructions/{off}", json={"enabled": False})
    assert await titles(desk, f"?workspace_id={WORKSPACE}&scope=workspace") == ["on", "role"]


async def test_the_merged_text_is_markdown(desk: Desk) -> None:
    await add(desk, "Be kind", "Always be kind.")
    await add(desk, "Verify", "Check facts.", priority=10)
    await add(desk, "Alpha role", "You are alpha.", scope="workspace", scope_target=WORKSPACE)
    told = await desk.json(f"/workspaces/{WORKSPACE}/instructions/resolve")
    assert told == {
        "instructions": "\n## Platform-Wide Rules\n\n### Verify\nCheck facts.\n\n### Be kind\nAlways be kind.\n\n"
        "\n## Role-Specific Rules\n\n### Alpha role\nYou are alpha.\n\n",
        "workspace_id": WORKSPACE,
    }


async def test_any_id_is_resolved(desk: Desk) -> None:
    told = await desk.json("/workspaces/not-a-uuid/instructions/resolve")
    assert told == {"instructions": "", "workspace_id": "not-a-uuid"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"scope": "global", "title": "t"}, "scope, title, and content are required"),
        ({"scope": "global", "title": "", "content": "c"}, "scope, title, and content are required"),
        ({"scope": "global", "title": "t", "content": "c", "priority": "9"}, "scope, title, and content are required"),
        (
            {"scope": "team", "title": "t", "content": "c"},
            "scope must be global or workspace (team scope not yet supported)",
        ),
        ({"scope": "workspace", "title": "t", "content": "c"}, "scope_target required for workspace scope"),
        ({"scope": "global", "title": "t", "content": "ä" * 4097}, "content exceeds 8192 chars"),
        ({"scope": "global", "title": "ä" * 101, "content": "c"}, "title exceeds 200 chars"),
    ],
)
async def test_what_is_no_instruction_is_refused(desk: Desk, body: dict[str, Any], error: str) -> None:
    told = await desk.org.post("/instructions", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})
    assert await titles(desk) == []


@pytest.mark.parametrize("more", [{"priority": 2**31}, {"content": "a\x00b"}])
async def test_what_the_database_cannot_hold_is_a_server_error(desk: Desk, more: dict[str, Any]) -> None:
    body = {"scope": "global", "title": "t", "content": "c", **more}
    told = await desk.org.post("/instructions", json=body)
    assert (told.status_code, told.json()) == (500, {"error": "insert failed"})


async def test_an_update_changes_what_is_given_and_takes_empty_texts(desk: Desk) -> None:
    instruction = await add(desk, "t", "c", priority=3)
    (before,) = await desk.json("/instructions")
    desk.clock.advance(minutes=1)
    given = {"title": "", "content": None, "scope": "workspace", "enabled": False}
    told = await desk.org.put(f"/instructions/{instruction}", json=given)
    assert told.json() == {"status": "updated"}
    (after,) = await desk.json("/instructions")
    assert after == before | {"title": "", "enabled": False, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(
    ("instruction", "body", "status", "error"),
    [
        (UNKNOWN, {"title": 1}, 400, "invalid request"),
        (UNKNOWN, {"title": "t" * 201}, 400, "title exceeds 200 chars"),
        (UNKNOWN, {}, 404, "instruction not found"),
        (UNKNOWN, {"priority": 2**31}, 500, "update failed"),
        ("x", {}, 500, "update failed"),
    ],
)
async def test_an_update_that_fails_says_why(
    desk: Desk, instruction: str, body: dict[str, Any], status: int, error: str
) -> None:
    told = await desk.org.put(f"/instructions/{instruction}", json=body)
    assert (told.status_code, told.json()) == (status, {"error": error})


async def test_a_delete_is_for_good(desk: Desk) -> None:
    instruction = await add(desk, "t")
    assert (await desk.org.delete(f"/instructions/{instruction}")).json() == {"status": "deleted"}
    again = await desk.org.delete(f"/instructions/{instruction}")
    assert (again.status_code, again.json()) == (404, {"error": "instruction not found"})
    malformed = await desk.org.delete("/instructions/x")
    assert (malformed.status_code, malformed.json()) == (500, {"error": "delete failed"})
