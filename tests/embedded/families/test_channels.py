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


HOOKED = {"channel_type": "discord", "config": {"webhook_url": "https://discord.com/api/webhooks/1/t", "chat_id": "5"}}


async def made(desk: Desk) -> str:
    """The path of a new Discord channel of a new workspace."""
    workspace = (await desk.org.post("/workspaces", json={"name": "w"})).json()["id"]
    channel = (await desk.org.post(f"/workspaces/{workspace}/channels", json=HOOKED)).json()["id"]
    return f"/workspaces/{workspace}/channels/{channel}"


async def only(desk: Desk, path: str) -> dict[str, Any]:
    return (await desk.org.get(path.rsplit("/", 1)[0])).json()[0]


async def test_an_update_changes_what_is_given_and_replaces_a_config_whole_and_unchecked(desk: Desk) -> None:
    path = await made(desk)
    assert (await desk.org.patch(path, json={"enabled": False, "allowed_users": ["u"]})).json() == {"status": "updated"}
    row = await only(desk, path)
    assert (row["enabled"], row["allowed_users"], row["config"]["chat_id"]) == (False, ["u"], "5")
    await desk.org.patch(path, json={"config": {"nonsense": 1}})
    assert (await only(desk, path))["config"] == {"nonsense": 1}
    assert (await desk.org.patch(path, json={})).status_code == 200


async def test_what_is_no_channel_of_the_workspace_is_404_and_no_uuid_500(desk: Desk) -> None:
    path = await made(desk)
    elsewhere = path.replace(path.split("/")[2], UNKNOWN)
    for method, failure in (("PATCH", "update failed"), ("DELETE", "delete failed")):
        assert (await desk.org.request(method, elsewhere, json={})).json() == {"error": "channel not found"}
        told = await desk.org.request(method, f"{path}x", json={})
        assert (told.status_code, told.json()) == (500, {"error": failure})
    assert (await desk.org.patch(path, content="[")).json() == {"error": "invalid JSON"}


async def test_a_deleted_channel_is_gone_and_the_second_delete_404(desk: Desk) -> None:
    path = await made(desk)
    assert (await desk.org.delete(path)).json() == {"status": "deleted"}
    assert (await desk.org.delete(path)).status_code == 404


async def test_a_message_counts_even_from_another_workspace_and_when_switched_off(desk: Desk) -> None:
    path = await made(desk)
    await desk.org.patch(path, json={"enabled": False})
    other = (await desk.org.post("/workspaces", json={"name": "o"})).json()["id"]
    elsewhere = path.replace(path.split("/")[2], other)
    assert (await desk.org.post(f"{elsewhere}/send", json={"text": "x"})).json() == {"status": "sent"}
    assert (await desk.org.post(f"{path}/test")).json() == {"status": "ok", "message": "test message sent"}
    row = await only(desk, path)
    assert row["message_count"] == 2
    assert "last_message_at" in row


async def test_without_a_chat_or_a_channel_or_a_text_nothing_is_sent(desk: Desk) -> None:
    path = await made(desk)
    for body in ("[", "{}", '{"text": ""}'):
        told = await desk.org.post(f"{path}/send", content=body)
        assert (told.status_code, told.json()) == (400, {"error": "text is required"})
    await desk.org.patch(path, json={"config": {"chat_id": 5}})
    for place in (path, f"{path}x", path[:-36] + UNKNOWN):
        assert (await desk.org.post(f"{place}/send", json={"text": "x"})).json() == {"error": "send failed"}
        assert (await desk.org.post(f"{place}/test")).json() == {"error": "test message failed"}


async def test_the_platforms_are_told_to_anybody(desk: Desk) -> None:
    told = (await desk.http.get("/channels/adapters")).json()
    assert [each["type"] for each in told] == ["discord", "lark", "slack", "telegram"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "bot_token is required"),
        ({"bot_token": 1}, "bot_token is required"),
        ({"bot_token": "x"}, "workspace_id is required"),
        ({"bot_token": "x", "workspace_id": "w"}, "unsupported channel_type"),
        ({"bot_token": "x", "workspace_id": "w", "channel_type": "slack"}, "discovery not supported for slack"),
        (
            {"bot_token": "x", "workspace_id": "w", "channel_type": "telegram"},
            "Invalid bot token. Check the token from @BotFather and try again.",
        ),
    ],
)
async def test_a_discovery_that_cannot_be_is_400(desk: Desk, body: dict[str, Any], error: str) -> None:
    told = await desk.org.post("/channels/discover", json=body)
    assert (told.status_code, told.json()) == (400, {"error": error})
