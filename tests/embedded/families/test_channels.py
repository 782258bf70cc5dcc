"""Channels."""

from typing import Any

import pytest

from tests.embedded.support import UNKNOWN, Desk

TELEGRAM = {"bot_token": "1234567890:ABCDEFGHIJKLMNOPQRSTUVWXYZ_6789", "chat_id": 42, "webhook_secret": "whsec-1"}
DISCORD = {"webhook_url": "https://discord.com/api/webhooks/1/t"}


async def test_only_the_bot_token_is_masked(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    body = {"channel_type": "telegram", "config": TELEGRAM, "allowed_users": ["42"], "enabled": False}
    told = await desk.org.post(f"/workspaces/{workspace_id}/channels", json=body)
    assert (told.status_code, told.json()["enabled"]) == (201, False)
    await desk.org.post(f"/workspaces/{workspace_id}/channels", json={"channel_type": "discord", "config": DISCORD})
    first, second = await desk.json(f"/workspaces/{workspace_id}/channels")
    assert first["config"] == {**TELEGRAM, "bot_token": "1234...6789"}
    assert (first["allowed_users"], first["id"]) == (["42"], told.json()["id"])
    assert (second["config"], second["allowed_users"], second["enabled"]) == (DISCORD, None, True)
    assert "last_message_at" not in second


async def test_a_short_token_is_hidden_altogether(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    body = {"channel_type": "slack", "config": {"bot_token": "xoxb-123", "channel_id": "C1"}}
    assert (await desk.org.post(f"/workspaces/{workspace_id}/channels", json=body)).status_code == 201
    assert (await desk.json(f"/workspaces/{workspace_id}/channels"))[0]["config"]["bot_token"] == "***"


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("slack", {"webhook_url": "https://hooks.slack.com/x"}),
        ("lark", {"webhook_url": "https://open.feishu.cn/open-apis/bot/v2/hook/x"}),
        ("lark", {"webhook_url": "https://open.larksuite.com/open-apis/bot/v2/hook/x"}),
    ],
)
async def test_a_config_of_its_platform_is_taken(desk: Desk, kind: str, config: dict[str, Any]) -> None:
    body = {"channel_type": kind, "config": config}
    assert (await desk.org.post(f"/workspaces/{await desk.workspace()}/channels", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([], "invalid JSON"),
        ({"channel_type": 1}, "invalid JSON"),
        ({"config": {}}, "channel_type is required"),
        ({"channel_type": "irc", "config": {}}, "unsupported channel_type: irc"),
        ({"channel_type": "discord"}, "invalid channel config"),
        ({"channel_type": "discord", "config": {"webhook_url": "https://elsewhere.example"}}, "invalid channel config"),
        ({"channel_type": "telegram", "config": {"bot_token": "1:short", "chat_id": "1"}}, "invalid channel config"),
        ({"channel_type": "telegram", "config": {**TELEGRAM, "chat_id": ""}}, "invalid channel config"),
        ({"channel_type": "slack", "config": {"bot_token": "xoxb-1"}}, "invalid channel config"),
    ],
)
async def test_what_cannot_be_connected_is_refused(desk: Desk, body: Any, error: str) -> None:
    told = await desk.org.post(f"/workspaces/{await desk.workspace()}/channels", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})


async def test_a_second_channel_of_a_type_and_unknown_workspaces_are_server_errors(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    body = {"channel_type": "discord", "config": DISCORD}
    await desk.org.post(f"/workspaces/{workspace_id}/channels", json=body)
    for each in (workspace_id, UNKNOWN, "x"):
        told = await desk.org.post(f"/workspaces/{each}/channels", json=body)
        assert (told.status_code, told.json()) == (500, {"error": "failed to create channel"})
    assert (await desk.org.get("/workspaces/x/channels")).json() == {"error": "query failed"}
