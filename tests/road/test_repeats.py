"""A call that comes again is answered with what became of the first; the tenant sees it once."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from molecule_mcp.errors import GateStop, StoreError
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.calls import Road
from molecule_mcp.road.repeats import PATIENCE, RECENT
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.secrets import Secrets
from molecule_mcp.store.records import KEPT, Store
from molecule_mcp.store.sqlite import SqliteStore
from tests.road.rig import Rig, answered, asked, can_ask, refused


def message(rig: Rig, **more: str) -> dict[str, Any]:
    """A request to a person, which the tenant would open as often as it is told."""
    return {
        "workspace_id": rig.named("SEO Analyst"),
        "name": "Digest",
        "prompt": "Write",
        "cron_expr": "0 0 * * *",
        **more,
    }


TOOL = "create_schedule"


async def called(road: Road, tool: str, given: dict[str, Any], caller: Caller | None = None) -> Done:
    """Call, and expect an answer."""
    outcome = await road.call(caller or Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome


async def lost(request: httpx.Request) -> httpx.Response | None:
    """A connection that breaks after a changing request has left."""
    if request.method != "GET":
        raise httpx.ReadTimeout("lost", request=request)
    return None


class Late:
    """The store, but another process makes the call between the look and the beginning."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def earlier(self, _call: object) -> None:
        return None


async def test_a_repeat_gets_the_first_answer_marked_also_in_another_process(rig: Rig) -> None:
    first = await called(rig.road(), TOOL, message(rig))
    again = await called(rig.road(), TOOL, message(rig))
    assert again.structured == {**first.structured, "deduplicated": True}
    assert '"deduplicated":true' in again.text
    assert len(rig.transport.changes) == 1


async def test_a_repeat_two_minutes_later_is_a_new_call(rig: Rig) -> None:
    await called(rig.road(), TOOL, message(rig))
    rig.clock.now += RECENT
    error = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert "of this name" in error.message


async def test_another_principal_or_argument_repeats_nothing(rig: Rig) -> None:
    await called(rig.road(), TOOL, message(rig))
    assert "deduplicated" not in (await called(rig.road(), TOOL, message(rig, name="Another"))).structured
    error = await refused(rig.road().call(Caller("somebody else"), TOOL, message(rig)))
    assert "of this name" in error.message


async def test_a_call_that_was_refused_before_it_sent_anything_is_made_again(rig: Rig) -> None:
    given = message(rig)

    async def down(request: httpx.Request) -> httpx.Response | None:
        raise httpx.ConnectError("down", request=request)

    rig.transport.before = down
    assert (await refused(rig.road().call(Caller(), TOOL, given))).sent is False
    rig.transport.before = None
    assert "deduplicated" not in (await called(rig.road(), TOOL, given)).structured


