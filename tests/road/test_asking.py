"""Plans and answers: found again, decided once, by a person and nobody else."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from molecule_mcp.capability import Risk
from molecule_mcp.gate import grants
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.records import Grant, StoredPlan
from tests.road.rig import PASSPHRASE, Rig, answered, asked, can_ask, refused


def sign(rig: Rig, road: Road, code: str, answer: str = "allow") -> StoredPlan:
    """What `molecule-mcp allow` does, without the terminal."""
    store = road.context.store()
    stored = store.plan_by_code(code)
    assert stored is not None
    signer = approver.unlock(rig.folder, PASSPHRASE)
    now = rig.clock()
    signature = signer.sign(grants.message(stored.plan.digest, answer, now)).hex()
    assert store.grant(stored.plan.id, Grant("human", answer, now, signature, signer.fingerprint))
    return stored


async def waiting(rig: Rig, road: Road, tool: str, given: dict[str, Any]) -> str:
    """Call as a client that cannot be asked. Returns the code a person would type."""
    error = await refused(road.call(Caller(), tool, given))
    assert (error.kind, error.sent) == ("allow_required", False)
    return str(error.details["code"])


@pytest.fixture
def road(rig: Rig) -> Road:
    """A road with an approver set up."""
    approver.init(rig.folder, PASSPHRASE)
    return rig.road()


async def test_the_same_call_finds_its_open_plan_again(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    first = await waiting(rig, road, "delete_workspace", given)
    assert await waiting(rig, rig.road(), "delete_workspace", given) == first


async def test_a_plan_whose_facts_changed_is_not_reused(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    first = await waiting(rig, road, "delete_workspace", given)
    rig.app.database.execute("UPDATE workspaces SET name = 'Renamed' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    assert await waiting(rig, road, "delete_workspace", given) != first


async def test_a_signed_plan_runs_once_for_the_repeated_call(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    sign(rig, road, await waiting(rig, road, "delete_workspace", given))
    done = await rig.road().call(Caller(), "delete_workspace", given)
    assert isinstance(done, Done)
    assert done.structured["grant"] == "human"
    assert len(rig.transport.changes) == 1
    again = await rig.road().call(Caller(), "delete_workspace", given)
    assert isinstance(again, Done)
    assert again.structured == {**done.structured, "deduplicated": True}
    rig.clock.now += 121
    assert (await refused(rig.road().call(Caller(), "delete_workspace", given))).kind == "nothing_to_do"
    assert len(rig.transport.changes) == 1


async def test_a_signed_decision_runs_the_answer_that_was_signed(rig: Rig, road: Road) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": row[0], "approval_id": row[1]}
    sign(rig, road, await waiting(rig, road, "decide_approval", given), "deny")
    done = await road.call(Caller(), "decide_approval", given)
    assert isinstance(done, Done)
    assert done.structured["items"][0]["status"] == "denied"


async def test_a_row_that_merely_says_granted_is_nothing(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    code = await waiting(rig, road, "delete_workspace", given)
    store = road.context.store()
    stored = store.plan_by_code(code)
    assert stored is not None
    forged = Grant("human", "allow", rig.clock(), "00" * 64, "1234-1234-1234-1234")
    assert store.grant(stored.plan.id, forged)
    await waiting(rig, road, "delete_workspace", given)
    assert rig.transport.changes == []


async def test_a_yes_of_a_client_is_good_for_its_own_call_only(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    road.context.store().grant(question.plan.id, Grant("client_attested", "allow", rig.clock()))
    await waiting(rig, road, "delete_workspace", given)
    assert rig.transport.changes == []


async def test_a_yes_is_worth_nothing_once_the_approver_is_gone(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    sign(rig, road, await waiting(rig, road, "delete_workspace", given))
    error = await refused(rig.road(approver=lambda: None).call(Caller(), "delete_workspace", given))
    assert error.kind == "no_approver"
    assert rig.transport.changes == []


async def test_a_person_who_decides_while_the_call_waits_is_heard(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    code = await waiting(rig, road, "delete_workspace", given)
    notices: list[str] = []

    async def decides(_done: float, _total: float | None, line: str) -> None:
        notices.append(line)
        if len(notices) == 1:
            sign(rig, road, code)

    done = await rig.road(allow_wait=30.0).call(Caller(progress=decides), "delete_workspace", given)
    assert isinstance(done, Done)
    assert code in notices[0]


async def test_a_person_who_refuses_while_the_call_waits_ends_it(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    code = await waiting(rig, road, "delete_workspace", given)

    async def refuses(_done: float, _total: float | None, _line: str) -> None:
        stored = road.context.store().plan_by_code(code)
        assert stored is not None
        road.context.store().refuse(stored.plan.id, "declined", rig.clock())

    error = await refused(rig.road(allow_wait=30.0).call(Caller(progress=refuses), "delete_workspace", given))
    assert error.kind == "declined"
    assert rig.transport.changes == []


async def test_a_plan_that_expired_takes_no_answer(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    rig.clock.now += 601
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "plan_used"
    assert rig.transport.changes == []


async def test_a_yes_that_expired_before_the_claim_sends_nothing(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)

    async def late(request: Any) -> None:
        rig.clock.now += 700

    rig.transport.before = late
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "plan_used"
    assert rig.transport.changes == []


@pytest.mark.parametrize(
    ("action", "content", "kind"),
    [
        ("decline", {}, "declined"),
        ("cancel", {}, "declined"),
        ("accept", {}, "declined"),
        ("accept", {"allow": False}, "declined"),
    ],
)
async def test_a_no_ends_the_plan(rig: Rig, road: Road, action: str, content: dict[str, Any], kind: str) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, action, content))
    )
    assert error.kind == kind
    later = FormAnswer(question.plan.id, "accept", {"allow": True})
    assert (await refused(road.call(can_ask(), "delete_workspace", given, later))).kind == "plan_used"
    assert rig.transport.changes == []


async def test_leaving_an_approval_undecided_sends_nothing(rig: Rig, road: Road) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    given = {"workspace_id": row[0], "approval_id": row[1]}
    question = await asked(road, "decide_approval", given)
    error = await refused(
        road.call(can_ask(), "decide_approval", given, FormAnswer(question.plan.id, "accept", {"decision": "leave"}))
    )
    assert error.kind == "declined"
    assert rig.transport.changes == []


async def test_an_answer_for_another_call_or_principal_grants_nothing(rig: Rig, road: Road) -> None:
    first, second = {"workspace_id": rig.named("SEO Analyst")}, {"workspace_id": rig.named("Copywriter")}
    question = await asked(road, "delete_workspace", first)
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    assert (await refused(road.call(can_ask(), "delete_workspace", second, yes))).kind == "plan_used"
    other = replace(can_ask(), principal="somebody else")
    assert (await refused(road.call(other, "delete_workspace", first, yes))).kind == "plan_used"
    unknown = FormAnswer("0" * 32, "accept", {"allow": True})
    assert (await refused(road.call(can_ask(), "delete_workspace", first, unknown))).kind == "plan_used"
    assert rig.transport.changes == []
    await answered(road, "delete_workspace", first, question, allow=True)
    assert len(rig.transport.changes) == 1


async def test_two_answers_at_once_send_once(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    yes = FormAnswer(question.plan.id, "accept", {"allow": True})
    store = road.context.store()

    class Meanwhile:
        """The store, but another process decides between the look and the grant."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def grant(self, plan_id: str, grant: Grant) -> bool:
            store.grant(plan_id, grant)
            return store.grant(plan_id, grant)

    meanwhile = rig.road(store=lambda: Meanwhile())
    error = await refused(meanwhile.call(can_ask(), "delete_workspace", given, yes))
    assert (error.kind, error.message) == (
        "plan_used",
        "The plan was decided meanwhile; nothing was sent by this call.",
    )
    assert rig.transport.changes == []


