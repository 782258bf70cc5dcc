"""What is told of a call: as it was found, marked as a sample, without any known value, and nothing left out."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from molecule_mcp.capability import Risk
from molecule_mcp.errors import ArgumentError, GateStop, MoleculeError, TenantUnreachable
from molecule_mcp.road import answers
from molecule_mcp.road.sending import Outgone
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store.records import Grant, Step
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import catalogue
from molecule_mcp.tools.kinds import WorkspaceId
from tests.road.own import Told, made, read
from tests.road.rig import Rig, answered, asked, refused

VALUE = "a-value-nobody-sees"
MARKER = "[redacted:KEY]"
GATED = catalogue()["delete_workspace"]


def learned(rig: Rig, **changes: Any) -> Any:
    """What a road is made of, once it knows a secret."""
    context = rig.road(**changes).context
    context.redactor.learn(VALUE, "KEY")
    return context


def steps(count: int) -> list[Step]:
    """Steps of one plan, to workspaces 0, 1 and so on."""
    return [Step("allow", at, {}, "DELETE", f"/workspaces/{at}", "", {}) for at in range(count)]


@pytest.mark.parametrize("found", [{"name": "Zoë", "count": 3}, {"name": "x", "nested": [{"a": None}]}])
def test_an_answer_is_told_as_it_was_found(rig: Rig, found: dict[str, Any]) -> None:
    told = answers.done(learned(rig), found)
    assert told == Done(found, json.dumps(found, separators=(",", ":"), ensure_ascii=False))


def test_commands_in_the_advice_of_an_error_and_of_its_cause_can_be_run_here(rig: Rig) -> None:
    def here(text: str) -> str:
        return text.replace("molecule-mcp", "./molecule-mcp")

    cause = ArgumentError("No.", advice="Run: molecule-mcp doctor")
    error = answers.stopped("partial", cause, "item 1", [{}], 0, "Then: molecule-mcp allow")
    told = answers.failed(replace(learned(rig), runnable=here), error)
    assert (told["advice"], told["cause"]["advice"]) == ("Then: ./molecule-mcp allow", "Run: ./molecule-mcp doctor")


def test_the_text_of_an_answer_is_as_short_as_json_can_be() -> None:
    assert answers.compact({"name": "Zoë", "items": [1, 2]}) == '{"name":"Zoë","items":[1,2]}'


def test_a_known_value_is_masked_in_both_forms_of_an_answer(rig: Rig) -> None:
    told = answers.done(learned(rig), {"name": "SEO", "log": [f"key={VALUE}"], VALUE: 1})
    assert told == Done(
        {"name": "SEO", "log": [f"key={MARKER}"], MARKER: 1},
        f'{{"name":"SEO","log":["key={MARKER}"],"{MARKER}":1}}',
    )


def test_an_answer_of_the_embedded_tenant_says_so_first(rig: Rig) -> None:
    assert answers.done(learned(rig, sample=True), {"count": 1}) == Done(
        {"tenant": "sample", "count": 1}, '{"tenant":"sample","count":1}'
    )


async def test_progress_is_told_without_any_known_value(rig: Rig) -> None:
    heard: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, line: str) -> None:
        heard.append((done, total, line))

    caller = answers.masked(learned(rig), Caller("another", "test 1", can_ask=True, progress=progress))
    await caller.progress(2, 3, f"read {VALUE}")
    await caller.progress(3, None, "done")
    assert heard == [(2, 3, f"read {MARKER}"), (3, None, "done")]
    assert (caller.principal, caller.client, caller.can_ask, caller.offered) == ("another", "test 1", True, None)


def test_a_changing_call_tells_its_results_its_requests_and_who_allowed_them(rig: Rig) -> None:
    sent = [Outgone({"id": "a"}, "DELETE /a"), Outgone({"id": "b"}, None), Outgone({"id": "c"}, "DELETE /c")]
    told = {"items": [{"id": "a"}, {"id": "b"}, {"id": "c"}], "sent": ["DELETE /a", "DELETE /c"]}
    context = rig.road().context
    assert answers.finished(context, GATED, sent, None).structured == told
    grant = Grant("human", "allow", 1.0)
    assert answers.finished(context, GATED, sent, grant).structured == {**told, "grant": "human"}


def test_a_read_that_sent_something_tells_its_own_fields_and_its_request(rig: Rig) -> None:
    read = catalogue()["list_pending_approvals"]
    told = answers.finished(rig.road().context, read, [Outgone({"count": 2}, "GET /approvals/pending")], None)
    assert told.structured == {"count": 2, "sent": ["GET /approvals/pending"]}


async def test_a_read_with_a_defect_sent_nothing(rig: Rig) -> None:
    async def broken(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        raise KeyError(await read(tenant, workspace_id))

    road = rig.road(**made(broken, Risk.READ))
    with pytest.raises(answers.Unsent) as defect:
        await road.call(Caller(), "broken", {"workspace_id": rig.named("SEO Analyst")})
    told = {"error": "internal", "message": "A defect: KeyError.", "sent": False}
    assert json.loads(road.told(defect.value)) == told


def test_an_error_of_ours_is_told_whole_and_masked(rig: Rig) -> None:
    error = GateStop("stale_plan", f"Not {VALUE}.", sent=True, advice="Look.", details={"code": VALUE})
    told = {"error": "stale_plan", "message": f"Not {MARKER}.", "sent": True, "code": MARKER, "advice": "Look."}
    assert answers.failed(learned(rig), error) == told
    assert answers.failed(learned(rig, sample=True), error) == {"tenant": "sample", **told}


def test_of_an_unexpected_error_only_its_kind_is_told(rig: Rig) -> None:
    told = {"error": "internal", "message": "A defect: KeyError.", "sent": "unknown"}
    assert answers.failed(learned(rig), KeyError("whatever it holds")) == told
    assert rig.road().told(KeyError("x")) == json.dumps(told, separators=(",", ":"))
    assert rig.road(sample=True).told(KeyError("x")).startswith('{"tenant":"sample","error":"internal",')


@pytest.mark.parametrize(
    ("position", "error", "kind", "states", "sent"),
    [
        (0, ArgumentError("no."), "arguments", ["failed", "not_attempted", "not_attempted"], False),
        (0, GateStop("x", "no", sent=True), "x", ["failed", "not_attempted", "not_attempted"], True),
        (0, GateStop("x", "no", sent="unknown"), "x", ["unknown", "not_attempted", "not_attempted"], "unknown"),
        (1, ArgumentError("no"), "partial", ["done", "failed", "not_attempted"], True),
        (1, TenantUnreachable("no", sent="unknown"), "partial", ["done", "unknown", "not_attempted"], "unknown"),
        (1, GateStop("stale_plan", "no"), "partial", ["done", "not_attempted", "not_attempted"], True),
        (2, GateStop("x", "no", sent=True), "partial", ["done", "done", "failed"], True),
    ],
)
def test_a_run_that_stopped_tells_what_became_of_each_step(
    position: int, error: MoleculeError, kind: str, states: list[str], sent: object
) -> None:
    done = [Outgone({}, "DELETE /x")] * position
    told = answers.partial(steps(3), done, error).told()
    assert told.pop("advice") == (
        "Read the present state before anything else; call again to have the rest shown and allowed anew."
    )
    before = f", {position} sent before it" if position else ""
    nothing = f"; item {position + 1} sent nothing." if error.sent is False else ""
    assert told == {
        "error": kind,
        "message": f"Stopped at item {position + 1} of 3{before}: no{nothing}",
        "sent": sent,
        "items": [{"request": f"DELETE /workspaces/{at}", "state": state} for at, state in enumerate(states)],
        "cause": error.told(),
    }


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Paused; nothing was sent.", "Paused; item 2 sent nothing."),
        ("Paused. Nothing was sent.", "Paused. Item 2 sent nothing."),
        ("Paused; nothing was sent by this call.", "Paused; item 2 sent nothing."),
        ("Paused.", "Paused; item 2 sent nothing."),
    ],
)
@pytest.mark.parametrize(("line", "sent", "before"), [("DELETE /x", True, ", 1 sent before it"), (None, False, "")])
def test_that_nothing_was_sent_is_said_of_no_more_than_the_one_that_sent_nothing(
    message: str, told: str, line: str | None, sent: bool, before: str
) -> None:
    stop = GateStop("x", message, advice="Nothing was sent.", details={"seconds": 3})
    error = answers.partial(steps(2), [Outgone({}, line)], stop)
    assert (error.message, error.sent) == (f"Stopped at item 2 of 2{before}: {told}", sent)
    cause = message.replace("nothing was sent by this call", "nothing was sent")
    cause = cause.replace("nothing was", "item 2 sent nothing").replace("Nothing was", "Item 2 sent nothing")
    assert error.details["cause"] == {
        "error": "x",
        "message": cause.replace("nothing sent", "nothing"),
        "sent": False,
        "seconds": 3,
        "advice": "Item 2 sent nothing.",
    }


async def test_a_gated_call_is_answered_with_exactly_what_it_did(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    road = rig.road(sample=True)
    question = await asked(road, "delete_workspace", {"workspace_id": leaf})
    told = await answered(road, "delete_workspace", {"workspace_id": leaf}, question, allow=True)
    assert told.structured == {
        "tenant": "sample",
        "items": [{"id": leaf, "state": "removed"}],
        "sent": [f"DELETE /workspaces/{leaf}"],
        "grant": "client_attested",
    }
    assert json.loads(told.text) == told.structured


async def test_a_refusal_of_the_tenant_is_told_without_a_known_value(rig: Rig) -> None:
    async def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(409, json={"error": f"{VALUE} is taken"})

    road = rig.road()
    road.context.redactor.learn(VALUE, "KEY")
    rig.transport.before = refuse
    error = await refused(road.call(Caller(), "get_workspace", {"workspace": rig.named("SEO Analyst")}))
    assert VALUE not in road.told(error)
    assert MARKER in road.told(error)
