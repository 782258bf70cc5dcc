"""What a killed process left unknown is read from the tenant by the next one, recorded, and never sent again."""

import logging
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from molecule_mcp import tools
from molecule_mcp.capability import Past
from molecule_mcp.cli.audit import explained, line
from molecule_mcp.errors import TenantUnreachable
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.settling import STILL_COMING
from molecule_mcp.road.traffic import Broken, Caller
from molecule_mcp.store.records import Intent
from molecule_mcp.store.sqlite import SqliteStore
from molecule_mcp.tenant import Tenant, Wire
from tests.race.kills import Killing, server
from tests.race.place import Place, state_folder, tenant
from tests.road.rig import ORIGIN, Rig, answered, asked, refused


@pytest.fixture
async def place() -> AsyncGenerator[Place]:
    """A tenant on a socket, which outlives the processes that use it."""
    async with tenant() as started:
        yield started


async def killed(place: Place, rig: Rig, point: str) -> str:
    """A real process dies while it deletes a workspace that a person allowed it to delete. Returns: the workspace."""
    target = await place.make("Doomed")
    killing = Killing(place, state_folder(rig.folder), rig.folder / "die")
    await killing.kill(point, target)
    assert killing.found.wrong == []
    return target


@asynccontextmanager
async def next_start(place: Place, rig: Rig) -> AsyncGenerator[Road]:
    """The road of the next process, at a tenant on a socket."""
    rig.clock.now = time.time()
    wire = Wire(place.origin, place.key, sleep=rig.clock.pass_by)
    yield rig.road(origin=place.origin, wire=lambda: wire)
    await wire.close()


def settled(folder: Any) -> list[dict[str, Any]]:
    """The bodies of the settled records; the chain must be whole."""
    store = SqliteStore(folder)
    try:
        assert store.verify()[1] is None
        return [dict(record.body) for record in store.records() if record.kind == "settled"]
    finally:
        store.close()


def left(rig: Rig, method: str, path: str, tool: str, name: str = "intent", **changes: Any) -> None:
    """A process that is gone sent this, and nobody knows what became of it."""
    store = SqliteStore(rig.folder)
    intent = Intent(
        name, tool, "local", "default", ORIGIN, "", method, path, "", "", rig.clock.now - STILL_COMING, **changes
    )
    store.claim(intent)
    store.close()


async def test_a_delete_that_was_carried_out_before_the_kill_is_settled_as_happened(place: Place, rig: Rig) -> None:
    target = await killed(place, rig, "send after")
    changes = list(place.changes)
    async with next_start(place, rig) as road:
        await road.settle()
        told = settled(rig.folder)
        assert [(each["verdict"], each["read"]) for each in told] == [("happened", [f"GET /workspaces/{target} 200"])]
        given = {"workspace_id": target}
        again = await refused(road.call(Caller(), "delete_workspace", given))
        assert (again.kind, again.sent) == ("already_done", True)
        told = "The same call was cut off; reading the tenant since shows that what it asked for is so."
        assert again.message == told
        assert again.details == {
            "deduplicated": True,
            "settled": {
                "verdict": "happened",
                "requests": [{"request": f"DELETE /workspaces/{target}", "state": "happened"}],
            },
        }
        assert place.changes == changes
        store = SqliteStore(rig.folder)
        records = list(store.records())
        store.close()
        assert [record.body["state"] for record in records if record.kind == "outcome"] == ["unknown"]
        assert line(*list(explained(records))[-1]).endswith(
            f" delete_workspace DELETE /workspaces/{target} happened GET /workspaces/{target} 200"
        )


async def test_the_next_process_settles_it_by_itself_while_it_answers(place: Place, rig: Rig) -> None:
    target = await killed(place, rig, "send after")
    changes = list(place.changes)
    calls = 0
    async with server(place, rig.folder, rig.folder / "none") as process:
        while not (told := settled(rig.folder)) and calls < 500:
            calls += 1
            answer = await process.call("list_workspaces", {"limit": 1})
            assert answer and "error" not in answer
        again = await process.call("delete_workspace", {"workspace_id": target})
    assert [(each["verdict"], each["path"]) for each in told] == [("happened", f"/workspaces/{target}")]
    assert again and again["error"] == "already_done"
    assert place.changes == changes


