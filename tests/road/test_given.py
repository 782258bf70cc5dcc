"""What a tool is given: its own road, a tenant within the profile, and no known value but where it keeps it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from molecule_mcp.capability import Item, Own, Preview, Progress, Risk, Wait
from molecule_mcp.errors import TenantRefused
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.sending import dumped
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.secrets import Outputs, Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from tests.road.own import VALUE, Told, made, named_so, read, send
from tests.road.rig import Rig, asked, refused


@pytest.mark.parametrize("risk", [Risk.READ, Risk.DISRUPT])
async def test_a_tool_is_given_what_it_asks_for_of_its_own_road(rig: Rig, risk: Risk) -> None:
    given: list[Any] = []
    heard: list[tuple[float, float | None, str]] = []

    async def take(
        tenant: Tenant, secrets: Secrets, outputs: Outputs, progress: Progress, wait: Wait, workspace_id: WorkspaceId
    ) -> Told:
        given.extend([secrets, outputs])
        await progress(1, 2, "half")
        await wait(7.0)
        return Told(seen=await read(tenant, workspace_id))

    async def progress(done: float, total: float | None, line: str) -> None:
        heard.append((done, total, line))

    road, began = rig.road(**made(take, risk)), rig.clock.now
    outcome = await road.call(Caller(progress=progress), "take", {"workspace_id": rig.named("SEO Analyst")})
    assert isinstance(outcome, Done)
    assert outcome.structured == (
        {"seen": "SEO Analyst"} if risk is Risk.READ else {"items": [{"seen": "SEO Analyst"}], "sent": []}
    )
    assert given == [road.context.secrets, road.context.outputs]
    assert (heard, rig.clock.now - began) == ([(1, 2, "half")], 7.0)


async def test_what_a_read_answers_is_masked_unless_the_tool_keeps_or_masks_it_itself(rig: Rig) -> None:
    seen: list[str] = []

    async def plain(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        seen.append(await read(tenant, workspace_id))
        return Told()

    async def keeping(tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId) -> Told:
        return await plain(tenant, workspace_id)

    async def resolving(tenant: Tenant, secrets: Secrets, workspace_id: WorkspaceId) -> Told:
        return await plain(tenant, workspace_id)

    rig.transport.before = named_so
    for tool in (plain, keeping, resolving):
        road = rig.road(**made(tool, Risk.READ))
        road.context.redactor.learn(VALUE, "KEY")
        await road.call(Caller(), tool.__name__, {"workspace_id": rig.named("SEO Analyst")})
    assert seen == ["[redacted:KEY]", VALUE, VALUE]


async def test_a_preview_shows_what_lies_outside_the_profile_and_no_known_value(rig: Rig) -> None:
    mine, other = rig.named("SEO Analyst"), rig.named("Copywriter")
    seen: list[str] = []

    async def shown(tenant: Tenant, workspace_id: WorkspaceId) -> Preview:
        seen.append(await read(tenant, other))
        return Preview(Own("Test"), (), (Item({"workspace_id": workspace_id}),), ("a", mine), frozenset({mine}))

    async def gated(tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId) -> Told:
        seen.append(tenant.actor)
        await send(tenant, workspace_id)
        return Told()

    road = rig.road(Profile(bound=frozenset({mine})), **made(gated, Risk.DESTROY, preview=shown))
    road.context.redactor.learn(VALUE, "KEY")
    rig.transport.before = named_so
    question = await asked(road, "gated", {"workspace_id": mine})
    assert seen == ["[redacted:KEY]", f"mcp:default:{question.plan.code}"]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("step", [read, send])
async def test_a_tool_of_a_bound_profile_reads_and_sends_nothing_outside_of_it(
    rig: Rig, step: Callable[..., Any], dry_run: bool
) -> None:
    other = rig.named("Copywriter")

    async def stray(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        await step(tenant, other)
        return Told()

    mine = rig.named("SEO Analyst")
    road = rig.road(Profile(bound=frozenset({mine})), **made(stray))
    error = await refused(road.call(Caller(), "stray", {"workspace_id": mine, "dry_run": dry_run}))
    assert (error.kind, error.sent) == ("forbidden_by_policy", False)
    assert rig.transport.lines == []


async def test_a_read_of_a_bound_profile_stays_within_it(rig: Rig) -> None:
    mine, other = rig.named("SEO Analyst"), rig.named("Copywriter")

    async def stray(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        return Told(seen=await read(tenant, other))

    road = rig.road(Profile(bound=frozenset({mine})), **made(stray, Risk.READ))
    error = await refused(road.call(Caller(), "stray", {"workspace_id": mine}))
    assert (error.kind, rig.transport.lines) == ("forbidden_by_policy", [])


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_refusal_that_a_changing_tool_catches_holds_no_known_value(rig: Rig, dry_run: bool) -> None:
    seen: list[object] = []

    async def careful(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        try:
            await read(tenant, workspace_id)
        except TenantRefused as error:
            seen.append(error.body)
        await send(tenant, workspace_id)
        return Told(seen=tenant.actor)

    async def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.method == "POST" else 409, json={"error": VALUE})

    road = rig.road(**made(careful))
    road.context.redactor.learn(VALUE, "KEY")
    rig.transport.before = refuse
    given = {"workspace_id": rig.named("SEO Analyst"), "dry_run": dry_run}
    outcome = await road.call(Caller(), "careful", given)
    assert VALUE not in str(seen)
    assert "[redacted:KEY]" in str(seen)
    assert dry_run or (isinstance(outcome, Done) and outcome.structured["items"] == [{"seen": "mcp:default:direct"}])


async def test_what_a_tool_keeps_before_it_sends_is_kept_by_the_send_alone(rig: Rig) -> None:
    async def keep(tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId) -> Told:
        outputs.ready()
        outputs.keep("copy", "one", "text")
        await send(tenant, workspace_id)
        return Told()

    rig.transport.before = named_so
    road, given = rig.road(**made(keep)), {"workspace_id": rig.named("SEO Analyst")}
    await road.call(Caller(), "keep", {**given, "dry_run": True})
    assert list((rig.folder / "outputs").iterdir()) == []
    await road.call(Caller(), "keep", given)
    assert len(list((rig.folder / "outputs").iterdir())) == 1


def test_a_result_is_told_as_json_values_without_what_it_lacks() -> None:
    class Dated(Answer):
        at: datetime
        ids: tuple[str, ...]
        note: str | None = None

    found = Dated(at=datetime(2027, 1, 31, tzinfo=UTC), ids=("a", "b"))
    assert dumped(found) == {"at": "2027-01-31T00:00:00Z", "ids": ["a", "b"]}
