"""Running what was allowed: step by step, as it was shown, and then nothing more of it."""

import asyncio
from typing import Any

import anyio
import httpx

from molecule_mcp.capability import Item, Own, Preview, Risk
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.secrets import SecretReference, Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import WorkspaceId
from tests.road.own import Told, bodies, made, named_so, send
from tests.road.rig import Rig, asked, can_ask, refused


def spent(rig: Rig) -> list[dict[str, Any]]:
    """How plans ended."""
    return bodies(rig, "spent")


def yes(question: Any, **content: Any) -> FormAnswer:
    """An accepted form."""
    return FormAnswer(question.plan.id, "accept", content or {"allow": True})


async def store(tenant: Tenant, secrets: Secrets, workspace_id: WorkspaceId, token_from: SecretReference) -> Told:
    """A tool that sends a secret."""
    secrets.resolve(token_from)
    await send(tenant, workspace_id)
    return Told()


async def shown(tenant: Tenant, workspace_id: WorkspaceId, token_from: SecretReference) -> Preview:
    """What it would do."""
    item = Item({"workspace_id": workspace_id, "token_from": token_from})
    return Preview(Own("Test"), (), (item,), ("a", workspace_id), frozenset({workspace_id}))


async def test_what_was_typed_for_a_call_that_nobody_is_asked_about_is_gone_once_it_was_made(rig: Rig) -> None:
    rig.transport.before = named_so
    road, given = rig.road(**made(store)), {"workspace_id": rig.named("SEO Analyst"), "token_from": "page:TOKEN"}
    code = (await refused(road.call(Caller(), "store", given))).details["code"]
    rig.types(code, "a value of its own")
    assert isinstance(await road.call(Caller(), "store", given), Done)
    assert rig.typed.wanted(code) is None


async def test_what_was_typed_for_an_allowed_call_is_gone_also_when_the_tenant_refuses_it(rig: Rig) -> None:
    async def busy(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(409, json={"error": "busy"})

    rig.transport.before = busy
    road = rig.road(**made(store, Risk.DESTROY, preview=shown))
    given = {"workspace_id": rig.named("SEO Analyst"), "token_from": "page:TOKEN"}
    code = (await refused(road.call(can_ask(), "store", given))).details["code"]
    rig.types(code, "a value of its own")
    question = await asked(road, "store", given)
    assert (await refused(road.call(can_ask(), "store", given, yes(question)))).kind == "refused"
    assert rig.typed.wanted(code) is None


async def test_a_plan_that_was_run_is_spent_at_that_time(rig: Rig) -> None:
    road, given = rig.road(), {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    rig.clock.now += 5
    await road.call(can_ask(), "delete_workspace", given, yes(question))
    records = [each for each in road.context.store().records() if each.kind == "spent"]
    assert [(each.at, dict(each.body)) for each in records] == [
        (rig.clock.now, {"plan": question.plan.id, "reason": "run"})
    ]


async def test_a_plan_that_is_no_longer_as_it_was_shown_is_spent_and_said_to_be(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    question = await asked(road, "delete_workspace", {"workspace_id": leaf})
    rig.app.database.execute("UPDATE workspaces SET name = 'Another' WHERE id = ?", (leaf,))
    error = await refused(road.call(can_ask(), "delete_workspace", {"workspace_id": leaf}, yes(question)))
    assert (error.kind, error.sent, error.details) == ("stale_plan", False, {})
    assert spent(rig) == [{"plan": question.plan.id, "reason": "stale"}]
    assert rig.transport.changes == []


async def test_progress_tells_how_many_steps_of_how_many_are_done(rig: Rig) -> None:
    heard: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, line: str) -> None:
        heard.append((done, total, line))

    road, given = rig.road(), {"workspace_id": rig.named("Finance Lead")}
    caller = Caller(can_ask=True, progress=progress)
    question = await asked(road, "delete_workspace", given)
    await road.call(caller, "delete_workspace", given, yes(question, phrase=question.plan.question.phrase))
    assert heard == [(1, 2, "1 of 2 done"), (2, 2, "2 of 2 done")]


async def test_a_step_that_changed_after_the_one_before_it_stops_the_run(rig: Rig) -> None:
    road, lead = rig.road(), rig.named("Finance Lead")
    question = await asked(road, "delete_workspace", {"workspace_id": lead})

    async def rename(request: httpx.Request) -> None:
        if request.method == "DELETE":
            rig.app.database.execute("UPDATE workspaces SET name = 'Another' WHERE id = ?", (lead,))

    rig.transport.before = rename
    answer = yes(question, phrase=question.plan.question.phrase)
    error = await refused(road.call(can_ask(), "delete_workspace", {"workspace_id": lead}, answer))
    assert (error.kind, error.sent) == ("partial", True)
    assert [each["state"] for each in error.details["items"]] == ["done", "not_attempted"]
    assert (error.details["cause"]["error"], error.details["cause"]["sent"]) == ("stale_plan", False)
    assert spent(rig) == [{"plan": question.plan.id, "reason": "run"}]


async def test_a_cancelled_call_leaves_no_plan_that_more_could_be_claimed_of(rig: Rig) -> None:
    arrived, let = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> None:
        if request.method == "DELETE":
            arrived.set()
            await let.wait()

    road, given = rig.road(), {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    rig.transport.before = slow
    async with anyio.create_task_group() as group:
        group.start_soon(road.call, can_ask(), "delete_workspace", given, yes(question))
        await arrived.wait()
        group.cancel_scope.cancel()
        let.set()
    assert spent(rig) == [{"plan": question.plan.id, "reason": "run"}]
    stored = road.context.store().plan(question.plan.id)
    assert stored is not None
    assert (stored.state, dict(stored.steps)) == ("spent", {0: "done"})