async def test_a_delete_that_never_arrived_is_settled_as_not_happened_and_may_be_asked_for_anew(
    place: Place, rig: Rig
) -> None:
    target = await killed(place, rig, "send before")
    changes = list(place.changes)
    async with next_start(place, rig) as road:
        sent_at = rig.clock.now
        await road.settle()
        assert rig.clock.now >= sent_at + STILL_COMING - 30
        assert [each["verdict"] for each in settled(rig.folder)] == ["did_not_happen"]
        assert (place.changes, await place.lives(target)) == (changes, True)
        given = {"workspace_id": target}
        # Nobody is spared the question: the yes of before is used up.
        question = await asked(road, "delete_workspace", given)
        assert place.changes == changes
        await answered(road, "delete_workspace", given, question, allow=True)
        assert place.changes == [*changes, f"DELETE /workspaces/{target}"]
        assert not await place.lives(target)


async def test_a_change_that_no_read_tells_of_stays_unknown_and_is_not_made_again(place: Place, rig: Rig) -> None:
    workspace = await place.make("Scheduled")
    given = {"workspace_id": workspace, "name": "Digest", "prompt": "Write", "cron_expr": "0 0 * * *"}

    async with server(place, rig.folder, rig.folder / "die") as process:

        async def kill(line: str) -> None:
            if line == f"POST /workspaces/{workspace}/schedules":
                process.process.kill()
                await process.process.wait()

        place.watched.after = kill
        assert await process.call("create_schedule", given) is None
        place.watched.after = None
    executed = list(place.watched.executed)
    async with next_start(place, rig) as road:
        await road.settle()
        assert [(each["verdict"], each["read"]) for each in settled(rig.folder)] == [("cannot_be_told", [])]
        again = await refused(road.call(Caller(), "create_schedule", given))
        assert (again.kind, again.sent) == ("unknown_outcome", "unknown")
        assert again.details["settled"]["verdict"] == "cannot_be_told"
        assert again.advice and "Read the present state" in again.advice
        assert place.watched.executed == executed


async def test_settling_waits_until_a_request_can_no_longer_take_effect(rig: Rig) -> None:
    target = rig.named("Copywriter")
    left(rig, "DELETE", f"/workspaces/{target}", "delete_workspace")
    rig.clock.now -= STILL_COMING - 10

    async def late(seconds: float) -> None:
        assert seconds == STILL_COMING - 10
        rig.clock.now += seconds
        rig.app.database.execute("UPDATE workspaces SET status = 'removed' WHERE id = ?", (target,))

    await rig.road(wait=late).settle()
    assert [(each["verdict"], len(each["read"])) for each in settled(rig.folder)] == [("happened", 1)]


async def test_what_can_be_told_at_once_is_not_held_up_by_what_has_to_be_waited_for(rig: Rig) -> None:
    gone = rig.named("SEO Analyst")
    rig.app.database.execute("UPDATE workspaces SET status = 'removed' WHERE id = ?", (gone,))
    left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}", "delete_workspace", "there")
    left(rig, "DELETE", f"/workspaces/{gone}", "delete_workspace", "gone")
    left(rig, "DELETE", f"/workspaces/{rig.named('Support Lead')}", "delete_workspace", "there too")
    rig.clock.now -= 1
    told = list[str]()

    async def waiting(seconds: float) -> None:
        assert seconds == 1  # for both that are there
        told.extend(each["intent"] for each in settled(rig.folder))
        rig.clock.now += seconds

    await rig.road(wait=waiting).settle()
    assert told == ["gone"]
    assert [(each["intent"], each["verdict"]) for each in settled(rig.folder)] == [
        ("gone", "happened"),
        ("there", "did_not_happen"),
        ("there too", "did_not_happen"),
    ]
    assert len(rig.transport.lines) == 5  # those that are there, also before the wait


