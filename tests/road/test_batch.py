"""Several calls as one plan: one question, one yes, each call by its own rules, and going on after a stop."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from molecule_mcp import arguments as strict
from molecule_mcp import tools
from molecule_mcp.capability import Risk
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.forms import canonical
from tests.road.rig import PASSPHRASE, Rig, answered, asked, can_ask, refused
from tests.road.test_asking import sign, waiting

PLAN = "run_plan"


def delete(rig: Rig, *names: str) -> dict[str, Any]:
    """A plan to delete these workspaces."""
    calls = [{"tool": "delete_workspace", "arguments": {"workspace_id": rig.named(name)}} for name in names]
    return {"calls": calls}


def tell(rig: Rig, *names: str, **more: Any) -> dict[str, Any]:
    """A plan to tell these agents something, which nobody is asked about."""
    return {
        "calls": [
            {"tool": "send_message", "arguments": {"workspace_id": rig.named(name), "text": "Go", **more}}
            for name in names
        ]
    }


def only(method: str, path: str, error: Exception | httpx.Response) -> Any:
    """Something in the way of one request."""

    async def before(request: httpx.Request) -> httpx.Response | None:
        if request.method != method or path not in request.url.path:
            return None
        if isinstance(error, Exception):
            raise error
        return error

    return before


async def called(road: Road, given: dict[str, Any], caller: Caller | None = None) -> Done:
    """Call, and expect an answer."""
    outcome = await road.call(caller or Caller(), PLAN, given)
    assert isinstance(outcome, Done)
    return outcome


async def stopped(road: Road, given: dict[str, Any], question: Asked, **content: Any) -> MoleculeError:
    """Say yes, and expect that the run stops."""
    return await refused(road.call(can_ask(), PLAN, given, FormAnswer(question.plan.id, "accept", content)))


async def test_several_calls_are_one_question_and_one_yes(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    given["calls"].append(tell(rig, "Support Lead")["calls"][0])
    question = await asked(rig.road(), PLAN, given)
    lines = question.plan.question.lines
    assert lines[0] == "Run 3 calls, in this order (destroy)"
    assert lines[2].startswith("1. Delete 1 workspace")
    assert lines[4] == f"3. Send message (disrupt): {rig.named('Support Lead')}"
    assert '   text: "Go"' in lines
    assert (question.plan.tool, question.plan.question.answers, question.plan.question.phrase) == (
        PLAN,
        ("allow",),
        None,
    )
    assert rig.transport.changes == []
    done = await answered(rig.road(), PLAN, given, question, allow=True)
    assert rig.transport.changes == done.structured["sent"]
    assert [(item["tool"], item["state"]) for item in done.structured["items"]] == [
        ("delete_workspace", "done"),
        ("delete_workspace", "done"),
        ("send_message", "done"),
    ]
    assert done.structured["items"][0]["results"] == [{"id": rig.named("SEO Analyst"), "state": "removed"}]
    assert done.structured["grant"] == "client_attested"
    assert rig.statuses()[rig.named("Copywriter")] == "removed"


async def test_one_critical_call_makes_the_whole_plan_want_its_phrase(rig: Rig) -> None:
    lead = rig.named("Finance Lead")
    given = delete(rig, "SEO Analyst", "Finance Lead")
    question = await asked(rig.road(), PLAN, given)
    phrase = question.plan.question.phrase
    assert (question.plan.risk, phrase) == ("critical", f"2-finance-lead-{lead[:4]}")
    assert (await stopped(rig.road(), given, question, phrase="yes")).kind == "declined"
    question = await asked(rig.road(), PLAN, given)
    done = await answered(rig.road(), PLAN, given, question, phrase=phrase)
    assert len(done.structured["sent"]) == 3
    assert len(done.structured["items"][1]["results"]) == 2


async def test_a_strict_profile_takes_no_form_for_a_plan_with_a_critical_call(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    road = rig.road(Profile(strict=True))
    error = await refused(road.call(can_ask(), PLAN, delete(rig, "SEO Analyst", "Finance Lead")))
    assert error.kind == "allow_required"


async def test_calls_that_nobody_is_asked_about_run_at_once_in_order_with_progress(rig: Rig) -> None:
    heard: list[str] = []

    async def progress(_done: float, _total: float | None, line: str) -> None:
        heard.append(line)

    given = tell(rig, "SEO Analyst", "Copywriter")
    done = await called(rig.road(), given, Caller(progress=progress))
    assert [line.split("/")[2] for line in rig.transport.changes] == [rig.named("SEO Analyst"), rig.named("Copywriter")]
    assert "grant" not in done.structured
    assert heard == ["1 of 2 calls done", "2 of 2 calls done"]


async def test_a_signature_from_outside_runs_the_plan_once(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    given = delete(rig, "SEO Analyst", "Copywriter")
    sign(rig, rig.road(), await waiting(rig, rig.road(), PLAN, given))
    done = await called(rig.road(), given)
    assert (done.structured["grant"], len(rig.transport.changes)) == ("human", 2)
    again = await called(rig.road(), given)
    assert all(item["deduplicated"] for item in again.structured["items"])
    assert again.structured["sent"] == []
    assert len(rig.transport.changes) == 2


async def test_a_replayed_yes_sends_nothing_more(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    question = await asked(rig.road(), PLAN, given)
    await answered(rig.road(), PLAN, given, question, allow=True)
    again = await answered(rig.road(), PLAN, given, question, allow=True)
    assert [item["deduplicated"] for item in again.structured["items"]] == [True, True]
    assert len(rig.transport.changes) == 2


async def test_the_first_surprise_stops_the_rest_and_the_same_calls_go_on_with_it(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter", "Ticket Triage")
    question = await asked(rig.road(), PLAN, given)
    rig.transport.before = only("DELETE", rig.named("Copywriter"), httpx.Response(409, json={"error": "busy"}))
    error = await stopped(rig.road(), given, question, allow=True)
    assert (error.kind, error.sent) == ("partial", True)
    assert [item["state"] for item in error.details["items"]] == ["done", "failed", "not_attempted"]
    assert "Stopped at call 2 of 3" in error.message
    rig.transport.before = None
    rest = await asked(rig.road(), PLAN, given)
    assert rest.plan.question.lines[0].startswith("Run 2 calls")
    assert [step.call for step in rest.plan.steps] == [1, 2]
    rig.clock.now += 590  # what was done before the question stays done, however long a person thinks
    done = await answered(rig.road(), PLAN, given, rest, allow=True)
    assert [item.get("deduplicated") for item in done.structured["items"]] == [True, None, None]
    assert done.structured["sent"] == [
        f"DELETE /workspaces/{rig.named(name)}" for name in ("Copywriter", "Ticket Triage")
    ]
    assert len(rig.transport.changes) == 4


async def test_what_was_done_before_is_told_as_done_even_when_the_rest_stops_again_later(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    question = await asked(rig.road(), PLAN, given)
    rig.transport.before = only("DELETE", rig.named("Copywriter"), httpx.Response(409, json={"error": "busy"}))
    await stopped(rig.road(), given, question, allow=True)
    rest = await asked(rig.road(), PLAN, given)
    rig.clock.now += 590
    rig.clock.now += 9
    error = await stopped(rig.road(), given, rest, allow=True)
    assert [item["state"] for item in error.details["items"]] == ["done", "failed"]


async def test_a_call_in_doubt_stops_the_plan_until_that_is_cleared_up(rig: Rig) -> None:
    given = tell(rig, "SEO Analyst", "Copywriter", "Support Lead")
    lost = httpx.ReadTimeout("lost")
    rig.transport.before = only("POST", rig.named("Copywriter"), lost)
    first = await refused(rig.road().call(Caller(), PLAN, given))
    assert (first.kind, first.sent) == ("partial", "unknown")
    rig.transport.before = None
    again = await refused(rig.road().call(Caller(), PLAN, given))
    assert [item["state"] for item in again.details["items"]] == ["done", "unknown", "not_attempted"]
    assert again.details["cause"]["deduplicated"] is True
    assert len(rig.transport.changes) == 2
    given["calls"][1]["arguments"]["client_token"] = "again"
    done = await called(rig.road(), given)
    assert [item.get("deduplicated") for item in done.structured["items"]] == [True, None, None]


async def test_a_surprise_at_the_first_call_is_told_as_its_own_error(rig: Rig) -> None:
    given = tell(rig, "SEO Analyst", "Copywriter")
    given["calls"][0] = {"tool": "restart_workspace", "arguments": {"workspace_id": rig.named("SEO Analyst")}}
    rig.transport.before = only("POST", rig.named("SEO Analyst"), httpx.Response(409, json={"error": "busy"}))
    error = await refused(rig.road().call(Caller(), PLAN, given))
    assert (error.kind, error.sent) == ("refused", True)
    assert [item["state"] for item in error.details["items"]] == ["failed", "not_attempted"]


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_an_error_that_may_be_an_agents_own_stops_a_plan_in_doubt(rig: Rig, status: int) -> None:
    given = tell(rig, "SEO Analyst", "Copywriter", "Support Lead")
    said = {"error": "gone", "code": "platform_unavailable"}
    rig.transport.before = only("POST", rig.named("Copywriter"), httpx.Response(status, json=said))
    error = await refused(rig.road().call(Caller(), PLAN, given))
    assert (error.kind, error.sent) == ("partial", "unknown")
    assert [item["state"] for item in error.details["items"]] == ["done", "unknown", "not_attempted"]
    assert len(rig.transport.changes) == 2
    rig.transport.before = None
    again = await refused(rig.road().call(Caller(), PLAN, given))
    assert (again.sent, len(rig.transport.changes)) == ("unknown", 2)
    assert "go on with what is left" not in str((error.advice, again.advice))
    given["calls"][1]["arguments"]["client_token"] = "anew"
    assert error.advice == (
        "Read the present state before anything else. The same calls again stop here again; "
        "give those that were not attempted as a plan of their own, and this one with another client_token only if it "
        "shall be sent anew."
    )
    await called(rig.road(), given)
    assert len(rig.transport.changes) == 4


async def test_a_plan_that_stopped_before_a_send_goes_on_with_the_same_calls(rig: Rig) -> None:
    given = tell(rig, "SEO Analyst", "Copywriter")
    rig.app.database.execute("UPDATE workspaces SET url = '' WHERE name = 'Copywriter'")
    error = await refused(rig.road().call(Caller(), PLAN, given))
    assert (error.kind, error.sent, len(rig.transport.changes)) == ("partial", True, 1)
    assert "go on with what is left" in str(error.advice)
    rig.app.database.execute("UPDATE workspaces SET url = 'http://192.0.2.1:9' WHERE name = 'Copywriter'")
    await called(rig.road(), given)
    assert len(rig.transport.changes) == 2


async def test_a_call_that_changes_what_a_later_one_was_shown_with_stops_before_that(rig: Rig) -> None:
    lead = rig.named("Finance Lead")
    child = rig.app.database.execute("SELECT name FROM workspaces WHERE parent_id = ?", (lead,)).fetchone()[0]
    given = delete(rig, child, "Finance Lead")
    question = await asked(rig.road(), PLAN, given)
    error = await stopped(rig.road(), given, question, phrase=question.plan.question.phrase)
    assert [item["state"] for item in error.details["items"]] == ["done", "not_attempted"]
    assert (error.details["cause"]["error"], error.sent) == ("stale_plan", True)
    assert rig.statuses()[lead] == "online"


async def test_anything_changed_before_the_yes_stops_everything(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    question = await asked(rig.road(), PLAN, given)
    rig.app.database.execute("UPDATE workspaces SET name = 'New' WHERE name = 'Copywriter'")
    rig.app.database.commit()
    assert (await stopped(rig.road(), given, question, allow=True)).kind == "stale_plan"
    assert rig.transport.changes == []


async def test_a_yes_to_one_plan_is_none_to_another(rig: Rig) -> None:
    question = await asked(rig.road(), PLAN, delete(rig, "SEO Analyst", "Copywriter"))
    error = await stopped(rig.road(), delete(rig, "SEO Analyst", "Ticket Triage"), question, allow=True)
    assert (error.kind, rig.transport.changes) == ("plan_used", [])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ({"tool": "list_workspaces"}, "changing calls only"),
        ({"tool": "list_pending_approvals"}, "changing calls only"),
        ({"tool": PLAN, "arguments": {"calls": [{"tool": "list_workspaces"}]}}, "single tools"),
        ({"tool": "restart_workspace", "arguments": {"workspace_id": "ID", "dry_run": True}}, "without dry_run"),
        ({"tool": "restart_workspace", "arguments": {"workspace_id": "x"}}, "workspace_id"),
        ({"tool": "no_such_tool"}, "no such tool"),
        ({"tool": "send_message", "arguments": {"workspace_id": "ID", "text": "Go"}}, "same call stands before"),
    ],
)
async def test_what_is_no_part_of_a_plan_is_refused_before_anything_is_sent(
    rig: Rig, call: dict[str, Any], complaint: str
) -> None:
    given = tell(rig, "SEO Analyst")
    arguments = call.get("arguments", {})
    if arguments.get("workspace_id") == "ID":
        arguments = {**arguments, "workspace_id": rig.named("SEO Analyst")}
    given["calls"].append({**call, "arguments": arguments})
    error = await refused(rig.road().call(Caller(), PLAN, given))
    assert (error.kind, error.sent) == ("arguments", False)
    assert error.message.startswith("Call 2: ")
    assert complaint in error.message
    assert rig.transport.changes == []


@pytest.mark.parametrize(("parent", "first"), [("Team X", True), ("Finance", False)])
async def test_an_id_that_a_call_before_it_would_make_is_asked_for_once_it_is_known(
    rig: Rig, parent: str, first: bool
) -> None:
    made = ({"name": "Team X"}, {"name": "One", "parent_id": parent})
    given = {"calls": [{"tool": "create_workspace", "arguments": each} for each in made]}
    error = await refused(rig.road().call(can_ask(), "run_plan", given))
    assert error.message.startswith("Call 2: parent_id")
    assert ("Make what is called that first" in str(error.advice), "candidates" in error.details) == (first, not first)


async def test_more_than_twenty_calls_or_none_are_refused(rig: Rig) -> None:
    for many in (0, 21):
        calls = tell(rig, "SEO Analyst")["calls"] * many
        assert (await refused(rig.road().call(Caller(), PLAN, {"calls": calls}))).kind == "arguments"


async def test_a_decision_with_a_form_of_its_own_is_refused_in_a_plan(rig: Rig) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    arguments = {"workspace_id": row[0], "approval_id": row[1]}
    error = await refused(
        rig.road().call(can_ask(), PLAN, {"calls": [{"tool": "decide_approval", "arguments": arguments}]})
    )
    assert "question of its own" in error.message


async def test_a_bound_profile_is_refused_a_call_about_another_workspace(rig: Rig) -> None:
    profile = Profile(role="WORKSPACE-WRITE", bound=frozenset({rig.named("SEO Analyst")}))
    assert (await called(rig.road(profile), tell(rig, "SEO Analyst"))).structured["sent"]
    error = await refused(rig.road(profile).call(Caller(), PLAN, tell(rig, "SEO Analyst", "Copywriter")))
    assert (error.kind, "Call 2" in error.message) == ("forbidden_by_policy", True)


@pytest.mark.parametrize("profile", [Profile(role="READ"), Profile(deny=frozenset({PLAN}))])
async def test_a_profile_that_may_not_change_or_not_plan_runs_no_plan(rig: Rig, profile: Profile) -> None:
    error = await refused(rig.road(profile).call(Caller(), PLAN, tell(rig, "SEO Analyst")))
    assert error.kind == "forbidden_by_policy"


async def test_a_tool_that_the_callers_address_does_not_offer_is_none_of_its_plans_either(rig: Rig) -> None:
    caller = replace(can_ask(), offered={PLAN})
    error = await refused(rig.road().call(caller, PLAN, tell(rig, "SEO Analyst")))
    assert "not offered" in error.message
    assert rig.transport.changes == []


async def test_a_dry_run_of_a_plan_shows_its_question_and_requests(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    given["calls"].append(tell(rig, "Support Lead")["calls"][0])
    told = (await called(rig.road(), {**given, "dry_run": True}, can_ask())).structured
    assert (told["risk"], told["asks"], len(told["requests"])) == ("destroy", "a yes to this preview", 3)
    assert told["would"][0] == "Run 3 calls, in this order (destroy)"
    assert rig.transport.changes == []
    assert not (rig.folder / "state.db").exists()


async def test_a_profile_that_asks_about_more_asks_about_a_plan_of_it(rig: Rig) -> None:
    question = await asked(rig.road(Profile(ask_from=Risk.WRITE)), PLAN, tell(rig, "SEO Analyst"))
    assert question.plan.question.lines[0] == "Run 1 call, in this order (disrupt)"


def changes(rig: Rig, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A plan of these calls about one workspace, and a message to another."""
    target = {"workspace_id": rig.named("SEO Analyst")}
    plan = [{"tool": tool, "arguments": {**target, **arguments}} for tool, arguments in calls]
    return {"calls": plan + tell(rig, "Copywriter")["calls"]}


