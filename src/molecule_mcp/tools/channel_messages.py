"""What is written to a chat channel, and what a bot has seen.

Contract: send_channel_message, test_channel, discover_channel_chats. The tenant says "sent" whatever the platform
answered, finds a channel by its id alone and sends through one that is switched off.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError, TenantError
from molecule_mcp.secrets import Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.channel_config import a_reference
from molecule_mcp.tools.channels import LIST, WORKSPACE, ChannelId, stored
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown

family = Family("channels")

Bot = Annotated[
    str, AfterValidator(a_reference), Field(max_length=200, description="Its token: page:NAME, env:... or file:...")
]

TYPED = "page:bot_token"
"""Where the token comes from when nothing is said: a person types it."""


class Attempted(Answer):
    """A message that the tenant took; whether a platform delivered it, it never says."""

    state: Literal["attempted"]
    message_count: Annotated[int | None, Field(description="The channel's counter, as read back.")] = None


class Discovered(Answer):
    """What a bot has seen."""

    bot_username: Text
    chats: list[dict[str, Any]]
    privacy_warning: Text = ""


class Seen(Answer):
    """The tenant's answer to a discovery."""

    bot_username: str
    chats: list[dict[str, Any]] | None = None
    privacy_warning: str = ""


async def ready(tenant: Tenant, workspace_id: str, channel: str) -> None:
    """Raises: ArgumentError for a channel that is switched off, which the tenant would use all the same, or that has
    no chat to send to."""
    there = await stored(tenant, workspace_id, channel)
    if not there.enabled:
        raise ArgumentError("the channel is switched off", advice="update_channel enabled=yes switches it on.")
    if not (there.config or {}).get("chat_id"):
        raise ArgumentError("the channel has no chat_id, so nothing can be sent", advice="update_channel sets it.")


async def attempted(tenant: Tenant, workspace_id: str, channel: str) -> Attempted:
    """The counter after a message; without it when reading back fails."""
    try:
        after = await stored(tenant, workspace_id, channel)
    except (TenantError, ArgumentError):
        return Attempted(state="attempted")
    return Attempted(state="attempted", message_count=after.message_count)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/channels/{channelId}/send", LIST],
    title="Send channel message",
    idempotent=False,
    open_world=True,
)
async def send_channel_message(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    channel: ChannelId,
    text: Annotated[str, Field(min_length=1, max_length=20_000, description="What people in the chat read.")],
) -> Attempted:
    """Write to the people in a channel's chat; the tenant never says whether it arrived."""
    await ready(tenant, workspace_id, channel)
    route = "/workspaces/{id}/channels/{channelId}/send"
    await tenant.send("POST", route, dict[str, Any], id=workspace_id, channelId=channel, body={"text": text})
    return await attempted(tenant, workspace_id, channel)


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/channels/{channelId}/test", LIST],
    title="Test a channel",
    idempotent=False,
    open_world=True,
)
async def test_channel(tenant: Tenant, workspace_id: WorkspaceId, channel: ChannelId) -> Attempted:
    """Send a real test message to a channel's chat; a person has to look whether it arrived."""
    await ready(tenant, workspace_id, channel)
    route = "/workspaces/{id}/channels/{channelId}/test"
    await tenant.send("POST", route, dict[str, Any], id=workspace_id, channelId=channel)
    return await attempted(tenant, workspace_id, channel)


async def what_is_touched(tenant: Tenant, secrets: Secrets, workspace_id: str, bot_token_from: str) -> Preview:
    """What asking a bot for its chats does to the bot."""
    bot_token_from = bot_token_from or TYPED
    secrets.resolve(bot_token_from)
    row = await one(tenant, workspace_id)
    return Preview(
        headline=Own("Ask 1 Telegram bot for the chats it has seen"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Bot token from", Own(bot_token_from)),
            Fact("Effect", Own("removes the bot's webhook, replaces its command list, answers each /start")),
        ),
        items=(Item({"workspace_id": workspace_id, "bot_token_from": bot_token_from}, {"name": row.name}),),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /channels/discover", WORKSPACE],
    title="Find a bot's chats",
    preview=what_is_touched,
    idempotent=False,
    open_world=True,
)
async def discover_channel_chats(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: WorkspaceId,
    bot_token_from: Bot = "",
) -> Discovered:
    """Ask Telegram which chats a bot has seen, to learn a chat_id; write /start to the bot first."""
    body = {
        "channel_type": "telegram",
        "bot_token": secrets.resolve(bot_token_from or TYPED),
        "workspace_id": workspace_id,
    }
    seen = await tenant.send("POST", "/channels/discover", Seen, body=body)
    chats = [clean_data(chat) for chat in (seen.chats or [])[:100]]
    return Discovered(bot_username=seen.bot_username, chats=chats, privacy_warning=seen.privacy_warning)
