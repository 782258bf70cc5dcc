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
GIVEN = (*OPEN, *(f"{name}_from" for name in SECRET))
"""Arguments that make up a config."""


def a_reference(text: str) -> str:
    """A secret reference, or nothing; its grammar is not repeated in every schema.

    Raises: ValueError for anything else.
    """
    if text and not re.fullmatch(PATTERN, text):
        raise ValueError("is no secret reference")
    return text


Platform = Literal["telegram", "slack", "lark", "discord"]
Reference = Annotated[
    str, Field(pattern=f"^$|{PATTERN}", description="Reference: page:NAME (a person types it), env:... or file:NAME.")
]


def completed(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, and for the secret that this platform cannot do without: a person types it.

    Raises: ArgumentError when something else is missing, so that nobody types in vain.
    """
    by_bot = given.get("bot_token_from") or (given.get("channel_id") and not given.get("webhook_url_from"))
    needed = "bot_token" if kind == "telegram" or (kind == "slack" and by_bot) else "webhook_url"
    whole = {**given, f"{needed}_from": given.get(f"{needed}_from") or f"page:{needed}"}
    refuse_incomplete(kind, {name: name for name in (*OPEN, *SECRET) if whole.get(name) or whole.get(f"{name}_from")})
    return whole


def config_of(secrets: Secrets, given: Mapping[str, Any]) -> dict[str, str]:
    """The part of a config that was given, references resolved.

    Raises: ArgumentError for a reference without a value; GateStop when a person has to type it first.
    """
    config = {name: str(given[name]) for name in OPEN if given.get(name)}
    return config | {name: secrets.resolve(given[f"{name}_from"]) for name in SECRET if given.get(f"{name}_from")}


def refuse_incomplete(kind: str, config: Mapping[str, str]) -> None:
    """Raises: ArgumentError when a platform could never send with this config; the tenant would take most of them."""
    bot = kind == "telegram" or (kind == "slack" and "bot_token" in config)
    missing = [] if config.get("chat_id") else ["chat_id"]
    missing += ["bot_token_from"] if kind == "telegram" and "bot_token" not in config else []
    missing += ["channel_id"] if kind == "slack" and bot and not config.get("channel_id") else []
    missing += [] if bot or "webhook_url" in config else ["webhook_url_from"]
    if missing:
        raise ArgumentError(f"{kind} needs {' and '.join(missing)}", advice="list_channel_adapters shows the fields.")
