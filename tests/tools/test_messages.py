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


@pytest.mark.parametrize(("name", "status"), [("Bookkeeper", 402), ("Newsletter Editor", 503)])
async def test_what_cannot_be_delivered_is_told(rig: Rig, name: str, status: int) -> None:
    rig.app.database.execute("UPDATE workspaces SET url = '' WHERE name = 'Newsletter Editor'")
    given = {"workspace_id": rig.named(name), "text": "x"}
    assert str(status) in str((await refused(rig.road().call(Caller(), "send_message", given))).told())
