"""What a channel's config is made of: open settings, and secrets that are given by reference or typed by a person."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.errors import ArgumentError
from molecule_mcp.secrets import Secrets
from molecule_mcp.secrets.references import PATTERN

SECRET = ("bot_token", "webhook_url", "webhook_secret", "verify_token")
OPEN = ("chat_id", "channel_id", "username", "icon_emoji", "public_key")
GIVEN = ("chat_id", "config", "secrets_from")
"""Arguments that make up a config."""


def a_reference(text: str) -> str:
    """A secret reference, or nothing; its grammar is not repeated in every schema.

    Raises: ValueError for anything else.
    """
    if text and not re.fullmatch(PATTERN, text):
        raise ValueError("is no secret reference")
    return text


Platform = Literal["telegram", "slack", "lark", "discord"]
Short = Annotated[str, Field(max_length=255)]
Config = Annotated[
    dict[Literal["channel_id", "username", "icon_emoji", "public_key"], Short],
    Field(description="Slack: channel_id (with a bot), username, icon_emoji. Discord: public_key."),
]
SecretsFrom = Annotated[
    dict[Literal["bot_token", "webhook_url", "webhook_secret", "verify_token"], Annotated[str, Field(pattern=PATTERN)]],
    Field(
        description="References by name (bot_token, webhook_url, webhook_secret, verify_token): page:NAME "
        "(a person types it), env:... or file:NAME."
    ),
]

Named = Mapping[Any, str]
"""A part of a config; its names were checked as arguments."""


def completed(kind: str, chat_id: str, config: Named, secrets_from: Named) -> dict[str, str]:
    """The references that were given, and for the secret that this platform cannot do without: a person types it.

    Raises: ArgumentError when something else is missing, so that nobody types in vain.
    """
    by_bot = "bot_token" in secrets_from or (config.get("channel_id") and "webhook_url" not in secrets_from)
    needed = "bot_token" if kind == "telegram" or (kind == "slack" and by_bot) else "webhook_url"
    whole = {needed: f"page:{needed}", **secrets_from}
    refuse_incomplete(kind, {"chat_id": chat_id, **config, **whole})
    return whole


def config_of(secrets: Secrets, chat_id: str, config: Named, secrets_from: Named) -> dict[str, str]:
    """The part of a config that was given, references resolved.

    Raises: ArgumentError for a reference without a value; GateStop when a person has to type it first.
    """
    given = {name: value for name, value in {"chat_id": chat_id, **config}.items() if value}
    return given | {name: secrets.resolve(reference) for name, reference in secrets_from.items()}


def refuse_incomplete(kind: str, config: Mapping[str, str]) -> None:
    """Raises: ArgumentError when a platform could never send with this config; the tenant would take most of them."""
    bot = kind == "telegram" or (kind == "slack" and "bot_token" in config)
    missing = [] if config.get("chat_id") else ["chat_id"]
    missing += ["secrets_from.bot_token"] if kind == "telegram" and "bot_token" not in config else []
    missing += ["config.channel_id"] if kind == "slack" and bot and not config.get("channel_id") else []
    missing += [] if bot or "webhook_url" in config else ["secrets_from.webhook_url"]
    if missing:
        raise ArgumentError(f"{kind} needs {' and '.join(missing)}", advice="list_channel_adapters shows the fields.")