@pytest.mark.parametrize("before", ["alone", "in another plan", "in the same plan"])
async def test_what_was_undone_outside_of_a_plan_since_is_done_again(rig: Rig, before: str) -> None:
    target = {"workspace_id": rig.named("SEO Analyst")}
    given = changes(rig, ("pause_workspace", {}))
    if before == "alone":
        await rig.road().call(Caller(), "pause_workspace", target)
    else:
        await called(rig.road(), {"calls": given["calls"][: 1 if before == "in another plan" else 2]})
    await rig.road().call(Caller(), "resume_workspace", target)
    done = await called(rig.road(), given)
    assert rig.statuses()[target["workspace_id"]] == "paused"
    assert done.structured["sent"][0] == f"POST /workspaces/{target['workspace_id']}/pause"
    told = [item.get("deduplicated") for item in done.structured["items"]]
    assert told == [None, True if before == "in the same plan" else None]


async def test_a_value_that_was_set_to_another_since_is_set_again_by_a_plan(rig: Rig) -> None:
    target = {"workspace_id": rig.named("SEO Analyst")}
    for model in ("a", "b"):
        await rig.road().call(Caller(), "set_model", {**target, "model": model})
    await called(rig.road(), changes(rig, ("set_model", {"model": "a"})))
    read = await rig.road().call(Caller(), "get_model", target)
    assert isinstance(read, Done)
    assert read.structured["model"] == "a"


