"""Messages to simulated agents."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk

HELLO: dict[str, Any] = {
    "id": 7,
    "method": "message/send",
    "params": {"message": {"parts": [{"kind": "text", "text": "hello"}]}},
}


async def reachable(desk: Desk, name: str = "w") -> str:
    workspace = await desk.workspace(name)
    desk.app.database.execute("UPDATE workspaces SET url = 'http://192.0.2.1' WHERE id = ?", (workspace,))
    return workspace


async def test_an_agent_says_what_it_was_told_and_nobody_is_asked_for_a_credential(desk: Desk) -> None:
    workspace = await reachable(desk)
    told = (await desk.http.post(f"/workspaces/{workspace}/a2a", json=HELLO)).json()
    assert told["id"] == 7
    assert "hello" in told["result"]["parts"][0]["text"]
    (row,) = await desk.json(f"/workspaces/{workspace}/activity")
    assert (row["activity_type"], row["method"]) == ("a2a_receive", "message/send")


@pytest.mark.parametrize("body", [{}, {"params": 1}, {"params": {"message": {"parts": [1, {"kind": "data"}]}}}])
async def test_a_message_without_text_is_delivered_too(desk: Desk, body: dict[str, Any]) -> None:
    told = await desk.org.post(f"/workspaces/{await reachable(desk)}/a2a", json=body)
    assert told.status_code == 200


async def test_what_cannot_be_delivered_is_refused_as_the_tenant_does(desk: Desk) -> None:
    workspace = await desk.workspace("w")
    desk.app.database.execute("UPDATE workspaces SET url = ''")
    cases: list[tuple[str, Any, int, str]] = [
        ("x", HELLO, 500, "lookup failed"),
        (UNKNOWN, HELLO, 404, "workspace not found"),
        (workspace, [], 400, "invalid JSON"),
        (workspace, HELLO, 503, "workspace has no URL"),
    ]
    for place, body, status, error in cases:
        told = await desk.org.post(f"/workspaces/{place}/a2a", json=body)
        assert (told.status_code, told.json()["error"]) == (status, error)
    desk.app.database.execute("UPDATE workspaces SET budget_limit = 0")
    assert (await desk.org.post(f"/workspaces/{workspace}/a2a", json=HELLO)).status_code == 402


async def test_a_caller_that_names_itself_has_to_prove_it(desk: Desk) -> None:
    workspace, other = await reachable(desk), await desk.workspace("o")
    path = f"/workspaces/{workspace}/a2a"
    named = {"X-Workspace-ID": other}
    assert (await desk.http.post(path, json=HELLO, headers=named)).json() == {"error": "missing caller auth token"}
    assert (await desk.org.post(path, json=HELLO, headers=named)).json() == {"error": "invalid caller auth token"}
    own = desk.client(await desk.token(other))
    assert (await own.post(path, json=HELLO, headers=named)).status_code == 403
    assert (await desk.org.post(path, json=HELLO, headers={"X-Workspace-ID": workspace})).status_code == 200
