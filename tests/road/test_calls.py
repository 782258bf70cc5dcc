"""`Road.call`: what leaves the process, and what the answer says of it."""

from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from molecule_mcp.capability import Capability, Fact, Family, Item, Own, Preview, Progress, Risk
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from tests.road.rig import Rig, answered, asked, can_ask, refused

CRASH = RuntimeError("the tool broke: sesame-0123456789")


async def test_a_read_answers_at_once_and_writes_nothing_durable(rig: Rig) -> None:
    outcome = await rig.road().call(Caller(), "list_workspaces", {"limit": 3})
    assert isinstance(outcome, Done)
    assert len(outcome.structured["rows"]) == 3
    assert rig.transport.lines == ["GET /workspaces"]
    assert not (rig.folder / "state.db").exists()


async def test_an_unknown_tool_is_answered_with_names_like_it(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "list_workspace", {}))
    assert "list_workspaces" in str(error.advice)
    assert "tools/list" in str((await refused(rig.road().call(Caller(), "x", {}))).advice)


async def test_a_refused_argument_sends_nothing(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "delete_workspace", {"workspace_id": "../org/tokens"}))
    assert (error.kind, error.sent) == ("arguments", False)
    assert "../org" not in str(error.told())
    assert rig.transport.lines == []


async def test_a_bound_profile_refuses_another_workspace_before_anything_is_read(rig: Rig) -> None:
    own, other = rig.named("SEO Analyst"), rig.named("Copywriter")
    road = rig.road(Profile(role="WORKSPACE-WRITE", bound=frozenset({own})))
    error = await refused(road.call(can_ask(), "delete_workspace", {"workspace_id": other}))
    assert error.kind == "forbidden_by_policy"
    assert rig.transport.lines == []


async def test_a_bound_profile_is_refused_what_its_delete_would_reach_below(rig: Rig) -> None:
    lead = rig.named("Marketing Lead")
    road = rig.road(Profile(role="WORKSPACE-WRITE", bound=frozenset({lead})))
    error = await refused(road.call(can_ask(), "delete_workspace", {"workspace_id": lead}))
    assert error.kind == "forbidden_by_policy"
    assert rig.transport.changes == []


async def test_a_profile_is_refused_a_pause_that_would_reach_below_its_workspaces(rig: Rig) -> None:
    lead = rig.named("Marketing Lead")
    team = frozenset({lead, *map(rig.named, ("Newsletter Editor", "SEO Analyst", "Copywriter"))})
    given = {"workspace_id": lead}
    for bound in (frozenset({lead}), *(team - {missing} for missing in team - {lead})):
        road = rig.road(Profile(role="WORKSPACE-WRITE", bound=bound))
        error = await refused(road.call(can_ask(), "pause_workspace", given))
        assert (error.kind, error.sent) == ("forbidden_by_policy", False)
        assert "outside this profile" in error.message
        assert "is bound by --workspace, MOLECULE_MCP_WORKSPACES or the policy file" in str(error.advice)
    assert rig.transport.changes == []
    road = rig.road(Profile(role="WORKSPACE-WRITE", bound=team))
    question = await asked(road, "pause_workspace", given)
    await answered(road, "pause_workspace", given, question, allow=True)
    assert rig.transport.changes == [f"POST /workspaces/{lead}/pause"]


async def test_an_expired_profile_does_nothing_at_all(rig: Rig) -> None:
    road = rig.road(Profile("support", expires=rig.clock.now + 60))
    await road.call(Caller(), "list_workspaces", {"limit": 1})
    rig.clock.now += 60
    before = len(rig.transport.lines)
    error = await refused(road.call(Caller(), "list_workspaces", {"limit": 1}))
    assert (error.kind, "expired" in error.message) == ("forbidden_by_policy", True)
    assert len(rig.transport.lines) == before


async def test_a_profile_that_asks_about_more_has_the_person_see_the_request(rig: Rig) -> None:
    road = rig.road(Profile(ask_from=Risk.WRITE))
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "tone", "value": "calm"}
    question = await asked(road, "set_memory_entry", given)
    assert 'key: "tone"' in question.plan.question.lines
    assert rig.transport.changes == []
    done = await answered(road, "set_memory_entry", given, question, allow=True)
    assert (done.structured["grant"], len(rig.transport.changes)) == ("client_attested", 1)