async def test_a_question_about_a_plan_names_every_call_that_somebody_undid(rig: Rig) -> None:
    target = {"workspace_id": rig.named("SEO Analyst")}
    for tool in ("pause_workspace", "resume_workspace"):
        await rig.road().call(Caller(), tool, target)
    given = changes(rig, ("pause_workspace", {}))
    given["calls"] += delete(rig, "Ticket Triage")["calls"]
    question = await asked(rig.road(), PLAN, given)
    assert question.plan.question.lines[0].startswith("Run 3 calls,")


async def test_a_yes_to_what_was_left_does_not_count_once_somebody_undid_what_was_not_shown(rig: Rig) -> None:
    target, given = await half_done(rig)
    question = await asked(rig.road(), PLAN, given)
    lines = question.plan.question.lines
    assert lines[0] == "Run 1 call, in this order (destroy)"
    assert lines[2].startswith("2. Delete 1 workspace")
    assert lines[3] == "Done before, not run again: 1. Pause a workspace"
    assert [line for line in lines if line.startswith("About")] == ["About 2:"]
    await rig.road().call(Caller(), "resume_workspace", target)
    error = await stopped(rig.road(), given, question, allow=True)
    assert (error.kind, error.sent, len(rig.transport.changes)) == ("stale_plan", False, 2)
    again = await asked(rig.road(), PLAN, given)
    assert again.plan.question.lines[0] == "Run 2 calls, in this order (destroy)"
    done = await answered(rig.road(), PLAN, given, again, allow=True)
    assert [item.get("deduplicated") for item in done.structured["items"]] == [None, None]
    assert rig.statuses()[target["workspace_id"]] == "paused"