async def test_a_call_that_the_tenant_refused_is_made_again(rig: Rig) -> None:
    async def busy(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(409, json={"error": "busy"}) if request.method == "POST" else None

    rig.transport.before = busy
    assert (await refused(rig.road().call(Caller(), TOOL, message(rig)))).sent is True
    rig.transport.before = None
    assert "deduplicated" not in (await called(rig.road(), TOOL, message(rig))).structured


async def test_a_create_in_doubt_is_not_sent_again_for_a_day_but_by_another_token(rig: Rig) -> None:
    rig.transport.before = lost
    first = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    rig.transport.before = None
    assert first.sent == "unknown"
    rig.clock.now += KEPT - 1
    again = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert (again.kind, again.sent, again.details["deduplicated"]) == (first.kind, "unknown", True)
    assert "Read the present state" in str(again.advice)
    assert "client_token" in str(again.advice)
    assert len(rig.transport.changes) == 1
    assert "deduplicated" not in (await called(rig.road(), TOOL, message(rig, client_token="again"))).structured
    assert len(rig.transport.changes) == 2


async def test_an_idempotent_call_in_doubt_can_be_made_again_after_two_minutes(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    rig.transport.before = lost
    await refused(rig.road().call(Caller(), "pause_workspace", given))
    rig.transport.before = None
    rig.clock.now += 20
    again = await refused(rig.road().call(Caller(), "pause_workspace", given))
    assert (again.sent, again.details["deduplicated"]) == ("unknown", True)
    assert "again in 101 s" in str(again.advice)
    rig.clock.now += RECENT
    assert (await called(rig.road(), "pause_workspace", given)).structured["items"][0]["status"] == "paused"


async def test_what_was_undone_in_between_is_done_again(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    for tool, status in (("pause", "paused"), ("resume", "provisioning"), ("pause", "paused")):
        told = await called(rig.road(), f"{tool}_workspace", given)
        assert "deduplicated" not in told.structured
        assert told.structured["items"][0]["status"] == status
    assert (await called(rig.road(), "pause_workspace", given)).structured["deduplicated"] is True


async def test_what_another_principal_or_profile_undid_is_done_again(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    for road, caller in ((rig.road(), Caller("another")), (rig.road(Profile("night")), Caller())):
        paused = await called(rig.road(), "pause_workspace", given)
        assert "deduplicated" not in paused.structured
        assert rig.statuses()[given["workspace_id"]] == "paused"
        await called(road, "resume_workspace", given, caller)
        assert rig.statuses()[given["workspace_id"]] != "paused"
    assert "deduplicated" not in (await called(rig.road(), "pause_workspace", given)).structured
    assert rig.statuses()[given["workspace_id"]] == "paused"
    assert len(rig.transport.changes) == 5


async def test_one_token_is_one_call_and_another_makes_it_twice_if_a_person_wants_that(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "text": "Good morning"}
    one = await called(rig.road(), "send_message", {**given, "client_token": "one"})
    rig.clock.now += RECENT
    same = await called(rig.road(), "send_message", {**given, "client_token": "one"})
    assert same.structured == {**one.structured, "deduplicated": True}
    two = await called(rig.road(), "send_message", {**given, "client_token": "two"})
    assert "deduplicated" not in two.structured
    assert len(rig.transport.changes) == 2


async def test_a_token_of_a_call_with_other_arguments_is_refused(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "client_token": "one"}
    await called(rig.road(), "send_message", {**given, "text": "Good morning"})
    error = await refused(rig.road().call(Caller(), "send_message", {**given, "text": "Good night"}))
    assert (error.kind, error.sent) == ("arguments", False)
    assert "other arguments" in error.message
    assert len(rig.transport.changes) == 1


async def test_a_token_keeps_a_refusal_of_the_tenant_too(rig: Rig) -> None:
    async def busy(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(409, json={"error": "busy"}) if request.method == "POST" else None

    rig.transport.before = busy
    given = message(rig, client_token="one")
    first = await refused(rig.road().call(Caller(), TOOL, given))
    again = await refused(rig.road(sample=True).call(Caller(), TOOL, given))
    assert (again.kind, again.sent, again.details) == (first.kind, True, {"status": 409, "deduplicated": True})
    assert len(rig.transport.changes) == 1


async def test_a_replayed_answer_gets_the_recorded_outcome(rig: Rig) -> None:
    road, given = rig.road(), {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    first = await answered(road, "delete_workspace", given, question, allow=True)
    again = await answered(rig.road(), "delete_workspace", given, question, allow=True)
    assert again.structured == {**first.structured, "deduplicated": True}
    assert len(rig.transport.changes) == 1


@pytest.mark.parametrize("changed", [True, False])
async def test_a_value_that_changed_behind_its_reference_makes_it_another_call(rig: Rig, changed: bool) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "K", "value_from": "env:MOLECULE_SECRET_KEY"}
    question = await asked(rig.road(), "set_workspace_secret", given)
    await answered(rig.road(), "set_workspace_secret", given, question, allow=True)
    if changed:
        rig.environ["MOLECULE_SECRET_KEY"] = "another value"
        await asked(rig.road(), "set_workspace_secret", given)
    else:
        assert (await called(rig.road(), "set_workspace_secret", given)).structured["deduplicated"] is True


async def test_a_reference_that_leads_nowhere_is_for_the_tool_to_refuse(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "K", "value_from": "env:MOLECULE_SECRET_NONE"}
    error = await refused(rig.road().call(Caller(), "set_workspace_secret", given))
    assert "is not set" in error.message


async def test_no_answer_in_the_store_holds_a_secret(rig: Rig) -> None:
    rig.environ["MOLECULE_SECRET_KEY"] = "SEO Analyst"
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "K", "value_from": "env:MOLECULE_SECRET_KEY"}
    question = await asked(rig.road(), "set_workspace_secret", given)
    await answered(rig.road(), "set_workspace_secret", given, question, allow=True)
    recorded = rig.road().context.store()
    assert isinstance(recorded, SqliteStore)
    with recorded._database.reading() as sql:  # pyright: ignore[reportPrivateUsage]
        rows = sql.execute("SELECT answer FROM calls").fetchall()
    assert rows
    assert "SEO Analyst" not in str(rows)


async def test_a_repeat_waits_for_the_call_under_way_and_gets_its_answer(rig: Rig) -> None:
    let, arrived = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            arrived.set()
            await let.wait()
        return None

    async def wait(_seconds: float) -> None:
        let.set()
        await asyncio.wait([first])

    rig.transport.before = slow
    first = asyncio.create_task(called(rig.road(), TOOL, message(rig)))
    await arrived.wait()
    again = await called(rig.road(wait=wait), TOOL, message(rig))
    assert again.structured == {**(await first).structured, "deduplicated": True}
    assert len(rig.transport.changes) == 1


async def test_a_repeat_of_a_call_that_does_not_end_is_told_so(rig: Rig) -> None:
    let, arrived = asyncio.Event(), asyncio.Event()

    async def stuck(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            arrived.set()
            await let.wait()
        return None

    rig.transport.before = stuck
    first = asyncio.create_task(called(rig.road(), TOOL, message(rig)))
    await arrived.wait()
    began = rig.clock.now
    error = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert (error.kind, error.sent, error.details) == ("in_flight", "unknown", {"deduplicated": True})
    assert rig.clock.now - began >= PATIENCE
    let.set()
    await first
    assert len(rig.transport.changes) == 1


@pytest.mark.parametrize("late", [True, False])
async def test_a_repeat_makes_the_call_itself_when_the_first_turns_out_to_have_sent_nothing(
    rig: Rig, late: bool
) -> None:
    let, arrived = asyncio.Event(), asyncio.Event()

    async def stuck(request: httpx.Request) -> httpx.Response | None:
        arrived.set()
        await let.wait()
        return httpx.Response(404, json={"error": "not found"})

    async def wait(_seconds: float) -> None:
        rig.transport.before = None
        let.set()
        await asyncio.wait([first])

    rig.transport.before = stuck
    first = asyncio.create_task(refused(rig.road().call(Caller(), TOOL, message(rig))))
    await arrived.wait()
    second = rig.road(wait=wait)
    store = Late(second.context.store()) if late else second.context.store()
    told = await called(rig.road(wait=wait, store=lambda: store), TOOL, message(rig))
    assert (await first).sent is False
    assert "deduplicated" not in told.structured
    assert len(rig.transport.changes) == 1


@pytest.mark.parametrize("tool", [TOOL, "run_plan"])
async def test_the_store_is_opened_in_a_thread_before_anything_of_it_is_used(rig: Rig, tool: str) -> None:
    used: list[tuple[str, bool]] = []
    known = rig.road().context

    def note(what: str) -> None:
        used.append((what, threading.current_thread() is threading.main_thread()))

    def store() -> Store:
        note("store")
        return known.store()

    def digest(value: str | bytes) -> str:
        note("digest")
        return known.keyed_digest(value)

    road = rig.road(store=store, keyed_digest=digest)
    given = message(rig) if tool == TOOL else {"calls": [{"tool": TOOL, "arguments": message(rig)}]}
    await called(road, tool, given)
    assert used[0] == ("store", False)
    assert ("digest", True) in used


async def test_what_a_reference_leads_to_is_looked_up_in_a_thread(rig: Rig) -> None:
    threads: list[bool] = []

    class Slow(Secrets):
        """A keyring that asks the person to unlock it."""

        def resolve(self, reference: str) -> str:
            threads.append(threading.current_thread() is threading.main_thread())
            return super().resolve(reference)

    road = rig.road(secrets=Slow(rig.folder / "secrets", rig.environ, Redactor()))
    arguments = {"workspace_id": rig.named("SEO Analyst"), "key": "K", "value_from": "env:MOLECULE_SECRET_KEY"}
    await refused(road.call(Caller(), "set_workspace_secret", arguments))
    assert threads[0] is False


async def test_two_at_once_that_saw_nothing_of_each_other_send_once(rig: Rig) -> None:
    road = rig.road()
    first = await called(road, TOOL, message(rig))
    again = await called(rig.road(store=lambda: Late(road.context.store())), TOOL, message(rig))
    assert again.structured == {**first.structured, "deduplicated": True}
    assert len(rig.transport.changes) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_cut_off_is_in_doubt_only_if_something_was_sent(rig: Rig, method: str) -> None:
    arrived = asyncio.Event()

    async def stuck(request: httpx.Request) -> httpx.Response | None:
        if request.method == method:
            arrived.set()
            await asyncio.Event().wait()
        return None

    rig.transport.before = stuck
    task = asyncio.create_task(called(rig.road(), TOOL, message(rig)))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rig.transport.before = None
    again = rig.road().call(Caller(), TOOL, message(rig))
    if method == "GET":
        assert "deduplicated" not in (await again).structured  # pyright: ignore
    else:
        assert (await refused(again)).details["deduplicated"] is True


async def test_a_call_whose_process_died_is_unknown_to_who_repeats_it(rig: Rig, tmp_path: Path) -> None:
    dying = rig.road()
    store = dying.context.store()

    class Dying:
        """The store of a process that ends when it should record how the call ended."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def finish(self, *_: object) -> None:
            store.close()

    await called(rig.road(store=lambda: Dying()), TOOL, message(rig))
    error = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert (error.kind, error.sent, error.details) == ("unknown_outcome", "unknown", {"deduplicated": True})
    assert len(rig.transport.changes) == 1


FULL = StoreError("the disk is full")


@pytest.mark.parametrize(
    ("before", "method", "sent"),
    [(None, "finish", True), (lost, "finish", "unknown"), ("down", "forget", False)],
)
async def test_an_outcome_that_cannot_be_recorded_is_told_all_the_same(
    rig: Rig, before: Any, method: str, sent: object
) -> None:
    store = rig.road().context.store()

    def full(*_: object) -> None:
        raise FULL

    class Full:
        """The store on a disk that is full by then."""

        def __getattr__(self, name: str) -> Any:
            return full if name == method else getattr(store, name)

    async def down(request: httpx.Request) -> httpx.Response | None:
        raise httpx.ConnectError("down", request=request)

    rig.transport.before = down if before == "down" else before
    error = await refused(rig.road(store=lambda: Full()).call(Caller(), TOOL, message(rig)))
    assert (error.kind, error.sent) == ("store", sent)
    assert error.details["outcome"]


async def test_a_yes_is_not_used_up_by_a_repeat_that_was_made_elsewhere(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(rig.road(), "delete_workspace", given)
    other = replace(can_ask(), principal="somebody else")
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    error = await refused(rig.road().call(other, "delete_workspace", given, yes))
    assert isinstance(error, GateStop)
    assert (await answered(rig.road(), "delete_workspace", given, question, allow=True)).structured["sent"]