async def test_a_yes_sends_the_request_and_the_answer_names_it(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    given = {"workspace_id": leaf}
    question = await asked(road, "delete_workspace", given)
    assert question.plan.risk == "destroy"
    assert rig.transport.changes == []
    done = await answered(road, "delete_workspace", given, question, allow=True)
    assert rig.transport.changes == [f"DELETE /workspaces/{leaf}"]
    assert done.structured == {
        "items": [{"id": leaf, "state": "removed"}],
        "sent": [f"DELETE /workspaces/{leaf}"],
        "grant": "client_attested",
    }


async def test_a_team_goes_children_first_after_a_typed_phrase(rig: Rig) -> None:
    road, lead = rig.road(), rig.named("Marketing Lead")
    given = {"workspace_id": lead}
    question = await asked(road, "delete_workspace", given)
    assert (question.plan.risk, len(question.plan.steps)) == ("critical", 5)
    phrase = question.plan.question.phrase
    assert phrase == f"marketing-lead-{lead[:4]}"
    done = await answered(road, "delete_workspace", given, question, phrase=phrase)
    assert rig.transport.changes == done.structured["sent"]
    assert done.structured["sent"][-1] == f"DELETE /workspaces/{lead}"
    assert {rig.statuses()[item["id"]] for item in done.structured["items"]} == {"removed"}


async def test_the_fact_that_cannot_be_read_counts_as_true(rig: Rig) -> None:
    async def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500, json={"error": "x"}) if len(rig.transport.lines) == 1 else None

    rig.transport.before = broken
    question = await asked(rig.road(), "delete_workspace", {"workspace_id": rig.named("SEO Analyst")})
    assert question.plan.risk == "critical"


async def test_a_child_born_before_the_re_read_stops_everything(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    given = {"workspace_id": leaf}
    question = await asked(road, "delete_workspace", given)
    rig.app.database.execute("UPDATE workspaces SET parent_id = ? WHERE name = 'Copywriter'", (leaf,))
    rig.app.database.commit()
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert (error.kind, error.sent) == ("stale_plan", False)
    assert rig.transport.changes == []
    again = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert again.kind == "plan_used"


async def test_a_child_born_after_the_first_delete_stops_the_rest_and_the_parent_lives(rig: Rig) -> None:
    road, lead = rig.road(), rig.named("Finance Lead")
    given = {"workspace_id": lead}
    question = await asked(road, "delete_workspace", given)

    async def birth(request: httpx.Request) -> None:
        if request.method == "DELETE":
            rig.app.database.execute("UPDATE workspaces SET parent_id = ? WHERE name = 'Copywriter'", (lead,))
            rig.app.database.commit()

    rig.transport.before = birth
    phrase = question.plan.question.phrase
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"phrase": phrase}))
    )
    assert (error.kind, error.sent) == ("partial", True)
    assert [item["state"] for item in error.details["items"]] == ["done", "not_attempted"]
    assert rig.statuses()[lead] == "online"
    assert len(rig.transport.changes) == 1


async def test_an_answer_lost_on_the_way_is_unknown_and_never_sent_again(rig: Rig) -> None:
    road, lead = rig.road(), rig.named("Finance Lead")
    given = {"workspace_id": lead}
    question = await asked(road, "delete_workspace", given)

    async def lost(request: httpx.Request) -> None:
        if request.method == "DELETE":
            raise httpx.ReadTimeout("lost", request=request)

    rig.transport.before = lost
    phrase = question.plan.question.phrase
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"phrase": phrase}))
    )
    assert (error.kind, error.sent) == ("unreachable", "unknown")
    assert [item["state"] for item in error.details["items"]] == ["unknown", "not_attempted"]
    assert len(rig.transport.changes) == 1


