"""Channels connected, changed, written to and deleted; secrets by reference only, and nothing said to have arrived."""

import json
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.road.traffic import Asked, Caller, Done

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQ"
HOOK = "https://discord.com/api/webhooks/1/sesame-open"
HOOK_FROM = "env:MOLECULE_SECRET_HOOK"


async def done(rig: Rig, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call, say yes to whatever is asked, and return the first item, or the whole answer of a read."""
    rig.environ |= {"MOLECULE_SECRET_BOT": TOKEN, "MOLECULE_SECRET_HOOK": HOOK}
    road = rig.road()
    outcome = await road.call(can_ask(), tool, given)
    if isinstance(outcome, Asked):
        outcome = await answered(road, tool, given, outcome, allow=True)
    assert TOKEN not in outcome.text
    assert HOOK not in outcome.text
    return outcome.structured.get("items", [outcome.structured])[0]


async def connected(rig: Rig, **more: Any) -> tuple[str, dict[str, Any]]:
    """A workspace with a new Discord channel."""
    workspace = rig.named("SEO Analyst")
    given = {
        "workspace_id": workspace,
        "channel_type": "discord",
        "chat_id": "7",
        "secrets_from": {"webhook_url": "env:MOLECULE_SECRET_HOOK"},
    }
    return workspace, await done(rig, "create_channel", {**given, **more})


def config(rig: Rig, channel: str) -> str:
    row = rig.app.database.execute("SELECT config FROM channels WHERE id = ?", (channel,)).fetchone()
    return str(rig.app.instance.vault.open(row[0]))


async def test_platforms_are_listed_with_their_fields(rig: Rig) -> None:
    told = await done(rig, "list_channel_adapters", {})
    assert "bot_token*" in told["platforms"]["telegram"]
    assert "chat_id" in told["note"]


async def test_a_list_says_which_secrets_are_set_and_never_shows_one(rig: Rig) -> None:
    workspace, made = await connected(rig, allowed_users=["anna"])
    told = (await done(rig, "list_channels", {"workspace_id": workspace}))["channels"]
    assert told == [made]
    assert (made["secrets_set"], made["settings"], made["allowed_users"]) == (
        ["webhook_url"],
        {"chat_id": "7"},
        ["anna"],
    )
    assert HOOK in config(rig, made["id"])


async def test_a_door_to_everybody_is_asked_about_in_so_many_words(rig: Rig) -> None:
    rig.environ |= {"MOLECULE_SECRET_BOT": TOKEN}
    given = {"workspace_id": rig.named("SEO Analyst"), "channel_type": "telegram", "chat_id": "1",
             "secrets_from": {"bot_token": "env:MOLECULE_SECRET_BOT"}}  # fmt: skip
    question = await asked(rig.road(), "create_channel", given)
    text = "\n".join(question.plan.question.lines)
    assert question.plan.risk == "destroy"
    assert "EVERYBODY" in text
    assert TOKEN not in text
    rig.clock.now += 601  # the question before has expired: one at a time
    question = await asked(rig.road(), "create_channel", {**given, "allowed_users": [f"u{n}" for n in range(12)]})
    assert [f'  - "u{n}"' for n in range(12)] == [line for line in question.plan.question.lines if '"u' in line]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"channel_type": "lark", "chat_id": ""}, "chat_id"),
        ({"channel_type": "telegram", "chat_id": ""}, "chat_id"),
        (
            {"channel_type": "slack", "chat_id": "1", "secrets_from": {"bot_token": "env:MOLECULE_SECRET_BOT"}},
            "channel_id",
        ),
    ],
)
async def test_what_could_never_send_is_refused_before_anybody_is_asked(
    rig: Rig, given: dict[str, Any], missing: str
) -> None:
    rig.environ |= {"MOLECULE_SECRET_BOT": TOKEN}
    call = rig.road().call(can_ask(), "create_channel", {"workspace_id": rig.named("SEO Analyst"), **given})
    assert missing in (await refused(call)).message
    assert rig.transport.changes == []


@pytest.mark.parametrize(
    ("given", "named", "value"),
    [
        ({"channel_type": "telegram"}, "bot_token", TOKEN),
        ({"channel_type": "discord"}, "webhook_url", HOOK),
        ({"channel_type": "slack"}, "webhook_url", "https://hooks.slack.com/services/T0/B0/x0123456789"),
        ({"channel_type": "slack", "config": {"channel_id": "C1"}}, "bot_token", "xoxb-0123456789"),
    ],
)
async def test_a_secret_that_is_not_given_is_typed_by_a_person(
    rig: Rig, given: dict[str, Any], named: str, value: str
) -> None:
    whole = {"workspace_id": rig.named("SEO Analyst"), "chat_id": "1", **given}
    first = await refused(rig.road().call(can_ask(), "create_channel", whole))
    assert first.kind == "secret_required"
    assert f"page:{named}" in first.message
    rig.types(first.details["code"], value)
    made = await done(rig, "create_channel", whole)
    assert made["secrets_set"] == [named]


async def test_a_bots_token_can_be_typed_to_learn_its_chats(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")}
    first = await refused(rig.road().call(can_ask(), "discover_channel_chats", given))
    assert first.kind == "secret_required"
    rig.types(first.details["code"], TOKEN)
    assert (await done(rig, "discover_channel_chats", given))["bot_username"] == "sample_bot"


async def test_a_second_channel_of_a_platform_is_refused_with_the_one_that_is_there(rig: Rig) -> None:
    workspace, made = await connected(rig)
    given = {
        "workspace_id": workspace,
        "channel_type": "discord",
        "chat_id": "8",
        "secrets_from": {"webhook_url": "env:MOLECULE_SECRET_HOOK"},
    }
    error = await refused(rig.road().call(can_ask(), "create_channel", given))
    assert made["id"] in str(error.advice)


async def test_switching_off_is_free_and_switching_on_or_letting_in_is_asked_about(rig: Rig) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}
    outcome = await rig.road().call(Caller(), "update_channel", {**ids, "enabled": "no"})
    assert isinstance(outcome, Done)
    assert not outcome.structured["items"][0]["enabled"]
    for change in ({"enabled": "yes"}, {"allow_everybody": True}, {"allowed_users": ["eve"]}):
        assert (await asked(rig.road(), "update_channel", {**ids, **change})).plan.risk == "destroy"
        rig.clock.now += 601  # the question before has expired: one at a time
    assert (await done(rig, "update_channel", {**ids, "allowed_users": ["eve"]}))["allowed_users"] == ["eve"]
    assert (await done(rig, "update_channel", {**ids, "allow_everybody": True}))["allowed_users"] == []


async def test_new_settings_need_the_secrets_again_and_keep_the_other_settings(rig: Rig) -> None:
    workspace, made = await connected(rig, config={"public_key": "abc"})
    ids = {"workspace_id": workspace, "channel": made["id"]}
    before = config(rig, made["id"])
    error = await refused(rig.road().call(can_ask(), "update_channel", {**ids, "chat_id": "9"}))
    assert "give webhook_url in secrets_from" in error.message
    assert config(rig, made["id"]) == before
    told = await done(
        rig, "update_channel", {**ids, "chat_id": "9", "secrets_from": {"webhook_url": "env:MOLECULE_SECRET_HOOK"}}
    )
    assert told["settings"] == {"chat_id": "9", "public_key": "abc"}
    assert HOOK in config(rig, made["id"])


async def test_an_update_shows_what_it_replaces_and_what_is_lost(rig: Rig) -> None:
    workspace, made = await connected(rig, config={"public_key": "abc"}, allowed_users=["ann"])
    given = {"workspace_id": workspace, "channel": made["id"], "chat_id": "9", "allowed_users": ["bob"]}
    given["secrets_from"] = {"webhook_url": "env:MOLECULE_SECRET_HOOK"}

    def store(**more: str) -> None:
        text = json.dumps({"chat_id": "old-chat", "public_key": "abc", "webhook_url": HOOK, **more})
        sealed = rig.app.instance.vault.seal(text)
        rig.app.database.execute("UPDATE channels SET config = ? WHERE id = ?", (sealed, made["id"]))

    store(thread="t-1", reply_key="not-to-be-shown")
    road = rig.road()
    question = await asked(road, "update_channel", given)
    lines = "\n".join(question.plan.question.lines)
    assert 'chat_id: "old-chat"' in lines.partition("Replaces the settings")[2].partition("Replaces the secrets")[0]
    assert "public_key" not in lines.partition("Replaces the settings")[2].partition("Replaces the secrets")[0]
    assert "webhook_url" in lines.partition("Replaces the secrets")[2].partition("Loses the settings")[0]
    lost = lines.partition("Loses the settings, for good")[2].partition("May talk to it now")[0]
    assert '"reply_key"' in lost and '"thread"' in lost
    assert "not-to-be-shown" not in lines and HOOK not in lines
    assert '"ann"' in lines.partition("May talk to it now")[2].partition("May talk to it then")[0]
    store(thread="t-1", another="x")
    error = await refused(answered(road, "update_channel", given, question, allow=True))
    assert error.kind == "stale_plan"


async def test_an_error_after_a_switch_tells_what_it_was(rig: Rig) -> None:
    workspace, made = await connected(rig)

    async def lost(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502, text="bad gateway") if request.method == "PATCH" else None

    rig.transport.before = lost
    given = {"workspace_id": workspace, "channel": made["id"], "enabled": "no"}
    error = await refused(rig.road().call(Caller(), "update_channel", given))
    assert (error.sent, error.details["before"]) == ("unknown", {"enabled": True})


async def test_an_update_of_nothing_or_of_two_minds_is_refused(rig: Rig) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}
    sent = len(rig.transport.changes)
    for change in ({}, {"allow_everybody": True, "allowed_users": ["x"]}):
        assert (await refused(rig.road().call(can_ask(), "update_channel", {**ids, **change}))).kind == "arguments"
    assert len(rig.transport.changes) == sent


async def test_a_deleted_channel_is_read_back_as_gone(rig: Rig) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}
    assert (await asked(rig.road(), "delete_channel", ids)).plan.risk == "destroy"
    assert (await done(rig, "delete_channel", ids))["state"] == "deleted"
    assert (await done(rig, "list_channels", {"workspace_id": workspace}))["channels"] == []


@pytest.mark.parametrize(("tool", "more"), [("send_channel_message", {"text": "hello"}), ("test_channel", {})])
async def test_a_message_is_attempted_and_never_said_to_have_arrived(rig: Rig, tool: str, more: dict[str, str]) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}
    assert await done(rig, tool, {**ids, **more}) == {"state": "attempted", "message_count": 1}
    await done(rig, "update_channel", {**ids, "enabled": "no"})
    sent = len(rig.transport.changes)
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert "switched off" in (await refused(rig.road().call(Caller(), tool, {**ids, **more}))).message
    other = {**ids, "workspace_id": rig.named("Copywriter")}
    assert "none of that workspace" in (await refused(rig.road().call(Caller(), tool, {**other, **more}))).message
    assert len(rig.transport.changes) == sent


async def test_a_channel_without_a_chat_sends_nothing(rig: Rig) -> None:
    workspace, made = await connected(rig)
    rig.app.database.execute(
        "UPDATE channels SET config = ? WHERE id = ?", (rig.app.instance.vault.seal("{}"), made["id"])
    )
    given = {"workspace_id": workspace, "channel": made["id"]}
    assert "chat_id" in (await refused(rig.road().call(Caller(), "test_channel", given))).message


async def test_a_change_that_cannot_be_read_back_is_told_as_sent(rig: Rig) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}
    gone: list[bool] = []

    async def then_silent(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            gone.append(True)
        return httpx.Response(404, json={"error": "x"}) if gone and request.method == "GET" else None

    rig.transport.before = then_silent
    error = await refused(rig.road().call(Caller(), "update_channel", {**ids, "enabled": "no"}))
    assert (error.sent, "reading back" in error.message) == (True, True)
    gone.clear()
    rig.app.database.execute("UPDATE channels SET enabled = 1")
    outcome = await rig.road().call(Caller(), "test_channel", ids)
    assert isinstance(outcome, Done)
    assert outcome.structured["items"][0] == {"state": "attempted"}
    gone.clear()
    road = rig.road()
    question = await asked(road, "delete_channel", ids)
    error = await refused(answered(road, "delete_channel", ids, question, allow=True))
    assert error.sent is True


async def test_a_delete_that_did_not_happen_is_not_reported(rig: Rig) -> None:
    workspace, made = await connected(rig)
    ids = {"workspace_id": workspace, "channel": made["id"]}

    async def pretend(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"status": "deleted"}) if request.method == "DELETE" else None

    rig.transport.before = pretend
    road = rig.road()
    question = await asked(road, "delete_channel", ids)
    assert "still shows it" in (await refused(answered(road, "delete_channel", ids, question, allow=True))).message


async def test_asking_a_bot_for_its_chats_is_asked_about_since_it_changes_the_bot(rig: Rig) -> None:
    rig.environ |= {"MOLECULE_SECRET_BOT": TOKEN}
    given = {"workspace_id": rig.named("SEO Analyst"), "bot_token_from": "env:MOLECULE_SECRET_BOT"}
    question = await asked(rig.road(), "discover_channel_chats", given)
    assert "removes the bot's webhook" in "\n".join(question.plan.question.lines)
    told = await done(rig, "discover_channel_chats", given)
    assert (told["bot_username"], told["chats"]) == ("sample_bot", [])


@pytest.mark.parametrize("wrong", [{"bot_token": TOKEN}, {TOKEN: "page:bot"}, {"password": "page:bot"}])
async def test_only_references_to_known_secrets_are_taken_and_nothing_else_is_repeated(
    rig: Rig, wrong: dict[str, str]
) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "channel_type": "telegram", "chat_id": "1"}
    error = await refused(rig.road().call(can_ask(), "create_channel", {**given, "secrets_from": wrong}))
    assert error.kind == "arguments"
    assert "secrets_from" in error.message
    assert TOKEN not in str(error.told())
    assert rig.transport.changes == []


async def test_a_value_in_the_place_of_a_reference_is_refused_without_repeating_it(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "bot_token_from": TOKEN}
    error = await refused(rig.road().call(can_ask(), "discover_channel_chats", given))
    assert error.kind == "arguments"
    assert TOKEN not in str(error.told())
