"""The claim: exactly the planned request, once, and nothing when it cannot be had."""

from typing import Any

import httpx

from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.records import Intent
from tests.road.rig import PASSPHRASE, Rig, asked, can_ask, refused
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
