"""What a plan of several calls tells, stores, reads and sends, held to the whole."""

from dataclasses import replace
from typing import Any

import httpx

from molecule_mcp import tools
from molecule_mcp.capability import Capability, Family, Item, Own, Preview, Risk
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.plan import bound_text
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from tests.road.rig import ORIGIN, PASSPHRASE, Rig, answered, asked, can_ask, refused
from tests.road.test_asking import sign, waiting
from tests.road.test_batch import PLAN, called, delete, only, stopped, tell
from tests.road.test_waiting import listening

BUSY = httpx.Response(409, json={"error": "busy"})


async def test_a_plan_is_stored_with_every_call_as_it_was_written(rig: Rig) -> None:
    road, given = rig.road(), delete(rig, "SEO Analyst")
    given["calls"] += tell(rig, "Copywriter", client_token="mine")["calls"]
    plan = (await asked(road, PLAN, given)).plan
    deleted = {"workspace_id": rig.named("SEO Analyst"), "purge": False}
    message = plan.steps[1].arguments
    assert (message["workspace_id"], message["text"]) == (rig.named("Copywriter"), "Go")
    written = {
        "calls": [
            {"tool": "delete_workspace", "arguments": deleted, "token": ""},
            {"tool": "send_message", "arguments": message, "token": "mine"},
        ]
    }
    assert plan.arguments == written
    assert plan.binding == road.context.keyed_digest(bound_text("local", "default", ORIGIN, PLAN, written))
    assert [(step.call, step.index, step.arguments, step.tool, step.risk) for step in plan.steps] == [
        (0, 0, deleted, "delete_workspace", "destroy"),
        (1, 1, message, "send_message", "disrupt"),
    ]
    assert plan.question.lines[1] == f"Tenant: {ORIGIN}"


async def test_only_the_calls_of_a_plan_are_told_as_its_progress(rig: Rig) -> None:
    road, given = rig.road(), delete(rig, "SEO Analyst", "Copywriter")
    question = await asked(road, PLAN, given)
    caller, heard = listening()
    listener = replace(caller, can_ask=True)
    outcome = await road.call(listener, PLAN, given, FormAnswer(question.plan.id, "accept", {"allow": True}))
    assert isinstance(outcome, Done)
    assert heard == [(1, 2, "1 of 2 calls done"), (2, 2, "2 of 2 calls done")]
    intents = [record.body for record in road.context.store().records() if record.kind == "intent"]
    assert [(each["grant"], each["plan_id"]) for each in intents] == [("client_attested", question.plan.id)] * 2


async def test_a_call_of_a_plan_that_comes_again_by_itself_says_who_allowed_it(rig: Rig) -> None:
    road, given = rig.road(), delete(rig, "SEO Analyst", "Copywriter")
    await answered(road, PLAN, given, await asked(road, PLAN, given), allow=True)
    outcome = await road.call(can_ask(), "delete_workspace", given["calls"][1]["arguments"])
    assert isinstance(outcome, Done)
    assert outcome.structured == {
        "items": [{"id": rig.named("Copywriter"), "state": "removed"}],
        "sent": [f"DELETE /workspaces/{rig.named('Copywriter')}"],
        "grant": "client_attested",
        "deduplicated": True,
    }


async def test_the_first_call_of_a_plan_is_read_no_oftener_than_it_is_judged_and_shown(rig: Rig) -> None:
    road, target = rig.road(), rig.named("SEO Analyst")
    calls = {"calls": [{"tool": "restart_workspace", "arguments": {"workspace_id": target}}]}
    await called(road, calls)
    look = f"GET /workspaces/{target}"  # to judge it, by the tool itself, and once more right before it leaves
    assert rig.transport.lines[:4] == [look, look, look, f"POST /workspaces/{target}/restart"]
    given = delete(rig, "Copywriter")
    before = len(rig.transport.lines)
    question = await asked(road, PLAN, given)
    asking = rig.transport.lines[before:]
    before = len(rig.transport.lines)
    await answered(road, PLAN, given, question, allow=True)
    sent = f"DELETE /workspaces/{rig.named('Copywriter')}"
    answering = rig.transport.lines[before:]
    assert answering[: answering.index(sent)] == asking


