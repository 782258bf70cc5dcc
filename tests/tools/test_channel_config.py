"""What a channel's config needs, before anybody is asked or types anything."""

import pytest

from molecule_mcp.errors import ArgumentError
from molecule_mcp.tools.channel_config import a_reference, completed


@pytest.mark.parametrize(
    ("kind", "config", "given", "whole"),
    [
        ("telegram", {}, {}, {"bot_token": "page:bot_token"}),
        ("telegram", {}, {"bot_token": "file:bot"}, {"bot_token": "file:bot"}),
        ("lark", {}, {"verify_token": "file:v"}, {"verify_token": "file:v", "webhook_url": "page:webhook_url"}),
        ("slack", {"channel_id": "C1"}, {"webhook_url": "file:hook"}, {"webhook_url": "file:hook"}),
        ("slack", {"channel_id": "C1"}, {}, {"bot_token": "page:bot_token"}),
    ],
)
def test_the_secret_that_a_platform_needs_is_typed_when_it_is_not_given(
    kind: str, config: dict[str, str], given: dict[str, str], whole: dict[str, str]
) -> None:
    assert completed(kind, "1", config, given) == whole


@pytest.mark.parametrize(
    ("kind", "chat_id", "given", "missing"),
    [
        ("slack", "1", {"bot_token": "page:bot"}, "slack needs config.channel_id"),
        ("lark", "", {"webhook_url": "page:hook"}, "lark needs chat_id"),
    ],
)
def test_nobody_types_for_a_config_that_lacks_something_else(
    kind: str, chat_id: str, given: dict[str, str], missing: str
) -> None:
    with pytest.raises(ArgumentError, match=missing):
        completed(kind, chat_id, {}, given)


def test_a_value_is_no_reference() -> None:
    assert a_reference("page:bot") == "page:bot"
    assert a_reference("") == ""
    with pytest.raises(ValueError, match="no secret reference"):
        a_reference("123456:ABC")