async def test_what_was_sent_two_minutes_ago_is_read_once_and_not_waited_for(rig: Rig) -> None:
    left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}", "delete_workspace")
    began = rig.clock.now
    await rig.road().settle()
    (told,) = settled(rig.folder)
    assert told == {
        "intent": "intent",
        "tool": "delete_workspace",
        "method": "DELETE",
        "path": f"/workspaces/{rig.named('Copywriter')}",
        "verdict": "did_not_happen",
        "read": [f"GET /workspaces/{rig.named('Copywriter')} 200"],
        "at": began,
    }
    assert (rig.transport.lines, rig.clock.now) == ([f"GET /workspaces/{rig.named('Copywriter')}"], began)


async def test_a_tool_that_would_change_something_to_find_out_is_stopped(rig: Rig) -> None:
    target = rig.named("Copywriter")
    left(rig, "DELETE", f"/workspaces/{target}", "delete_workspace")

    async def again(tenant: Tenant, _past: Past) -> bool:
        await tenant.send("DELETE", "/workspaces/{id}", dict[str, Any], id=target)
        return True

    own = tools.catalogue()["delete_workspace"]
    await rig.road(find={own.name: replace(own, settle=again)}.get).settle()
    assert rig.transport.lines == []
    assert settled(rig.folder) == []


async def test_a_start_settles_once_and_only_reads(rig: Rig) -> None:
    for number in range(51):
        left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}?n={number}", "delete_workspace", str(number))
    first, second = rig.road(), rig.road()
    await first.settle()
    assert [each["intent"] for each in settled(rig.folder)] == [str(number) for number in range(1, 51)]
    await second.settle()
    assert [each["intent"] for each in settled(rig.folder)][50:] == ["0"]
    await second.settle()
    assert len(settled(rig.folder)) == len(rig.transport.lines) == 51
    assert rig.transport.changes == []


async def test_a_tenant_that_cannot_be_reached_settles_nothing_and_is_tried_at_the_next_start(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "molecule_mcp")
    left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}", "delete_workspace", "one")
    left(rig, "DELETE", f"/workspaces/{rig.named('SEO Analyst')}", "delete_workspace", "two")

    async def nobody(request: httpx.Request) -> httpx.Response | None:
        raise httpx.ConnectError("refused", request=request)

    rig.transport.before = nobody
    await rig.road().settle()
    assert settled(rig.folder) == []
    assert set(rig.transport.lines) == {f"GET /workspaces/{rig.named('Copywriter')}"}
    line = "delete_workspace: what became of it could not be read: unreachable"
    assert caplog.record_tuples == [("molecule_mcp.road.settling", logging.INFO, line)]
    rig.transport.before = None
    await rig.road().settle()
    assert [each["intent"] for each in settled(rig.folder)] == ["one", "two"]


async def test_what_one_read_refuses_does_not_keep_the_rest_from_being_settled(rig: Rig) -> None:
    left(rig, "DELETE", f"/workspaces/{rig.named('SEO Analyst')}", "delete_workspace", "one")
    left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}", "delete_workspace", "two")

    async def one_forbidden(request: httpx.Request) -> httpx.Response | None:
        forbidden = request.url.path.endswith(rig.named("SEO Analyst"))
        return httpx.Response(403, json={"error": "no"}) if forbidden else None

    rig.transport.before = one_forbidden
    await rig.road().settle()
    assert [each["intent"] for each in settled(rig.folder)] == ["two"]
    assert rig.transport.lines == [f"GET /workspaces/{rig.named(name)}" for name in ("SEO Analyst", "Copywriter")]