async def test_what_somebody_undid_is_done_again_though_all_that_was_shown_was_done_meanwhile(rig: Rig) -> None:
    target, given = await half_done(rig)
    question = await asked(rig.road(), PLAN, given)
    deleted = given["calls"][1]["arguments"]
    written = canonical(strict.read(tools.catalogue()["delete_workspace"].function, deleted))
    allowed = rig.road(Profile(ahead=(Ahead("delete_workspace", written, 1, rig.clock.now + 60),)))
    await rig.road().call(Caller(), "resume_workspace", target)
    assert isinstance(await allowed.call(Caller(), "delete_workspace", deleted), Done)
    done = await answered(rig.road(), PLAN, given, question, allow=True)
    assert done.structured["sent"] == [f"POST /workspaces/{target['workspace_id']}/pause"]
    assert [item.get("deduplicated") for item in done.structured["items"]] == [None, True]
    assert rig.statuses()[target["workspace_id"]] == "paused"


async def half_done(rig: Rig) -> tuple[dict[str, Any], dict[str, Any]]:
    """A plan to pause and to delete a workspace, of which the first was done, and what it was done to."""
    target = {"workspace_id": rig.named("SEO Analyst")}
    await rig.road().call(Caller(), "pause_workspace", target)
    return target, {"calls": [{"tool": "pause_workspace", "arguments": target}, *delete(rig, "Ticket Triage")["calls"]]}


