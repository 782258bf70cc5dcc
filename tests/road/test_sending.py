"""The claim: exactly the planned request, once, and nothing when it cannot be had; and the record of how it ended."""

import asyncio
import json
import re
from typing import Any

import anyio
import httpx
import pytest

from molecule_mcp import tools
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.sending import Sending
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Intent
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import WorkspaceId
from tests.road.own import Told, bodies, made, named_so, send
from tests.road.rig import ORIGIN, PASSPHRASE, Rig, answered, asked, can_ask, refused
from tests.road.test_asking import sign, waiting


async def test_a_value_changed_between_the_re_read_and_the_send_is_not_sent(rig: Rig) -> None:
    (rig.folder / "secrets").mkdir(mode=0o700)
    file = rig.folder / "secrets" / "key"
    file.touch(mode=0o600)
    file.write_text("the first value")
    digests: list[bytes] = []
    plain = rig.road().context.keyed_digest

    def digest(value: str | bytes) -> str:
        found = plain(value)
        if isinstance(value, bytes):
            digests.append(value)
            if len(digests) == 2:  # the plan's, and the re-read's
                file.write_text("another value")
        return found

    road = rig.road(keyed_digest=digest)
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "K", "value_from": "file:key"}
    question = await asked(road, "set_workspace_secret", given)
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    error = await refused(road.call(can_ask(), "set_workspace_secret", given, yes))
    assert (error.kind, error.sent) == ("stale_plan", False)
    assert len(digests) == 3
    assert rig.transport.changes == []