async def test_the_target_gone_after_the_yes_is_a_stale_plan(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    rig.app.database.execute("UPDATE workspaces SET status = 'removed' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "stale_plan"
    assert rig.transport.changes == []


async def test_a_yes_to_a_call_that_got_riskier_since_it_was_shown_is_a_stale_plan(rig: Rig) -> None:
    road = rig.road(Profile(ask_from=Risk.DISRUPT))
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "restart_workspace", given)
    assert question.plan.risk == "disrupt"
    rig.app.database.execute("UPDATE workspaces SET runtime = 'external' WHERE id = ?", (given["workspace_id"],))
    rig.app.database.commit()
    error = await refused(
        road.call(can_ask(), "restart_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "stale_plan"
    assert rig.transport.changes == []


async def test_what_was_asked_stays_open_when_the_client_never_answers(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    first = await asked(road, "delete_workspace", given)
    again = await road.call(can_ask(), "delete_workspace", given)
    assert isinstance(again, Asked)
    assert again.plan.id == first.plan.id


async def test_a_plan_changed_in_the_store_takes_no_answer(rig: Rig, road: Road) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    question = await asked(road, "delete_workspace", given)
    with closing(sqlite3.connect(rig.folder / "state.db")) as outside, outside:
        outside.execute("UPDATE plans SET plan = replace(plan, 'Delete 1', 'Read 1')")
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "plan_used"
    assert error.message == "The plan was changed after it was shown; nothing was sent."
    assert rig.transport.changes == []


async def test_a_strict_profile_takes_no_form_for_a_critical_call_and_a_signature_instead(rig: Rig, road: Road) -> None:
    strict = rig.road(Profile(strict=True))
    given = {"workspace_id": rig.named("SEO Analyst"), "purge": True}
    error = await refused(strict.call(can_ask(), "delete_workspace", given))
    assert error.kind == "allow_required"
    stored = strict.context.store().plan_by_code(str(error.details["code"]))
    assert stored is not None and stored.plan.question.phrase is not None
    phrase = FormAnswer(stored.plan.id, "accept", {"phrase": stored.plan.question.phrase})
    refusal = await refused(strict.call(can_ask(), "delete_workspace", given, phrase))
    assert (refusal.kind, rig.transport.changes) == ("plan_used", [])
    assert refusal.message == "This profile takes no form's answer for a critical call; nothing was sent."
    sign(rig, strict, stored.plan.code)
    done = await strict.call(can_ask(), "delete_workspace", given)
    assert isinstance(done, Done) and done.structured["grant"] == "human"


async def test_a_strict_profile_still_asks_by_form_for_what_is_not_critical(rig: Rig, road: Road) -> None:
    await asked(rig.road(Profile(strict=True)), "delete_workspace", {"workspace_id": rig.named("SEO Analyst")})