async def test_a_stop_says_that_its_own_call_sent_nothing_and_how_many_did_before(rig: Rig) -> None:
    given = tell(rig, "SEO Analyst", "Copywriter", "Support Lead")
    await called(rig.road(), {"calls": given["calls"][:1]})
    rig.app.database.execute("UPDATE workspaces SET status = 'paused', url = '' WHERE name = 'Support Lead'")
    error = await refused(rig.road().call(Caller(), PLAN, given))
    assert (error.kind, error.sent, len(rig.transport.changes)) == ("partial", True, 2)
    own = "The workspace is paused and has no address where an agent would answer; call 3 sent nothing."
    assert error.message == f"Stopped at call 3 of 3, 1 sent before it: {own}"
    assert error.details["cause"]["message"] == own


async def test_what_the_calls_of_a_plan_undo_of_each_other_is_not_done_again_by_the_same_plan(rig: Rig) -> None:
    given = changes(rig, ("set_model", {"model": "a"}), ("set_model", {"model": "b"}))
    await called(rig.road(), given)
    rig.clock.now += 590
    again = await called(rig.road(), given)
    assert again.structured["sent"] == []
    assert len(rig.transport.changes) == 3


@pytest.mark.parametrize(("passed", "sent"), [(119, 1), (120, 2)])
@pytest.mark.parametrize("before", ["alone", "in another plan"])
async def test_what_was_done_outside_of_a_plan_counts_in_it_as_for_a_call_by_itself(
    rig: Rig, before: str, passed: int, sent: int
) -> None:
    [message] = tell(rig, "Copywriter")["calls"]
    if before == "alone":
        await rig.road().call(Caller(), message["tool"], message["arguments"])
    else:
        await called(rig.road(), {"calls": [message]})
    rig.clock.now += passed
    await called(rig.road(), tell(rig, "Copywriter", "Support Lead"))
    assert len(rig.transport.changes) == sent + 1


