"""A channel as it is stored, and what a person is shown of it before it is made or changed.

Contract: schema Channel. A setting that no tool gives may be a secret, so only its name is shown.
"""

from collections.abc import Mapping
from typing import Any

from molecule_mcp.capability import Fact, Own, exactly
from molecule_mcp.tools.channel_config import OPEN, SECRET, Named
from molecule_mcp.tools.kinds import Answer, Text


class Stored(Answer):
    """What we read of a channel (contract schema Channel)."""

    id: str
    channel_type: str
    enabled: bool
    config: dict[str, Any] | None = None
    allowed_users: list[Text] | None = None
    message_count: int = 0
    last_message_at: str | None = None


def setting(value: Any) -> str:
    """A setting whole or not at all: a part of a secret that stands in it could not be told from other text."""
    text = str(value)
    return text if len(text) <= 255 else "(longer than 255 characters)"


def who(users: list[str] | None) -> Own | tuple[Own, ...]:
    """Who may talk to the agent, for a person's eyes."""
    return tuple(exactly(user) for user in users or []) or Own("EVERYBODY who can reach the chat or the bot")


def settings(config: Mapping[str, str]) -> Fact:
    """The settings of a config as a person sees them, whole; its secrets have a line of their own."""
    return Fact("Settings", tuple(Own(f"{name}: {exactly(config[name])}") for name in OPEN if config.get(name)))


def references(sources: Named) -> Fact:
    """Where the secrets of a config come from, by name; never what they are."""
    return Fact("Secrets from", tuple(Own(f"{name}: {source}") for name, source in sources.items()))


def switched(on: bool) -> Fact:
    """Whether a channel is on after what is asked about."""
    return Fact("Switched on then", Own("yes" if on else "no"))


def overwritten(before: Stored, body: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What a channel has now and an update replaces; of secrets, and of settings that may be some, only the names."""
    facts: list[Fact] = []
    if "config" in body:
        old, new = before.config or {}, body["config"]
        open_now = {name: setting(old[name]) for name in OPEN if old.get(name) and old[name] != new.get(name)}
        facts.append(
            Fact("Replaces the settings", tuple(Own(f"{name}: {exactly(open_now[name])}") for name in open_now))
        )
        facts.append(Fact("Replaces the secrets", tuple(Own(name) for name in SECRET if old.get(name))))
        facts.append(Fact("Loses the settings, for good", others(before)))
    if "allowed_users" in body:
        facts.append(Fact("May talk to it now", who(before.allowed_users)))
    return tuple(each for each in facts if each.value)


def others(before: Stored) -> tuple[Own, ...]:
    """The names of the settings that no tool gives and a new config leaves out."""
    return tuple(exactly(name) for name in sorted((before.config or {}).keys() - {*OPEN, *SECRET}))
