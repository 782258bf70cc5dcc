"""Messages to agents: answered, queued, or told as what went wrong; never sent twice."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused

from molecule_mcp.road.traffic import Caller, Done


async def say(rig: Rig, answer: httpx.Response | None = None) -> dict[str, Any]:
    async def instead(request: httpx.Request) -> httpx.Response | None:
        return answer if request.method == "POST" else None

    rig.transport.before = instead
    given = {"workspace_id": rig.named("Copywriter"), "text": "Any news?"}
    outcome = await rig.road().call(Caller(), "send_message", given)
    assert isinstance(outcome, Done)
    return outcome.structured["items"][0]


async def test_an_agents_answer_is_its_words_alone(rig: Rig) -> None:
    told = await say(rig)
    assert told["state"] == "answered"
    assert "Any news?" in told["text"]
    assert "task" not in told
    assert len(rig.transport.changes) == 1


async def test_a_tasks_status_and_artifacts_are_read_too_cleaned_and_cut(rig: Rig) -> None:
    parts = [{"kind": "text", "text": "do\u202ene"}, {"kind": "data", "data": 1}, 7]
    result = {"status": {"message": {"parts": parts}}, "artifacts": [{"parts": [{"kind": "text", "text": "x" * 9000}]}]}
    told = await say(rig, httpx.Response(200, json={"result": result}))
    assert told["text"].startswith("done\n")
    assert told["cut"] is True


async def test_a_queued_message_says_that_no_answer_comes(rig: Rig) -> None:
    told = await say(
        rig, httpx.Response(202, json={"queued": True, "queue_id": "q1", "queue_depth": 1, "message": "m"})
    )
    assert told == {"state": "queued", "queue_id": "q1"}


async def test_an_agents_error_within_success_is_a_failure(rig: Rig) -> None:
    answer = httpx.Response(200, json={"jsonrpc": "2.0", "error": {"code": -32000, "message": "no model"}})
    error = await refused(say(rig, answer))
    assert (error.sent, "no model" in error.message) == (True, True)
    assert "may have worked before it" in error.message


async def test_a_task_that_did_not_end_well_is_not_told_as_a_plain_answer(rig: Rig) -> None:
    parts = [{"kind": "text", "text": "I could not."}]
    status = {"state": "failed", "message": {"parts": parts}}
    told = await say(rig, httpx.Response(200, json={"result": {"kind": "task", "status": status}}))
    assert (told["text"], told["task"]) == ("I could not.", "failed")


async def test_a_success_that_is_no_agents_answer_is_not_told_as_one(rig: Rig) -> None:
    error = await refused(say(rig, httpx.Response(200, json={"status": "ok"})))
    assert (error.kind, error.sent) == ("unreadable_answer", "unknown")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"error": "Bad Request"}),
        httpx.Response(404, json={"error": "workspace not found"}),
        httpx.Response(402, json={"error": "workspace budget limit exceeded"}),
        httpx.Response(429, json={"error": "rate limit exceeded", "retry_after": 1}),
        httpx.Response(500, json={"error": "agent exploded"}),
        httpx.Response(502, json={"error": "failed to reach workspace agent"}),
        httpx.Response(503, json={"error": "spoofed", "code": "platform_unavailable"}),
        httpx.Response(504, json={"error": "Gateway Timeout"}),
    ],
)
async def test_what_an_agent_did_before_an_error_status_is_not_known_and_it_is_told_once(
    rig: Rig, answer: httpx.Response
) -> None:
    error = await refused(say(rig, answer))
    assert (error.sent, error.told()["status"]) == ("unknown", answer.status_code)
    assert "is not known" in error.message
    assert "nothing changed" not in error.message
    assert len(rig.transport.changes) == 1
    rig.clock.now += 3600
    again = await refused(say(rig, answer))  # nobody may take it for done, and nobody sends it twice
    assert (again.sent, again.details["deduplicated"], len(rig.transport.changes)) == ("unknown", True, 1)


async def test_a_message_that_the_rate_limit_turned_away_is_told_once_more(rig: Rig) -> None:
    limited = {"error": "rate limit exceeded", "retry_after": 1}

    async def first(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST" or len(rig.transport.changes) > 1:
            return None
        return httpx.Response(429, json=limited, headers={"Retry-After": "1"})

    rig.transport.before = first
    given = {"workspace_id": rig.named("Copywriter"), "text": "Any news?"}
    outcome = await rig.road().call(Caller(), "send_message", given)
    assert isinstance(outcome, Done)
    assert outcome.structured["items"][0]["state"] == "answered"
    assert len(rig.transport.changes) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status = 'failed', url = ''", "failed and has no address"),
        ("status = 'paused', url = ''", "paused and has no address"),
        ("status = 'removed'", "is removed"),
        ("budget_limit = 100, monthly_spend = 100", "spent its budget"),
        ("budget_limit = 0, monthly_spend = 0", "spent its budget"),
    ],
)
async def test_what_the_tenant_would_turn_away_is_refused_with_nothing_sent(rig: Rig, change: str, said: str) -> None:
    rig.app.database.execute(f"UPDATE workspaces SET {change} WHERE name = 'Copywriter'")
    error = await refused(say(rig))
    assert (error.kind, error.sent, rig.transport.changes) == ("nothing_to_do", False, [])
    assert said in error.message


@pytest.mark.parametrize(
    "change",
    [
        "status = 'offline'",
        "status = 'failed'",
        "status = 'provisioning', runtime = 'external'",
        "budget_limit = 100, monthly_spend = 99",
    ],
)
async def test_an_agent_with_an_address_is_told_whatever_its_status(rig: Rig, change: str) -> None:
    rig.app.database.execute(f"UPDATE workspaces SET {change} WHERE name = 'Copywriter'")
    assert (await say(rig))["state"] == "answered"


async def test_a_message_wakes_a_hibernated_workspace(rig: Rig) -> None:
    rig.app.database.execute("UPDATE workspaces SET status = 'hibernated', url = '' WHERE name = 'Copywriter'")
    waking = {"error": "workspace is waking from hibernation", "waking": True, "retry_after": 15}
    error = await refused(say(rig, httpx.Response(503, json=waking, headers={"Retry-After": "15"})))
    assert (error.sent, len(rig.transport.changes)) == ("unknown", 1)


async def test_a_text_that_the_tenant_would_cut_is_refused_with_nothing_sent(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "text": "\U0001f600" * 90_000}  # 12 bytes each on the way
    error = await refused(rig.road().call(Caller(), "send_message", given))
    assert (error.kind, error.sent, rig.transport.lines) == ("arguments", False, [])
    whole = {**given, "text": "\u00e9" * 100_000}
    assert isinstance(await rig.road().call(Caller(), "send_message", whole), Done)


async def test_a_state_that_cannot_be_read_lets_nothing_leave(rig: Rig) -> None:
    async def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500, json={"error": "x"}) if request.url.path.endswith("/budget") else None

    rig.transport.before = broken
    given = {"workspace_id": rig.named("Copywriter"), "text": "Any news?"}
    error = await refused(rig.road().call(Caller(), "send_message", given))
    assert (error.sent, rig.transport.changes) == (False, [])


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("x"), httpx.RemoteProtocolError("cut")])
async def test_a_message_without_a_whole_answer_may_have_arrived_and_is_told_once(rig: Rig, fault: Exception) -> None:
    async def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            raise fault
        return None

    rig.transport.before = lost
    given = {"workspace_id": rig.named("Copywriter"), "text": "Any news?"}
    error = await refused(rig.road().call(Caller(), "send_message", given))
    assert (error.kind, error.sent, len(rig.transport.changes)) == ("unreachable", "unknown", 1)
