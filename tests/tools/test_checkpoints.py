"""Checkpoints: read, saved over what was there, deleted by workflow."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

MONTH_END = "month-end-2026-10"


def place(rig: Rig, **more: Any) -> dict[str, Any]:
    """The arguments that name the sample's workflow."""
    return {"workspace_id": rig.named("Bookkeeper"), "workflow_id": MONTH_END, **more}


def fail_reads_after_a_change(rig: Rig, answer: httpx.Response) -> None:
    """Let reads after the first change be answered like this."""
    changed = [0]

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        changed[0] += request.method != "GET"
        return answer if changed[0] and request.method == "GET" else None

    rig.transport.before = step_in


async def test_the_latest_and_the_steps_are_read(rig: Rig) -> None:
    books = rig.named("Bookkeeper")
    (latest,) = (await read(rig, "get_latest_checkpoint", workspace_id=books))["checkpoints"]
    assert (latest["step_name"], latest["payload"]) == ("match", {"matched": 187, "open": 25})
    page = await read(rig, "list_checkpoints", **place(rig, limit=1))
    assert (page["total"], page["checkpoints"][0]["step_name"]) == (2, "match")
    rest = await read(rig, "list_checkpoints", **place(rig, cursor=page["next_cursor"]))
    assert [row["step_name"] for row in rest["checkpoints"]] == ["collect"]


async def test_long_payloads_are_cut_unless_their_step_is_named(rig: Rig) -> None:
    rig.app.database.execute("UPDATE checkpoints SET payload = ?", (f'"{"long " * 100}"',))
    rows = (await read(rig, "list_checkpoints", **place(rig)))["checkpoints"]
    assert [(len(row["payload"]), row["cut"]) for row in rows] == [(300, True)] * 2
    (row,) = (await read(rig, "list_checkpoints", **place(rig, step_name="match")))["checkpoints"]
    assert row["payload"] == "long " * 100


async def test_none_is_an_empty_list_and_an_unknown_workspace_is_not(rig: Rig) -> None:
    seo = rig.named("SEO Analyst")
    assert (await read(rig, "get_latest_checkpoint", workspace_id=seo))["total"] == 0
    assert (await read(rig, "list_checkpoints", workspace_id=seo, workflow_id="none"))["checkpoints"] == []
    for tool, more in (("get_latest_checkpoint", {}), ("list_checkpoints", {"workflow_id": "x"})):
        error = await refused(rig.road().call(can_ask(), tool, {"workspace_id": UNKNOWN, **more}))
        assert error.details["status"] == 404


@pytest.mark.parametrize("tool", ["get_latest_checkpoint", "list_checkpoints"])
async def test_a_fault_of_the_tenant_is_not_an_empty_list(rig: Rig, tool: str) -> None:
    async def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500, json={"error": "x"}) if "checkpoints" in request.url.path else None

    rig.transport.before = broken
    given = place(rig) if tool == "list_checkpoints" else {"workspace_id": rig.named("Bookkeeper")}
    assert (await refused(rig.road().call(can_ask(), tool, given))).details["status"] == 500


async def test_a_save_shows_what_it_replaces_and_returns_it(rig: Rig) -> None:
    given = place(rig, step_name="match", step_index=3, payload={"matched": 212, "a": [None]})
    question = (await asked(rig.road(), "save_checkpoint", given)).plan
    text = "\n".join(question.question.lines)
    assert question.risk == "destroy"
    assert "187" in text
    assert "212" in text
    told = await done(rig, "save_checkpoint", given)
    assert (told["overwritten"], told["former_index"], told["former"]) == (True, 1, {"matched": 187, "open": 25})
    (row,) = (await read(rig, "list_checkpoints", **place(rig, step_name="match")))["checkpoints"]
    assert (row["step_index"], row["payload"]) == (3, {"matched": 212, "a": [None]})


async def test_a_new_step_replaces_nothing(rig: Rig) -> None:
    told = await done(rig, "save_checkpoint", place(rig, step_name="book"))
    assert (told["overwritten"], "former" in told) == (False, False)


async def test_a_step_that_the_agent_saves_after_the_question_is_not_overwritten(rig: Rig) -> None:
    given, road = place(rig, step_name="match"), rig.road()
    question = await asked(road, "save_checkpoint", given)
    rig.app.database.execute(
        "UPDATE checkpoints SET completed_at = '2027-01-01T00:00:00.000000Z' WHERE step_name = 'match'"
    )
    error = await refused(answered(road, "save_checkpoint", given, question, allow=True))
    assert error.kind == "stale_plan"
    assert rig.transport.changes == []


@pytest.mark.parametrize(
    "given",
    [
        {"workflow_id": "latest"},
        {"workflow_id": "a/b"},
        {"workflow_id": ".."},
        {"payload": "\x00"},
        {"step_index": 2**31},
    ],
)
async def test_what_could_not_be_stored_or_read_again_is_refused(rig: Rig, given: dict[str, Any]) -> None:
    error = await refused(rig.road().call(can_ask(), "save_checkpoint", place(rig, step_name="s") | given))
    assert error.kind == "arguments"
    assert rig.transport.changes == []


async def test_a_delete_shows_every_step(rig: Rig) -> None:
    question = (await asked(rig.road(), "delete_checkpoints", place(rig))).plan
    text = "\n".join(question.question.lines)
    assert question.risk == "destroy"
    assert "collect" in text
    assert "match" in text
    assert await done(rig, "delete_checkpoints", place(rig)) == {"workflow_id": MONTH_END, "deleted": 2, "gone": True}
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (await refused(rig.road().call(can_ask(), "delete_checkpoints", place(rig)))).kind == "arguments"


@pytest.mark.parametrize(("tool", "more"), [("save_checkpoint", {"step_name": "s"}), ("delete_checkpoints", {})])
async def test_a_change_that_cannot_be_read_back_is_told_as_sent(rig: Rig, tool: str, more: dict[str, str]) -> None:
    fail_reads_after_a_change(rig, httpx.Response(500, json={"error": "x"}))
    assert (await refused(done(rig, tool, place(rig, **more)))).sent is True


async def test_a_step_that_the_tenant_does_not_list_is_not_called_saved(rig: Rig) -> None:
    fail_reads_after_a_change(rig, httpx.Response(200, json=[]))
    error = await refused(done(rig, "save_checkpoint", place(rig, step_name="s")))
    assert (error.kind, error.sent) == ("unreadable_answer", True)
