"""What a channel's config needs, before anybody is asked or types anything."""

import pytest

from molecule_mcp.errors import ArgumentError
from molecule_mcp.tools.channel_config import a_reference, completed


@pytest.mark.parametrize(
    ("kind", "given", "added"),
    [
        ("telegram", {}, {"bot_token_from": "page:bot_token"}),
        ("telegram", {"bot_token_from": "file:bot"}, {"bot_token_from": "file:bot"}),
        ("lark", {}, {"webhook_url_from": "page:webhook_url"}),
        ("slack", {"channel_id": "C1", "webhook_url_from": "file:hook"}, {"webhook_url_from": "file:hook"}),
        ("slack", {"channel_id": "C1"}, {"bot_token_from": "page:bot_token"}),
    ],
)
def test_the_secret_that_a_platform_needs_is_typed_when_it_is_not_given(
    kind: str, given: dict[str, str], added: dict[str, str]
) -> None:
    assert completed(kind, {"chat_id": "1", **given}) == {"chat_id": "1", **given, **added}


def test_nobody_types_for_a_config_that_lacks_something_else() -> None:
    with pytest.raises(ArgumentError, match="slack needs channel_id"):
        completed("slack", {"chat_id": "1", "bot_token_from": "page:bot"})


def test_a_value_is_no_reference() -> None:
    assert a_reference("page:bot") == "page:bot"
    assert a_reference("") == ""
    with pytest.raises(ValueError, match="no secret reference"):
        a_reference("123456:ABC")