async def test_the_first_step_refused_by_the_tenant_is_told_with_every_step(rig: Rig) -> None:
    road, lead = rig.road(), rig.named("Finance Lead")
    given = {"workspace_id": lead}
    question = await asked(road, "delete_workspace", given)

    async def conflict(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(409, json={"error": "busy"}) if request.method == "DELETE" else None

    rig.transport.before = conflict
    phrase = question.plan.question.phrase
    error = await refused(
        road.call(can_ask(), "delete_workspace", given, FormAnswer(question.plan.id, "accept", {"phrase": phrase}))
    )
    assert [item["state"] for item in error.details["items"]] == ["failed", "not_attempted"]
    assert error.sent is True


async def test_a_delete_that_answers_500_yet_happened_is_told_as_done_with_a_note(rig: Rig) -> None:
    road, leaf = rig.road(), rig.named("SEO Analyst")
    given = {"workspace_id": leaf}
    question = await asked(road, "delete_workspace", given)

    async def after_the_fact(request: httpx.Request) -> httpx.Response | None:
        if request.method != "DELETE":
            return None
        await rig.transport.inner.handle_async_request(request)
        return httpx.Response(500, json={"error": "stop failed", "removed_count": 1, "stop_failures": 1})

    rig.transport.before = after_the_fact
    done = await answered(road, "delete_workspace", given, question, allow=True)
    assert "note" in done.structured["items"][0]


async def test_a_read_raised_by_its_argument_is_asked_about_and_answers_like_the_read(rig: Rig) -> None:
    road = rig.road()
    plain = await road.call(Caller(), "list_pending_approvals", {})
    assert isinstance(plain, Done)
    question = await asked(road, "list_pending_approvals", {"sweep": True})
    done = await answered(road, "list_pending_approvals", {"sweep": True}, question, allow=True)
    assert rig.transport.changes == ["GET /approvals/pending"]
    assert done.structured["swept"] is True
    assert done.structured["grant"] == "client_attested"


async def test_a_secret_goes_by_reference_and_shows_up_nowhere_else(rig: Rig) -> None:
    road, target = rig.road(), rig.named("SEO Analyst")
    given = {"workspace_id": target, "key": "OPENAI_API_KEY", "value_from": "env:MOLECULE_SECRET_KEY"}
    question = await asked(road, "set_workspace_secret", given)
    done = await answered(road, "set_workspace_secret", given, question, allow=True)
    secret = rig.environ["MOLECULE_SECRET_KEY"]
    assert rig.transport.bodies[rig.transport.lines.index(done.structured["sent"][0])].count(secret.encode()) == 1
    assert secret not in done.text + str(question)
    assert secret.encode() not in b"".join(path.read_bytes() for path in rig.folder.iterdir() if path.is_file())


async def test_a_value_changed_after_the_yes_is_not_sent(rig: Rig) -> None:
    road, target = rig.road(), rig.named("SEO Analyst")
    (rig.folder / "secrets").mkdir(mode=0o700)
    file = rig.folder / "secrets" / "key"
    file.touch(mode=0o600)
    file.write_text("the first value")
    given = {"workspace_id": target, "key": "K", "value_from": "file:key"}
    question = await asked(road, "set_workspace_secret", given)
    file.write_text("another value")
    error = await refused(
        road.call(can_ask(), "set_workspace_secret", given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    )
    assert error.kind == "stale_plan"
    assert rig.transport.changes == []


async def test_the_tenants_text_that_holds_a_known_value_is_redacted_in_answers(rig: Rig) -> None:
    road = rig.road()
    road.context.redactor.learn("Support Lead", "NAME")
    done = await road.call(Caller(), "get_workspace", {"workspace": rig.named("Support Lead")})
    assert isinstance(done, Done)
    assert "Support Lead" not in done.text
    assert done.structured["name"] == "[redacted:NAME]"


async def test_every_answer_of_the_embedded_tenant_says_so(rig: Rig) -> None:
    road = rig.road(sample=True)
    done = await road.call(Caller(), "list_workspaces", {"limit": 1})
    assert isinstance(done, Done)
    assert done.structured["tenant"] == "sample"
    question = await asked(road, "delete_workspace", {"workspace_id": rig.named("SEO Analyst")})
    assert question.plan.question.lines[1] == "Tenant: the embedded sample tenant"
    assert '"tenant":"sample"' in road.told(await refused(road.call(Caller(), "nothing", {})))


def test_a_defect_is_told_without_its_own_text(rig: Rig) -> None:
    told = rig.road().told(CRASH)
    assert "RuntimeError" in told
    assert "sesame" not in told


family = Family("test")


class Restarted(Answer):
    """Nothing to tell."""

    ok: bool = True


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/restart"], title="Restart")
async def restart(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Restart."""
    await tenant.send("POST", "/workspaces/{id}/restart", dict[str, Any], id=workspace_id)
    return Restarted()


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/restart"], title="Restart twice")
async def restart_twice(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Restart, and try to do so again."""
    await restart(tenant, workspace_id)
    return await restart(tenant, workspace_id)


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/restart"], title="Crash")
async def restart_and_crash(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Restart, then break."""
    await restart(tenant, workspace_id)
    raise CRASH


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/restart"], title="Crash early")
async def crash(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Break before anything is sent."""
    raise CRASH


async def nothing(tenant: Tenant, workspace_id: str) -> Preview:
    """A preview of a tool that changes nothing."""
    return Preview(Own("Nothing"), (Fact("x", 1),), (Item({"workspace_id": workspace_id}),), ("x", ""), frozenset())


@family.tool(Risk.DESTROY, sends=["GET /workspaces"], title="Idle", preview=nothing)
async def change_nothing(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Claim to be dangerous, and send nothing."""
    return Restarted()


async def restarts(tenant: Tenant, workspace_id: str) -> dict[str, bool]:
    """Live fact: always so."""
    return {"restarts": True}


@family.tool(
    Risk.READ,
    sends=["POST /workspaces/{id}/restart"],
    title="Look",
    raised_by_fact={"restarts": Risk.DISRUPT},
    facts=restarts,
)
async def look(tenant: Tenant, workspace_id: WorkspaceId) -> Restarted:
    """Read, unless a live fact makes it a change."""
    return await restart(tenant, workspace_id)


def found(name: str) -> Capability | None:
    """The tools of this test."""
    return family.capabilities.get(name)


async def test_a_free_change_leaves_at_once_with_a_durable_intent_and_outcome(rig: Rig) -> None:
    road, target = rig.road(find=found), rig.named("SEO Analyst")
    done = await road.call(Caller(), "restart", {"workspace_id": target})
    assert isinstance(done, Done)
    assert done.structured == {"items": [{"ok": True}], "sent": [f"POST /workspaces/{target}/restart"]}
    kinds = [(record.kind, record.body.get("state")) for record in road.context.store().records()]
    assert kinds == [("intent", None), ("outcome", "done")]


@pytest.mark.parametrize("role", ["READ", "WORKSPACE-WRITE"])
async def test_a_read_that_a_live_fact_makes_a_change_is_refused_to_who_may_only_read_there(
    rig: Rig, role: Literal["READ", "WORKSPACE-WRITE"]
) -> None:
    road = rig.road(Profile(role=role), find=found)
    error = await refused(road.call(Caller(), "look", {"workspace_id": rig.named("SEO Analyst")}))
    assert (error.kind, error.sent) == ("forbidden_by_policy", False)
    assert rig.transport.changes == []


async def test_a_tool_cannot_send_twice_on_one_claim(rig: Rig) -> None:
    road = rig.road(find=found)
    error = await refused(road.call(Caller(), "restart_twice", {"workspace_id": rig.named("SEO Analyst")}))
    assert error.kind == "second_send"
    assert len(rig.transport.changes) == 1


async def test_a_crash_after_the_send_leaves_the_outcome_unknown(rig: Rig) -> None:
    road = rig.road(find=found)
    with pytest.raises(RuntimeError):
        await road.call(Caller(), "restart_and_crash", {"workspace_id": rig.named("SEO Analyst")})
    assert [record.body.get("state") for record in road.context.store().records()] == [None, "unknown"]


async def test_a_crash_before_the_send_leaves_no_intent(rig: Rig) -> None:
    road = rig.road(find=found)
    with pytest.raises(RuntimeError):
        await road.call(Caller(), "crash", {"workspace_id": rig.named("SEO Analyst")})
    assert list(road.context.store().records()) == []


async def test_a_gated_tool_that_would_send_nothing_is_stopped_at_its_plan(rig: Rig) -> None:
    road = rig.road(find=found)
    error = await refused(road.call(can_ask(), "change_nothing", {"workspace_id": rig.named("SEO Analyst")}))
    assert error.kind == "nothing_to_do"


async def test_nothing_leaves_when_the_intent_cannot_be_written(rig: Rig, tmp_path: Path) -> None:
    road = rig.road(find=found)
    road.context.store().close()
    error = await refused(road.call(Caller(), "restart", {"workspace_id": rig.named("SEO Analyst")}))
    assert (error.kind, error.sent) == ("store", False)
    assert rig.transport.changes == []


async def test_a_question_needs_a_caller_that_can_show_it(rig: Rig) -> None:
    road = rig.road()
    outcome = await road.call(can_ask(), "delete_workspace", {"workspace_id": rig.named("SEO Analyst")})
    assert isinstance(outcome, Asked)
    error = await refused(road.call(Caller(), "delete_workspace", {"workspace_id": rig.named("SEO Analyst")}))
    assert error.kind == "no_approver"
    assert rig.transport.changes == []


async def test_no_argument_with_a_known_value_gets_into_a_plan(rig: Rig) -> None:
    road = rig.road()
    error = await refused(road.call(can_ask(), "create_org_token", {"name": "sesame-0123456789"}))
    assert (error.kind, error.sent) == ("arguments", False)
    assert "sesame" not in str(error.told())
    assert list(road.context.store().waiting(0.0)) == []
    assert rig.transport.changes == []


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Tell")
async def tell(tenant: Tenant, progress: Progress) -> Restarted:
    """Tell how far it is."""
    await progress(1, 2, "now: sesame-0123456789")
    return Restarted()


async def test_progress_holds_no_known_value(rig: Rig) -> None:
    lines = list[str]()

    async def heard(_done: float, _total: float | None, line: str) -> None:
        lines.append(line)

    await rig.road(find=found).call(Caller(progress=heard), "tell", {})
    assert lines == ["now: [redacted:env:MOLECULE_SECRET_KEY]"]
