"""What makes a repeated call the same call, and what is told of a first one that ended without an answer."""

import asyncio
from typing import Any

import httpx
import pytest

from molecule_mcp import tools
from molecule_mcp.capability import Risk
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.calls import Road
from molecule_mcp.road.repeats import Once
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store.records import Call, RecordedCall
from tests.road.own import bodies
from tests.road.rig import ORIGIN, Rig, refused
from tests.road.test_repeats import TOOL, lost, message

READ_FIRST = "Read the present state before anything else; "
TOKEN_ONLY = f"{READ_FIRST}only another client_token sends this call anew."
CUT_OFF = "The same call was cut off before its outcome was recorded."


def once(rig: Rig, tool: str, arguments: dict[str, Any], *, token: str = "", plan: str = "") -> Once:
    """A call of another principal whose digests are the very texts they are made of."""
    context = rig.road(keyed_digest=str).context
    asking = Asking(context, Caller("another"), tools.catalogue()[tool], arguments, Risk.WRITE)
    return Once(asking, token, plan)


def recorded(rig: Rig) -> RecordedCall:
    """The only call that the store knows."""
    (intent,) = bodies(rig, "intent")
    found = rig.road().context.store().recorded(intent["call"])
    assert found is not None
    return found


class Dying:
    """The store of a process that ends when it should record how the call ended."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def finish(self, *_: object) -> None:
        self.store.close()


async def dies(rig: Rig, tool: str, given: dict[str, Any]) -> None:
    """A process makes a call, and ends before it can say how that ended."""
    store = Dying(rig.road().context.store())
    assert isinstance(await rig.road(store=lambda: store).call(Caller(), tool, given), Done)


@pytest.mark.parametrize(("token", "plan", "scope"), [("", "", ""), ("", "p", ',"p"'), ("one", "", "")])
async def test_the_same_call_is_found_by_the_same_texts_in_every_version(
    rig: Rig, token: str, plan: str, scope: str
) -> None:
    call, now = await once(rig, TOOL, {"name": "Digest"}, token=token, plan=plan).call(), rig.clock.now
    whose = f'"another","default","{ORIGIN}","create_schedule"'
    assert len(bytes.fromhex(call.id)) == 16
    assert call == Call(
        id=call.id,
        scope=f'["another","default","{ORIGIN}"{scope}]',
        tool="create_schedule",
        binding=f'[{whose},{{"call":{{"name":"Digest"}},"values":[]}}]',
        token=f'[{whose},{{"token":"one"}}]' if token else "",
        at=now,
        plan=plan,
        recent=now - 120,
        planned=now - 600,
        latest=False,
        doubtful=now - 86_400,
    )


@pytest.mark.parametrize("plan", ["", "p"])
async def test_what_is_idempotent_counts_as_long_as_it_may_still_be_so(rig: Rig, plan: str) -> None:
    call, now = await once(rig, "pause_workspace", {}, plan=plan).call(), rig.clock.now
    assert (call.latest, call.recent, call.planned, call.doubtful) == (True, now - 120, now - 600, now - 120)
    call = await once(rig, "pause_workspace", {}, plan=plan).call(now - 30)
    assert (call.at, call.recent, call.planned, call.doubtful) == (now, now - 150, now - 630, now - 120)


@pytest.mark.parametrize(("name", "values"), [("KEY", '["sesame-0123456789"]'), ("NONE", '[""]')])
async def test_what_references_lead_to_is_part_of_a_call(rig: Rig, name: str, values: str) -> None:
    arguments = {"key": "K", "value_from": f"env:MOLECULE_SECRET_{name}"}
    call = await once(rig, "set_workspace_secret", arguments).call()
    assert call.binding.endswith(f',"values":{values}}}]')


async def test_what_the_tenant_refused_is_kept_as_failed_with_all_that_was_told(rig: Rig) -> None:
    async def busy(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(409, json={"error": "busy"}) if request.method == "POST" else None

    rig.transport.before = busy
    given, road = message(rig, client_token="one"), rig.road(sample=True)
    first = await refused(road.call(Caller(), TOOL, given))
    found = recorded(rig)
    assert found == RecordedCall(
        found.id, found.binding, "failed", rig.clock.now, {"failed": {"tenant": "sample", **first.told()}}
    )
    again = await refused(road.call(Caller(), TOOL, given))
    assert again.told() == {**first.told(), "deduplicated": True, "advice": TOKEN_ONLY}


async def test_what_was_done_is_kept_as_it_was_told(rig: Rig) -> None:
    first = await rig.road().call(Caller(), TOOL, message(rig))
    assert isinstance(first, Done)
    found = recorded(rig)
    assert found == RecordedCall(found.id, found.binding, "done", rig.clock.now, {"done": first.structured})


async def test_a_send_of_which_no_answer_came_is_kept_as_unknown(rig: Rig) -> None:
    rig.transport.before = lost
    first = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    found = recorded(rig)
    assert found == RecordedCall(found.id, found.binding, "unknown", rig.clock.now, {"failed": first.told()})
    again = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert again.told() == {**first.told(), "deduplicated": True, "advice": TOKEN_ONLY}


async def test_a_call_that_was_torn_off_is_kept_as_unknown_with_why(rig: Rig) -> None:
    arrived = asyncio.Event()

    async def stuck(request: httpx.Request) -> None:
        if request.method == "POST":
            arrived.set()
            await asyncio.Event().wait()

    rig.transport.before = stuck
    task = asyncio.create_task(rig.road().call(Caller(), TOOL, message(rig)))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    told = {"error": "internal", "message": "A defect: CancelledError.", "sent": "unknown"}
    found = recorded(rig)
    assert found == RecordedCall(found.id, found.binding, "unknown", rig.clock.now, {"failed": told})
    again = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert again.told() == {**told, "deduplicated": True, "advice": TOKEN_ONLY}


async def test_a_call_of_a_process_that_is_gone_is_told_to_be_cut_off(rig: Rig) -> None:
    await dies(rig, TOOL, message(rig))
    error = await refused(rig.road().call(Caller(), TOOL, message(rig)))
    assert error.told() == {
        "error": "unknown_outcome",
        "message": CUT_OFF,
        "sent": "unknown",
        "deduplicated": True,
        "advice": TOKEN_ONLY,
    }


async def test_an_idempotent_call_of_a_process_that_is_gone_can_be_made_again_two_minutes_after_that_was_seen(
    rig: Rig,
) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    await dies(rig, "pause_workspace", given)
    rig.clock.now += 50
    error = await refused(rig.road().call(Caller(), "pause_workspace", given))
    assert (error.message, error.advice) == (CUT_OFF, f"{READ_FIRST}the same call can be made again in 121 s.")
    rig.clock.now += 119
    error = await refused(rig.road().call(Caller(), "pause_workspace", given))
    assert error.advice == f"{READ_FIRST}the same call can be made again in 2 s."
    rig.clock.now += 1
    error = await refused(rig.road().call(Caller(), "pause_workspace", given))
    assert (error.kind, error.sent) == ("nothing_to_do", False)  # it was tried, and is told as paused


@pytest.mark.parametrize("clock", [30, -30])
async def test_who_repeats_a_call_under_way_waits_a_minute_however_the_clock_is_set_and_is_told_to_repeat_it(
    rig: Rig, clock: int
) -> None:
    let, arrived = asyncio.Event(), asyncio.Event()
    waits: list[float] = []

    async def stuck(request: httpx.Request) -> None:
        if request.method == "POST":
            arrived.set()
            await let.wait()

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        rig.clock.now += clock

    rig.transport.before = stuck
    first = asyncio.create_task(rig.road().call(Caller(), TOOL, message(rig)))
    await arrived.wait()
    second: Road = rig.road(wait=wait)
    error = await refused(second.call(Caller(), TOOL, message(rig)))
    assert error.told() == {
        "error": "in_flight",
        "message": "The same call is still under way.",
        "sent": "unknown",
        "deduplicated": True,
        "advice": "Repeat exactly this call to get its outcome.",
    }
    assert waits == [0.2] * 300
    let.set()
    assert isinstance(await first, Done)