async def test_a_stop_tells_every_call_and_its_cause_whole(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter", "Ticket Triage")
    question = await asked(rig.road(), PLAN, given)
    rig.transport.before = only("DELETE", rig.named("Copywriter"), BUSY)
    error = await stopped(rig.road(), given, question, allow=True)
    assert error.details["items"] == [
        {
            "tool": "delete_workspace",
            "state": "done",
            "results": [{"id": rig.named("SEO Analyst"), "state": "removed"}],
        },
        {"tool": "delete_workspace", "state": "failed"},
        {"tool": "delete_workspace", "state": "not_attempted"},
    ]
    cause = error.details["cause"]
    assert (cause["error"], cause["status"], cause["sent"]) == ("refused", 409, True)
    assert error.message == f"Stopped at call 2 of 3, 1 sent before it: {cause['message']}"
    assert error.advice == (
        "Read the present state before anything else; the same calls again go on with what is left."
    )


async def test_what_is_not_shown_as_it_was_done_counts_as_long_as_what_is_shown(rig: Rig) -> None:
    given = delete(rig, "SEO Analyst", "Copywriter")
    question = await asked(rig.road(), PLAN, given)
    rig.transport.before = only("DELETE", rig.named("Copywriter"), BUSY)
    await stopped(rig.road(), given, question, allow=True)
    rig.transport.before = None
    rig.clock.now += 30
    rest = await asked(rig.road(), PLAN, given)
    rig.clock.now += 590
    done = await answered(rig.road(), PLAN, given, rest, allow=True)
    sent = f"DELETE /workspaces/{rig.named('Copywriter')}"
    assert done.structured == {
        "items": [
            {
                "tool": "delete_workspace",
                "state": "done",
                "results": [{"id": rig.named("SEO Analyst"), "state": "removed"}],
                "deduplicated": True,
            },
            {
                "tool": "delete_workspace",
                "state": "done",
                "results": [{"id": rig.named("Copywriter"), "state": "removed"}],
            },
        ],
        "sent": [sent],
        "grant": "client_attested",
    }


async def test_a_read_that_changes_something_answers_in_a_plan_as_by_itself(rig: Rig) -> None:
    given = {"calls": [{"tool": "list_pending_approvals", "arguments": {"sweep": True}}]}
    question = await asked(rig.road(), PLAN, given)
    [item] = (await answered(rig.road(), PLAN, given, question, allow=True)).structured["items"]
    [result] = item["results"]
    assert (result["swept"], result["sent"]) == (True, ["GET /approvals/pending"])


async def test_a_repeat_goes_on_with_what_was_shown_though_what_was_done_is_known_no_more(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    road = rig.road(Profile("night", two_step=True))
    critical = delete(rig, "Copywriter")["calls"][0]
    critical["arguments"]["purge"] = True
    message = tell(rig, "Support Lead")["calls"][0]
    last = delete(rig, "Ticket Triage")["calls"][0]
    await road.call(Caller(), message["tool"], message["arguments"])
    rig.clock.now += 60
    sign(rig, road, await waiting(rig, road, critical["tool"], critical["arguments"]))
    await road.call(Caller(), critical["tool"], critical["arguments"])
    given = {"calls": [critical, message, last]}
    shown = await refused(road.call(Caller(), PLAN, given))
    assert shown.kind == "repeat_to_confirm" and shown.details["would"][0].startswith("Run 1 call,")
    rig.clock.now += 100
    done = await called(road, given)
    assert [item.get("deduplicated") for item in done.structured["items"]] == [True, True, None]
    assert done.structured["sent"] == [f"DELETE /workspaces/{rig.named('Ticket Triage')}"]


async def test_a_call_that_is_typed_for_again_is_found_made_before(rig: Rig) -> None:
    road = rig.road()
    arguments = {"workspace_id": rig.named("SEO Analyst"), "key": "TOKEN", "value_from": "page:TOKEN"}
    given = {"calls": [{"tool": "set_workspace_secret", "arguments": arguments}]}
    rig.types((await refused(road.call(can_ask(), PLAN, given))).details["code"], "a value of its own")
    await answered(road, PLAN, given, await asked(road, PLAN, given), allow=True)
    rig.types((await refused(road.call(can_ask(), PLAN, given))).details["code"], "a value of its own")
    again = await called(road, given, can_ask())
    assert again.structured["items"][0]["deduplicated"] is True
    assert len(rig.transport.changes) == 1


family = Family("test")


async def of_itself(tenant: Tenant, workspace_id: str) -> Preview:
    """A preview that says what is sent."""
    return Preview(Own("Act"), (), (Item({"workspace_id": workspace_id}),), ("x", workspace_id), frozenset())


class Acted(Answer):
    """Nothing to tell."""


@family.tool(Risk.DESTROY, sends=["POST /workspaces/{id}/restart"], title="Act", preview=of_itself)
async def act(tenant: Tenant, workspace_id: WorkspaceId) -> Acted:
    """Send who decides."""
    await tenant.send("POST", "/workspaces/{id}/restart", dict[str, Any], id=workspace_id, query={"by": tenant.actor})
    return Acted()


def found(name: str) -> Capability | None:
    """The tool of this test, and the one for plans."""
    return family.capabilities.get(name) or tools.catalogue().get(name)


async def test_every_request_of_a_plan_names_its_code(rig: Rig) -> None:
    road = rig.road(find=found)
    ids = [rig.named(name) for name in ("SEO Analyst", "Copywriter")]
    given = {"calls": [{"tool": "act", "arguments": {"workspace_id": each}} for each in ids]}
    dry = await called(road, {**given, "dry_run": True})
    assert dry.structured["requests"] == [line(each, "dry-run") for each in ids]
    question = await asked(road, PLAN, given)
    done = await answered(road, PLAN, given, question, allow=True)
    assert done.structured["sent"] == [line(each, question.plan.code) for each in ids]
    assert rig.transport.changes == done.structured["sent"]


def line(identifier: str, code: str) -> str:
    """The request that decides in the name of a plan."""
    return f"POST /workspaces/{identifier}/restart?by=mcp%3Adefault%3A{code}"