async def test_a_token_of_another_call_is_refused_by_its_place_in_the_plan(rig: Rig) -> None:
    await called(rig.road(), tell(rig, "SEO Analyst", client_token="one"))
    error = await refused(rig.road().call(Caller(), PLAN, tell(rig, "Copywriter", "Support Lead", client_token="one")))
    assert (error.kind, error.sent) == ("arguments", False)
    assert error.message.startswith("Call 1: This client_token was used")
    assert len(rig.transport.changes) == 1


def raised(rig: Rig, how: str) -> list[dict[str, Any]]:
    """Two calls, the first of which makes the second one, that nobody is asked about by itself, destroy more."""
    target = {"workspace_id": rig.named("SEO Analyst")}
    calls = {
        "a child to pause": [
            ("create_workspace", {"name": "Late", "parent_id": target["workspace_id"]}),
            ("pause_workspace", target),
        ],
        "a container that does not run": [
            ("pause_workspace", target),
            ("write_file", {**target, "path": "notes.md", "content": "x"}),
        ],
        "an outside agent to cut off": [
            ("update_workspace", {**target, "runtime": "external"}),
            ("restart_workspace", target),
        ],
    }[how]
    return [{"tool": tool, "arguments": arguments} for tool, arguments in calls]


@pytest.mark.parametrize("how", ["a child to pause", "a container that does not run"])
async def test_a_call_that_the_calls_before_it_make_riskier_is_not_sent_but_asked_about_next(
    rig: Rig, how: str
) -> None:
    given = {"calls": raised(rig, how)}
    error = await refused(rig.road().call(can_ask(), PLAN, given))
    assert (error.kind, error.sent) == ("partial", True)
    assert [item["state"] for item in error.details["items"]] == ["done", "not_attempted"]
    cause = error.details["cause"]
    grown = "The calls before it have made this one riskier than it was; call 2 sent nothing."
    assert (cause["error"], error.message) == ("stale_plan", f"Stopped at call 2 of 2, 1 sent before it: {grown}")
    assert len(rig.transport.changes) == 1
    question = await asked(rig.road(), PLAN, given)
    assert question.plan.risk == "destroy"
    assert len(rig.transport.changes) == 1


async def test_a_yes_to_a_call_does_not_count_once_a_call_before_it_made_it_riskier(rig: Rig) -> None:
    given = delete(rig, "Copywriter")
    given["calls"] += raised(rig, "an outside agent to cut off")
    question = await asked(rig.road(), PLAN, given)
    error = await stopped(rig.road(), given, question, allow=True)
    assert [item["state"] for item in error.details["items"]] == ["done", "done", "not_attempted"]
    assert not [line for line in rig.transport.changes if line.endswith("/restart")]
