"""What a person is shown of a channel that is changed: what goes, and no value that may be a secret."""

from molecule_mcp.capability import Fact
from molecule_mcp.tools.channel_facts import Stored, overwritten, setting

BEFORE = Stored(
    id="1",
    channel_type="slack",
    enabled=True,
    config={"chat_id": "7", "username": "bot", "bot_token": "xoxb-1", "app_secret": "hush", "icon_emoji": ""},
    allowed_users=None,
)


def told(facts: tuple[Fact, ...]) -> dict[str, object]:
    """Facts by their label."""
    return {fact.label: fact.value for fact in facts}


def test_a_new_config_shows_what_it_replaces_and_by_name_what_no_tool_gives() -> None:
    assert told(overwritten(BEFORE, {"config": {"chat_id": "7", "username": "x", "bot_token": "xoxb-2"}})) == {
        "Replaces the settings": ('username: "bot"',),
        "Replaces the secrets": ("bot_token",),
        "Loses the settings, for good": ('"app_secret"',),
    }


def test_what_an_update_leaves_alone_is_not_told_as_replaced() -> None:
    assert overwritten(BEFORE, {"enabled": False}) == ()
    assert overwritten(BEFORE.model_copy(update={"config": None}), {"config": {"chat_id": "1"}}) == ()


def test_a_list_of_users_shows_who_may_talk_now() -> None:
    assert "EVERYBODY" in str(told(overwritten(BEFORE, {"allowed_users": ["ann"]}))["May talk to it now"])
    some = BEFORE.model_copy(update={"allowed_users": ["bob"]})
    assert told(overwritten(some, {"allowed_users": []})) == {"May talk to it now": ('"bob"',)}


def test_a_setting_is_shown_whole_or_not_at_all() -> None:
    assert (setting("x" * 255), setting("x" * 256)) == ("x" * 255, "(longer than 255 characters)")