async def test_a_tool_judges_by_what_is_left_of_its_request_and_by_reads_without_any_known_value(rig: Rig) -> None:
    target = rig.named("Copywriter")
    left(rig, "DELETE", f"/workspaces/{target}?purge=true&n=a%20b", "delete_workspace")
    seen = list[Any]()

    async def look(tenant: Tenant, past: Past) -> None:
        seen.extend([past, await tenant.read("/workspaces/{id}", dict[str, Any], id=target)])

    async def named_so(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"name": "a-value-nobody-sees"})

    rig.transport.before = named_so
    own = tools.catalogue()["delete_workspace"]
    road = rig.road(find={own.name: replace(own, settle=look)}.get)
    road.context.redactor.learn("a-value-nobody-sees", "KEY")
    await road.settle()
    past = Past({"id": target}, {"purge": "true", "n": "a b"}, rig.clock.now - 120, {})
    assert seen == [past, {"name": "[redacted:KEY]"}]
    assert [each["verdict"] for each in settled(rig.folder)] == ["cannot_be_told"]


@pytest.mark.parametrize(
    "profile",
    [
        Profile(role="READ"),
        Profile(deny=frozenset({"delete_workspace"})),
        Profile(expires=1.0),
        Profile(bound=frozenset({"00000000-0000-4000-8000-000000000000"})),
    ],
    ids=["reads only", "denied", "expired", "bound elsewhere"],
)
async def test_a_profile_reads_nothing_for_a_tool_or_workspace_that_is_not_its_own(rig: Rig, profile: Profile) -> None:
    left(rig, "DELETE", f"/workspaces/{rig.named('Copywriter')}", "delete_workspace")
    await rig.road(profile).settle()
    assert rig.transport.lines == []
    assert settled(rig.folder) == []


async def test_an_intent_of_another_profile_of_a_living_process_or_of_no_known_tool_is_left_alone(rig: Rig) -> None:
    path = f"/workspaces/{rig.named('Copywriter')}"
    left(rig, "DELETE", path, "delete_workspace", "other")
    left(rig, "DELETE", f"{path}?n", "no_such_tool", "unheard")
    living = SqliteStore(rig.folder)
    living.claim(
        Intent("mine", "delete_workspace", "local", "default", ORIGIN, "", "DELETE", path, "", "", rig.clock.now)
    )
    await rig.road(Profile(name="another")).settle()
    await rig.road().settle()
    assert [each["intent"] for each in settled(rig.folder)] == ["other"]
    living.close()


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/workspaces/***"), ("DELETE", "/elsewhere"), ("PATCH", "/workspaces/{id}")]
)
async def test_a_request_that_is_of_no_route_of_the_tool_tells_nothing(rig: Rig, method: str, path: str) -> None:
    left(rig, method, path.format(id=rig.named("Copywriter")), "delete_workspace")
    await rig.road().settle()
    assert [each["verdict"] for each in settled(rig.folder)] == ["cannot_be_told"]
    assert rig.transport.lines == []


@pytest.mark.parametrize(("kept", "verdict"), [(True, "happened"), (False, "cannot_be_told")])
async def test_the_arguments_that_a_person_was_shown_tell_which_key_was_minted(
    rig: Rig, kept: bool, verdict: str
) -> None:
    async def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            await rig.transport.inner.handle_async_request(request)
            raise httpx.ReadTimeout("lost", request=request)
        return None

    rig.clock.now = time.time()  # the tenant's too
    road = rig.road()
    given = {"name": "night job"}
    question = await asked(road, "create_org_token", given)
    rig.transport.before = lost
    await refused(answered(road, "create_org_token", given, question, phrase=question.plan.question.phrase))
    rig.transport.before = None
    road.context.store().close()
    if not kept:
        with closing(sqlite3.connect(rig.folder / "state.db")) as outside, outside:
            outside.execute("DELETE FROM plans")
    await rig.road().settle()
    assert [(each["tool"], each["verdict"]) for each in settled(rig.folder)] == [("create_org_token", verdict)]


async def test_without_a_state_file_nothing_is_read_and_none_is_made(rig: Rig) -> None:
    await rig.road().settle()
    await rig.road(settler=None).settle()
    assert not (rig.folder / "state.db").exists()
    assert rig.transport.lines == []


async def test_a_program_that_cannot_run_settles_nothing() -> None:
    await Broken(TenantUnreachable("x")).settle()
