"""Chat channels of a workspace."""

import json
import re
import sqlite3
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
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
]
