"""Chat channels of a workspace."""

import json
import re
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.adapters import ADAPTERS
from molecule_mcp.embedded.bodies import array, boolean, decode, mapping, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

FIELDS = {"channel_type": text, "config": mapping, "allowed_users": array(text), "enabled": boolean}
TYPES = ("telegram", "slack", "lark", "discord")
TELEGRAM_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{30,}", re.ASCII)
WEBHOOKS = {
    "slack": "https://hooks.slack.com/",
    "lark": ("https://open.feishu.cn/open-apis/bot/v2/hook/", "https://open.larksuite.com/open-apis/bot/v2/hook/"),
    "discord": "https://discord.com/api/webhooks/",
}


def list_channels(call: Call) -> Response:
    """All channels, oldest first; only the bot token is masked."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    sql = "SELECT * FROM channels WHERE workspace_id = ? ORDER BY created_at, rowid"
    return answer([_channel(call, row) for row in call.db.rows(sql, workspace_id)])


def create_channel(call: Call) -> Response:
    """Connect a channel; nothing is asked of the platform."""
    with refusing(400, "invalid JSON"):
        given = decode(call.body, FIELDS)
    kind, config = given.get("channel_type", ""), given.get("config", {})
    if not kind:
        raise Refusal(400, "channel_type is required")
    if kind not in TYPES:
        raise Refusal(400, f"unsupported channel_type: {kind}")
    if not valid_config(kind, config):
        raise Refusal(400, "invalid channel config")
    channel_id, enabled = call.instance.new_id(), given.get("enabled", True)
    users = given.get("allowed_users")
    with refusing(500, "failed to create channel"):
        call.db.insert(
            "channels",
            id=channel_id,
            workspace_id=uid(call.path["id"]),
            channel_type=kind,
            config=call.instance.vault.seal(json.dumps(config)),
            allowed_users=None if users is None else json.dumps(users),
            enabled=enabled,
            created_at=call.now,
            updated_at=call.now,
        )
    return answer({"id": channel_id, "channel_type": kind, "enabled": enabled}, 201)


def list_adapters(_call: Call) -> Response:
    """The platforms and the fields of their connect forms."""
    return answer(ADAPTERS)


def update_channel(call: Call) -> Response:
    """Change what is given; a config replaces the stored one as a whole, unchecked."""
    with refusing(400, "invalid JSON"):
        given = decode(call.body, FIELDS)
    row = _found(call, "update failed")
    config, users = given.get("config"), given.get("allowed_users")
    call.db.run(
        "UPDATE channels SET config = ?, allowed_users = ?, enabled = ?, updated_at = ? WHERE id = ?",
        row["config"] if config is None else call.instance.vault.seal(json.dumps(config)),
        row["allowed_users"] if users is None else json.dumps(users),
        given.get("enabled", row["enabled"]),
        call.now,
        row["id"],
    )
    return answer({"status": "updated"})


def delete_channel(call: Call) -> Response:
    """Remove the row for good."""
    row = _found(call, "delete failed")
    call.db.run("DELETE FROM channels WHERE id = ?", row["id"])
    return answer({"status": "deleted"})


def send_message(call: Call) -> Response:
    """Say "sent", whatever the platform said; here there is none."""
    with refusing(400, "text is required"):
        text_of = decode(call.body, {"text": text}).get("text", "")
    if not text_of:
        raise Refusal(400, "text is required")
    _attempt(call, "send failed")
    return answer({"status": "sent"})


def test_message(call: Call) -> Response:
    """The same with a canned text."""
    _attempt(call, "test message failed")
    return answer({"status": "ok", "message": "test message sent"})


def discover_chats(call: Call) -> Response:
    """What a bot has seen; every token of the right form is taken for a bot that nobody wrote to yet."""
    with refusing(400, "bot_token is required"):
        given = decode(call.body, {"channel_type": text, "bot_token": text, "workspace_id": text})
    for name in ("bot_token", "workspace_id"):
        if not given.get(name):
            raise Refusal(400, f"{name} is required")
    kind = given.get("channel_type", "")
    if kind not in TYPES:
        raise Refusal(400, "unsupported channel_type")
    if kind != "telegram":
        raise Refusal(400, f"discovery not supported for {kind}")
    if not TELEGRAM_TOKEN.fullmatch(given["bot_token"]):
        raise Refusal(400, "Invalid bot token. Check the token from @BotFather and try again.")
    warning = "Group privacy is on: the bot sees commands and mentions only."
    return answer(
        {
            "bot_username": "sample_bot",
            "chats": None,
            "can_read_all_group_messages": False,
            "privacy_warning": warning,
            "hint": "Send /start to the bot, then discover again.",
        }
    )


def _found(call: Call, failure: str) -> sqlite3.Row:
    """The channel of the path, in the workspace of the path."""
    with refusing(500, failure):
        ids = uid(call.path["channelId"]), uid(call.path["id"])
    for row in call.db.rows("SELECT * FROM channels WHERE id = ? AND workspace_id = ?", *ids):
        return row
    raise Refusal(404, "channel not found")


def _attempt(call: Call, failure: str) -> None:
    """Count a message; the channel is found by its id alone, and one that is switched off still sends."""
    with refusing(500, failure):
        channel_id = uid(call.path["channelId"])
    rows = call.db.rows("SELECT * FROM channels WHERE id = ?", channel_id)
    config: dict[str, Any] = json.loads(call.instance.vault.open(rows[0]["config"])) if rows else {}
    if not isinstance(config.get("chat_id"), str) or not config["chat_id"]:
        raise Refusal(500, failure)
    sql = "UPDATE channels SET message_count = message_count + 1, last_message_at = ? WHERE id = ?"
    call.db.run(sql, call.now, channel_id)


def valid_config(kind: str, config: dict[str, Any]) -> bool:
    """Whether the adapter of a platform takes a config at creation."""
    token, webhook = config.get("bot_token"), config.get("webhook_url")
    if kind == "telegram":
        return isinstance(token, str) and bool(TELEGRAM_TOKEN.fullmatch(token)) and bool(config.get("chat_id"))
    if kind == "slack" and token:
        return bool(config.get("channel_id"))
    return isinstance(webhook, str) and webhook.startswith(WEBHOOKS[kind])


def masked(token: Any) -> str:
    """A bot token as lists show it."""
    return f"{token[:4]}...{token[-4:]}" if isinstance(token, str) and len(token) > 8 else "***"


def _channel(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    config = json.loads(call.instance.vault.open(row["config"]))
    if config.get("bot_token"):
        config["bot_token"] = masked(config["bot_token"])
    told = {
        "id": row["id"],
        "workspace_id": row["workspace_id"],
        "channel_type": row["channel_type"],
        "config": config,
        "enabled": bool(row["enabled"]),
        "allowed_users": json.loads(row["allowed_users"] or "null"),
        "message_count": row["message_count"],
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
    }
    return told | ({"last_message_at": shown(row["last_message_at"])} if row["last_message_at"] else {})


ROUTES = [
    Route("GET", "/workspaces/{id}/channels", auth.workspace, list_channels),
    Route("POST", "/workspaces/{id}/channels", auth.workspace, create_channel),
    Route("PATCH", "/workspaces/{id}/channels/{channelId}", auth.workspace, update_channel),
    Route("DELETE", "/workspaces/{id}/channels/{channelId}", auth.workspace, delete_channel),
    Route("POST", "/workspaces/{id}/channels/{channelId}/send", auth.workspace, send_message),
    Route("POST", "/workspaces/{id}/channels/{channelId}/test", auth.workspace, test_message),
    Route("GET", "/channels/adapters", auth.anyone, list_adapters),
    Route("POST", "/channels/discover", auth.admin, discover_chats),
]