async def test_a_plan_that_ends_before_the_claim_sends_nothing(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    road = rig.road()
    store = road.context.store()
    question = await asked(road, "delete_workspace", given)

    class Spent:
        """The store, but another process uses the plan up just before the claim."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def claim(self, intent: Intent) -> bool:
            store.spend(question.plan.id, "elsewhere", rig.clock())
            return store.claim(intent)

    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    error = await refused(rig.road(store=lambda: Spent()).call(can_ask(), "delete_workspace", given, yes))
    assert error.kind == "plan_used"
    assert rig.transport.changes == []


async def test_a_single_send_that_is_refused_is_told_as_the_tenant_said_it(rig: Rig) -> None:
    road, given = rig.road(), {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)

    async def conflict(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(409, json={"error": "busy"}) if request.method == "DELETE" else None

    rig.transport.before = conflict
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    error = await refused(road.call(can_ask(), "delete_workspace", given, yes))
    assert (error.kind, error.sent, error.details["status"]) == ("refused", True, 409)
    outcomes = [record.body for record in road.context.store().records() if record.kind == "outcome"]
    assert [(body["state"], body["status"]) for body in outcomes] == [("failed", 409)]


async def test_a_yes_that_comes_later_is_found_by_the_waiting_call(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    road, given = rig.road(), {"workspace_id": rig.named("SEO Analyst")}
    code = await waiting(rig, road, "delete_workspace", given)
    store = road.context.store()
    looks: list[str] = []

    class Slow:
        """The store, but the person signs only before the third look."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def plan(self, plan_id: str) -> Any:
            looks.append(plan_id)
            if len(looks) == 3:
                sign(rig, road, code)
            return store.plan(plan_id)

    waits = rig.road(store=lambda: Slow(), allow_wait=30.0)
    done = await waits.call(Caller(), "delete_workspace", given)
    assert isinstance(done, Done)
    assert len(looks) == 3


async def test_a_dry_run_of_what_would_change_nothing_says_so(rig: Rig) -> None:
    async def idle(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        return Told()

    given = {"workspace_id": rig.named("SEO Analyst"), "dry_run": True}
    error = await refused(rig.road(**made(idle)).call(Caller(), "idle", given))
    assert error.told() == {
        "error": "nothing_to_do",
        "message": "idle would change nothing with these arguments.",
        "sent": False,
    }


async def test_a_tool_that_sends_twice_is_stopped_and_what_it_sent_is_said(rig: Rig) -> None:
    async def twice(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        await send(tenant, workspace_id)
        await send(tenant, workspace_id)
        return Told()

    rig.transport.before = named_so
    error = await refused(rig.road(**made(twice)).call(Caller(), "twice", {"workspace_id": rig.named("SEO Analyst")}))
    assert (error.kind, error.sent, len(rig.transport.changes)) == ("second_send", True, 1)
    assert [(each["state"], each["note"]) for each in bodies(rig, "outcome")] == [("failed", "second_send")]


async def test_the_record_of_a_send_tells_whose_it_was_and_what_exactly(rig: Rig) -> None:
    async def plain(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        await send(tenant, workspace_id)
        return Told()

    rig.transport.before = named_so
    leaf = rig.named("SEO Analyst")
    road = rig.road(Profile("night"), **made(plain))
    await road.call(Caller("another", "test 1"), "plain", {"workspace_id": leaf})
    (told,) = bodies(rig, "intent")
    assert [bool(re.fullmatch("[0-9a-f]{32}", told.pop(name))) for name in ("id", "call")] == [True, True]
    assert told == {
        "tool": "plain",
        "principal": "another",
        "profile": "night",
        "origin": ORIGIN,
        "client": "test 1",
        "method": "POST",
        "path": f"/workspaces/{leaf}/channels",
        "body_digest": road.context.keyed_digest(b'{"a":1}'),
        "arguments_digest": road.context.keyed_digest(canonical({"workspace_id": leaf})),
        "at": rig.clock.now,
        "plan_id": None,
        "index": None,
        "grant": None,
        "exact": True,
        "answer": None,
    }


async def test_the_record_of_an_allowed_send_names_its_plan_its_step_and_the_yes(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    question = await asked(rig.road(), "delete_workspace", {"workspace_id": leaf})
    await answered(rig.road(), "delete_workspace", {"workspace_id": leaf}, question, allow=True)
    (told,) = bodies(rig, "intent")
    names = ("plan_id", "index", "grant", "answer", "body_digest", "client")
    assert [told[name] for name in names] == [question.plan.id, 0, "client_attested", "allow", "", "test 1"]


async def lost(request: httpx.Request) -> httpx.Response:
    """A connection that breaks."""
    raise httpx.ReadTimeout("lost", request=request)


def answer(status: int, **more: Any) -> Any:
    """A tenant that answers so."""

    async def before(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, **more)

    return before


@pytest.mark.parametrize(
    ("before", "state", "status", "note"),
    [
        (answer(201, json={}), "done", 201, ""),
        (answer(409, json={"error": "busy"}), "failed", 409, "refused"),
        (answer(503, json={"error": "down"}), "unknown", 503, "refused"),
        (answer(200, text="<html>"), "unknown", 200, "unreadable_answer"),
        (answer(200, json={"crash": True}), "unknown", 200, ""),
        (lost, "unknown", None, "unreachable"),
    ],
)
async def test_how_a_send_ended_is_recorded_whole(
    rig: Rig, before: Any, state: str, status: int | None, note: str
) -> None:
    async def plain(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        if "crash" in await send(tenant, workspace_id):
            raise KeyError("a defect")
        return Told()

    rig.transport.before = before
    call = rig.road(**made(plain)).call(Caller(), "plain", {"workspace_id": rig.named("SEO Analyst")})
    if state == "done":
        await call
    elif note:
        assert (await refused(call)).kind == note
    else:
        with pytest.raises(KeyError):
            await call
    (intent,) = bodies(rig, "intent")
    (told,) = bodies(rig, "outcome")
    assert told == {"intent": intent["id"], "state": state, "status": status, "at": rig.clock.now, "note": note}


async def test_a_send_whose_call_is_cancelled_still_learns_how_it_ended(rig: Rig) -> None:
    arrived, let = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            arrived.set()
            await let.wait()
        return None

    rig.transport.before = slow
    given = {"workspace_id": rig.named("SEO Analyst"), "text": "Good morning", "client_token": "one"}
    async with anyio.create_task_group() as group:
        group.start_soon(rig.road().call, Caller(), "send_message", given)
        await arrived.wait()
        group.cancel_scope.cancel()
        let.set()
    assert [(each["state"], each["status"]) for each in bodies(rig, "outcome")] == [("done", 200)]
    again = await rig.road().call(Caller(), "send_message", given)
    assert isinstance(again, Done) and again.structured["deduplicated"] is True
    assert len(rig.transport.changes) == 1


async def test_the_tenant_is_told_which_plan_decided(rig: Rig) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": row[0], "approval_id": row[1]}
    road = rig.road(Profile("night"))
    question = await asked(road, "decide_approval", given)
    await answered(road, "decide_approval", given, question, decision="approve")
    body = json.loads(rig.transport.bodies[rig.transport.lines.index(rig.transport.changes[0])])
    assert body["decided_by"] == f"mcp:night:{question.plan.code}"


async def nothing() -> None:
    """A look that finds nothing."""


@pytest.mark.parametrize(
    ("tool", "look", "other_alone", "passes"),
    [
        ("create_workspace", None, True, False),
        ("create_workspace", None, False, True),
        ("hibernate_workspace", None, True, False),
        ("hibernate_workspace", None, False, True),
        ("pause_workspace", nothing, True, False),
        ("pause_workspace", nothing, False, False),
        ("send_message", None, True, True),
        ("send_message", None, False, True),
        ("send_message", nothing, True, False),
        ("send_message", nothing, False, False),
    ],
)
async def test_what_may_change_live_facts_or_stands_on_them_waits_for_its_turn_and_nothing_else(
    rig: Rig, tool: str, look: Any, other_alone: bool, passes: bool
) -> None:
    context, leaf = rig.road().context, rig.named("SEO Analyst")
    capability = tools.catalogue()[tool]
    given = {("parent_id" if tool == "create_workspace" else "workspace_id"): leaf}
    sending = Sending(context, Caller(), capability, given, "call", look=look)
    passed: list[str] = []

    async def send() -> None:
        async with sending.passing():
            passed.append(tool)

    async with anyio.create_task_group() as group, context.turns.passing([leaf], alone=other_alone):
        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        assert passed == ([tool] if passes else [])
    assert passed == [tool]
