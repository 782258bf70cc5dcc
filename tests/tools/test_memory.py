"""Key-value entries: read, written over what was read, deleted after a yes."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done

from molecule_mcp.road.traffic import Caller, Done

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def read(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    """The answer of a call that changes nothing."""
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured


async def put(rig: Rig, workspace: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    """Write one entry."""
    return await done(rig, "set_memory_entry", {"workspace_id": workspace, "key": key, "value": value, **more})


async def test_a_new_entry_is_written_and_read(rig: Rig) -> None:
    workspace = rig.named("SEO Analyst")
    told = await put(rig, workspace, "plan", {"a": [1]}, ttl_seconds=3600)
    assert (told["version"], told["overwritten"]) == (1, False)
    shown = await read(rig, "get_memory_entry", workspace_id=workspace, key="plan")
    assert (shown["value"], shown["version"], shown["expires_at"]) == ({"a": [1]}, 1, told["expires_at"])


async def test_an_overwrite_returns_what_was_there_and_is_held_to_it(rig: Rig) -> None:
    workspace = rig.named("Ticket Triage")
    told = await put(rig, workspace, "cursor", None)
    assert (told["former"], told["version"], told["overwritten"]) == ({"last_ticket": 88412}, 4, True)
    assert b'"if_match_version":3' in rig.transport.bodies[-2]
    assert "value" not in await read(rig, "get_memory_entry", workspace_id=workspace, key="cursor")


async def test_a_write_that_slips_in_between_is_not_lost(rig: Rig) -> None:
    workspace = rig.named("Ticket Triage")

    async def meanwhile(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            rig.app.database.execute("UPDATE memory SET version = 9, value = '\"theirs\"' WHERE key = 'cursor'")
        return None

    rig.transport.before = meanwhile
    given = {"workspace_id": workspace, "key": "cursor", "value": "mine"}
    error = await refused(rig.road().call(can_ask(), "set_memory_entry", given))
    assert error.details["status"] == 409
    assert (await read(rig, "get_memory_entry", workspace_id=workspace, key="cursor"))["value"] == "theirs"


async def test_another_version_than_expected_is_told_before_anything_is_sent(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Ticket Triage"), "key": "cursor", "value": 1, "if_match_version": 0}
    error = await refused(rig.road().call(can_ask(), "set_memory_entry", given))
    assert (error.kind, error.details) == ("arguments", {"version": 3})
    assert rig.transport.changes == []


async def test_an_expired_entry_in_the_way_is_explained_and_can_be_written_over(rig: Rig) -> None:
    workspace = rig.named("Ticket Triage")
    rig.app.database.execute("UPDATE memory SET expires_at = '2020-01-01T00:00:00.000000Z' WHERE key = 'cursor'")
    given = {"workspace_id": workspace, "key": "cursor", "value": 1}
    error = await refused(rig.road().call(can_ask(), "set_memory_entry", given))
    assert (error.details["status"], error.sent) == (409, True)
    assert "if_match_version=3" in str(error.advice)
    told = await put(rig, workspace, "cursor", 1, if_match_version=3)
    assert (told["version"], told["overwritten"]) == (4, False)


async def test_an_entry_that_is_gone_when_read_back_is_told(rig: Rig) -> None:
    workspace, seen = rig.named("SEO Analyst"), [0]

    async def gone(request: httpx.Request) -> httpx.Response | None:
        seen[0] += request.method == "POST"
        if seen[0] and request.method == "GET":
            rig.app.database.execute("DELETE FROM memory WHERE key = 'k'")
        return None

    rig.transport.before = gone
    assert "note" in await put(rig, workspace, "k", 1)


@pytest.mark.parametrize(("tool", "more"), [("set_memory_entry", {"value": 1}), ("delete_memory_entry", {})])
async def test_a_read_back_that_fails_is_told_as_sent(rig: Rig, tool: str, more: dict[str, int]) -> None:
    seen = [0]

    async def broken(request: httpx.Request) -> httpx.Response | None:
        seen[0] += request.method in {"POST", "DELETE"}
        return httpx.Response(500, json={"error": "query failed"}) if seen[0] and request.method == "GET" else None

    rig.transport.before = broken
    given = {"workspace_id": rig.named("Ticket Triage"), "key": "cursor", **more}
    error = await refused(done(rig, tool, given))
    assert (error.kind, error.sent) == ("unreadable_answer", True)


@pytest.mark.parametrize(
    "given",
    [{"key": "a/b", "value": 1}, {"key": "..", "value": 1}, {"key": "k", "value": {"a": ["\x00"]}}, {"key": "k"}],
)
async def test_what_could_never_be_read_again_is_refused(rig: Rig, given: dict[str, Any]) -> None:
    workspace = rig.named("SEO Analyst")
    error = await refused(rig.road().call(can_ask(), "set_memory_entry", {"workspace_id": workspace, **given}))
    assert error.kind == "arguments"
    assert rig.transport.changes == []


async def test_a_list_is_paged_and_cuts_long_values(rig: Rig) -> None:
    workspace = rig.named("SEO Analyst")
    for key in ("a", "b", "c"):
        await put(rig, workspace, key, f"{key}\u202e" * 400)
    page = await read(rig, "list_memory_entries", workspace_id=workspace, limit=2)
    assert (page["total"], [row["key"] for row in page["entries"]]) == (3, ["a", "b"])
    assert (len(page["entries"][0]["value"]), page["entries"][0]["cut"]) == (300, True)
    assert "\u202e" not in str(page)
    rest = await read(rig, "list_memory_entries", workspace_id=workspace, cursor=page["next_cursor"])
    assert [row["key"] for row in rest["entries"]] == ["c"]
    assert len((await read(rig, "get_memory_entry", workspace_id=workspace, key="c"))["value"]) == 400


async def test_an_unknown_workspace_or_key_is_not_an_empty_one(rig: Rig) -> None:
    for tool, given in (
        ("list_memory_entries", {"workspace_id": UNKNOWN}),
        ("get_memory_entry", {"workspace_id": rig.named("SEO Analyst"), "key": "none"}),
    ):
        assert (await refused(rig.road().call(Caller(), tool, given))).details["status"] == 404


async def test_a_delete_shows_the_value_asks_and_returns_it(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Ticket Triage"), "key": "cursor"}
    question = (await asked(rig.road(), "delete_memory_entry", given)).plan
    assert question.risk == "destroy"
    assert any("88412" in line for line in question.question.lines)
    told = await done(rig, "delete_memory_entry", given)
    assert told == {"key": "cursor", "gone": True, "former": {"last_ticket": 88412}}
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (await refused(rig.road().call(can_ask(), "delete_memory_entry", given))).details["status"] == 404


async def test_a_value_that_changes_after_the_question_stops_the_delete(rig: Rig) -> None:
    workspace = rig.named("Ticket Triage")
    given = {"workspace_id": workspace, "key": "cursor"}
    road = rig.road()
    question = await asked(road, "delete_memory_entry", given)
    await put(rig, workspace, "cursor", "newer")
    error = await refused(answered(road, "delete_memory_entry", given, question, allow=True))
    assert error.kind == "stale_plan"
