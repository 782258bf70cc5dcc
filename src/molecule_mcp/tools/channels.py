"""Chat channels: who outside can talk to an agent.

Contract: list_channel_adapters, list_channels, create_channel, update_channel, delete_channel. A config replaces the
stored one unchecked. Webhook addresses and tokens come back in the tenant's lists; nothing of them is passed on.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, exactly, quoted
from molecule_mcp.errors import ArgumentError, TenantError, TenantUnreadable
from molecule_mcp.secrets import Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.channel_config import (
    GIVEN,
    OPEN,
    SECRET,
    Config,
    Named,
    Platform,
    SecretsFrom,
    Short,
    completed,
    config_of,
    refuse_incomplete,
)
from molecule_mcp.tools.channel_facts import Stored, overwritten, references, setting, settings, switched, who
from molecule_mcp.tools.kinds import UUID, Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.texts import nothing_given
from molecule_mcp.tools.workspaces import Row

family = Family("channels")

LIST = "GET /workspaces/{id}/channels"
WORKSPACE = "GET /workspaces/{id}"
ChannelId = Annotated[str, Field(pattern=UUID, description="`id` from list_channels.")]
ChatId = Annotated[str, Field(max_length=255, description="Chat ids it sends to, by commas; all platforms need it.")]
Users = Annotated[list[Short], Field(max_length=100, description="User or chat ids that may talk to it.")]


class Channel(Answer):
    """One channel; secrets are only said to be set."""

    id: str
    type: str
    enabled: bool
    settings: Annotated[dict[str, Text], Field(description="Settings that are no secrets.")]
    secrets_set: list[str]
    allowed_users: Annotated[list[Text], Field(description="Empty: everybody.")]
    message_count: int
    last_message_at: str | None = None


class Channels(Answer):
    """The channels of a workspace."""

    channels: list[Channel]


class Adapter(Answer):
    """A platform and the fields of its connect form."""

    type: str
    display_name: str
    config_schema: list[dict[str, Any]]


class Platforms(Answer):
    """What can be connected."""

    platforms: dict[str, list[str]]
    note: str


class ChannelGone(Answer):
    """A channel that is no longer there, as read back."""

    id: str
    state: Literal["deleted"]


def told(stored: Stored) -> Channel:
    """A channel without its secrets."""
    config = stored.config or {}
    return Channel(
        id=stored.id,
        type=stored.channel_type,
        enabled=stored.enabled,
        settings={name: setting(config[name]) for name in OPEN if config.get(name)},
        secrets_set=[name for name in SECRET if config.get(name)],
        allowed_users=stored.allowed_users or [],
        message_count=stored.message_count,
        last_message_at=stored.last_message_at,
    )


async def stored(tenant: Tenant, workspace_id: str, channel: str) -> Stored:
    """One channel of a workspace.

    Raises: ArgumentError when the workspace has none of that id; the tenant itself would take any workspace's.
    """
    for each in await tenant.read("/workspaces/{id}/channels", list[Stored], id=workspace_id):
        if each.id == channel.lower():
            return each
    raise ArgumentError("channel is of none of that workspace's channels", advice="list_channels shows them.")


@family.tool(Risk.READ, sends=["GET /channels/adapters"], title="List chat platforms")
async def list_channel_adapters(tenant: Tenant) -> Platforms:
    """List the chat platforms that can be connected, and the fields each asks for (* is required)."""
    adapters = await tenant.read("/channels/adapters", list[Adapter])
    return Platforms(
        platforms={
            each.type: [f"{field.get('key')}{'*' if field.get('required') else ''}" for field in each.config_schema]
            for each in adapters
        },
        note="Sending needs chat_id on every platform, whatever the forms say. Secrets are given by reference.",
    )


@family.tool(Risk.READ, sends=[LIST, WORKSPACE], title="List channels")
async def list_channels(tenant: Tenant, workspace_id: WorkspaceId) -> Channels:
    """List a workspace's chat channels: platform, chats, who may talk to it; never secrets."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    rows = await tenant.read("/workspaces/{id}/channels", list[Stored], id=workspace_id)
    return Channels(channels=[told(row) for row in rows])


async def what_opens(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: str,
    channel_type: str,
    chat_id: str,
    config: Named,
    secrets_from: Named,
    **given: Any,
) -> Preview:
    """What a new channel opens, and to whom."""
    row = await one(tenant, workspace_id)
    sources = completed(channel_type, chat_id, config, secrets_from)
    whole = config_of(secrets, chat_id, config, sources)
    for each in await tenant.read("/workspaces/{id}/channels", list[Stored], id=workspace_id):
        if each.channel_type == channel_type:
            raise ArgumentError(
                f"the workspace has a {channel_type} channel already, and can have one of each",
                advice=f"Change it with update_channel: {each.id}",
            )
    given |= {"channel_type": channel_type, "chat_id": chat_id, "config": config, "secrets_from": sources}
    return Preview(
        headline=Own(f"Connect 1 {channel_type} channel to 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            settings(whole),
            references(sources),
            Fact("May talk to it", who(given.get("allowed_users"))),
            switched(given.get("enabled", True)),
            Fact("Effect", Own("people outside can prompt this agent, and it writes to them")),
        ),
        items=(Item({"workspace_id": workspace_id, **given}, {"name": row.name}),),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/channels", LIST, WORKSPACE],
    title="Connect a channel",
    preview=what_opens,
    idempotent=False,
    open_world=True,
)
async def create_channel(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: WorkspaceId,
    channel_type: Annotated[Platform, Field(description="The platform.")],
    chat_id: ChatId,
    config: Config = {},  # noqa: B006 - pydantic copies it
    secrets_from: SecretsFrom = {},  # noqa: B006
    allowed_users: Annotated[Users, Field(description="Who may talk to it: user or chat ids; empty: everybody.")] = [],  # noqa: B006
    enabled: Annotated[bool, Field(description="Switched on at once.")] = True,
) -> Channel:
    """Connect a workspace to a chat, whose people can then prompt the agent; then call test_channel."""
    whole = config_of(secrets, chat_id, config, completed(channel_type, chat_id, config, secrets_from))
    body = {"channel_type": channel_type, "config": whole, "allowed_users": allowed_users, "enabled": enabled}
    made = await tenant.send("POST", "/workspaces/{id}/channels", Stored, id=workspace_id, body=body)
    return await read_back(tenant, workspace_id, made.id)


async def read_back(tenant: Tenant, workspace_id: str, channel: str) -> Channel:
    """A channel as the tenant shows it after a change.

    Raises: TenantUnreadable with `sent` true when it cannot be read.
    """
    with reading_back():
        return told(await stored(tenant, workspace_id, channel))


def changed(secrets: Secrets, before: Stored, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an update: only what was given; a config whole, or not at all.

    Raises: ArgumentError when nothing was given, or as `replaced`.
    """
    body: dict[str, Any] = {}
    if given.get("enabled") in ("yes", "no"):
        body["enabled"] = given["enabled"] == "yes"
    if given.get("allowed_users") or given.get("allow_everybody"):
        body["allowed_users"] = given.get("allowed_users") or []
    if any(given.get(name) for name in GIVEN):
        body["config"] = replaced(secrets, before, given)
    if not body:
        raise nothing_given("enabled", "allowed_users", "allow_everybody", *GIVEN)
    if given.get("allowed_users") and given.get("allow_everybody"):
        raise ArgumentError("allowed_users and allow_everybody exclude each other")
    return body


def replaced(secrets: Secrets, before: Stored, given: Mapping[str, Any]) -> dict[str, str]:
    """A channel's whole new config: the settings it had, and what was given over them.

    Raises: ArgumentError when a secret that is set would be lost with the old config.
    """
    old = before.config or {}
    sources: Named = given.get("secrets_from") or {}
    if lost := [name for name in SECRET if old.get(name) and name not in sources]:
        raise ArgumentError(
            "a new config replaces the old one, and its secrets cannot be read: "
            f"give {' and '.join(lost)} in secrets_from too",
        )
    kept = {name: str(old[name]) for name in OPEN if old.get(name)}
    config = kept | config_of(secrets, given.get("chat_id") or "", given.get("config") or {}, sources)
    refuse_incomplete(before.channel_type, config)
    return config


async def what_changes(tenant: Tenant, secrets: Secrets, workspace_id: str, channel: str, **given: Any) -> Preview:
    """What an update of a channel opens or replaces."""
    row, before = await one(tenant, workspace_id), await stored(tenant, workspace_id, channel)
    body = changed(secrets, before, given)
    users = body.get("allowed_users", before.allowed_users)
    return Preview(
        headline=Own(f"Change 1 {before.channel_type if before.channel_type.isalpha() else 'chat'} channel"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Channel", Own(before.id)),
            Fact("Changes", Own(", ".join(sorted(body)))),
            *overwritten(before, body),
            *((settings(body["config"]), references(given.get("secrets_from") or {})) if "config" in body else ()),
            Fact("May talk to it then", who(users)),
            switched(body.get("enabled", before.enabled)),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "channel": channel, **given},
                {
                    "name": row.name,
                    "id": before.id,
                    "type": before.channel_type,
                    "replaces": [str(line) for fact in overwritten(before, body) for line in (fact.label, fact.value)],
                },
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DISRUPT,
    sends=["PATCH /workspaces/{id}/channels/{channelId}", LIST, WORKSPACE],
    title="Update channel",
    preview=what_changes,
    raised_by={
        **dict.fromkeys((*GIVEN, "allowed_users", "allow_everybody"), Risk.DESTROY),
        "enabled": {"yes": Risk.DESTROY},
    },
    open_world=True,
)
async def update_channel(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: WorkspaceId,
    channel: ChannelId,
    enabled: Annotated[Literal["keep", "yes", "no"], Field(description="Switch it on or off.")] = "keep",
    allowed_users: Users = [],  # noqa: B006 - pydantic copies it
    allow_everybody: Annotated[bool, Field(description="Let everybody talk to it.")] = False,
    chat_id: ChatId = "",
    config: Config = {},  # noqa: B006 - pydantic copies it
    secrets_from: SecretsFrom = {},  # noqa: B006
) -> Channel:
    """Change a channel: on or off, who may talk to it, or its settings, with all its secrets anew.

    A Telegram poller keeps old settings until switched off and on.
    """
    given = {
        "enabled": enabled, "allowed_users": allowed_users, "allow_everybody": allow_everybody,
        "chat_id": chat_id, "config": config, "secrets_from": secrets_from,
    }  # fmt: skip
    before = await stored(tenant, workspace_id, channel)
    body = changed(secrets, before, given)
    route = "/workspaces/{id}/channels/{channelId}"
    former = told(before).model_dump()
    with formers.naming(before={name: former["settings" if name == "config" else name] for name in body}):
        await tenant.send("PATCH", route, dict[str, Any], id=workspace_id, channelId=channel, body=body)
        return await read_back(tenant, workspace_id, channel)


async def what_closes(tenant: Tenant, workspace_id: str, channel: str) -> Preview:
    """What deleting a channel takes away."""
    row, before = await one(tenant, workspace_id), await stored(tenant, workspace_id, channel)
    chats = str((before.config or {}).get("chat_id") or "none")
    return Preview(
        headline=Own("Delete 1 channel of 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Channel", Own(f"{quoted(before.channel_type)} {before.id}, {before.message_count} messages so far")),
            Fact("Sends to", exactly(chats)),
            Fact("Cannot be undone", Own("its stored token or webhook is lost; people in the chat lose the agent")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "channel": channel},
                {"name": row.name, "id": before.id, "type": before.channel_type},
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool:
    """Whether a channel is gone."""
    rows = await tenant.read("/workspaces/{id}/channels", list[Stored], id=past.parameters["id"])
    return all(row.id != past.parameters["channelId"] for row in rows)


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/channels/{channelId}", LIST, WORKSPACE],
    title="Delete a channel",
    preview=what_closes,
    settle=is_deleted,
)
async def delete_channel(tenant: Tenant, workspace_id: WorkspaceId, channel: ChannelId) -> ChannelGone:
    """Delete a channel with its stored credentials; update_channel enabled=no only silences it."""
    route = "/workspaces/{id}/channels/{channelId}"
    await tenant.send("DELETE", route, dict[str, Any], id=workspace_id, channelId=channel)
    try:
        rows = await tenant.read("/workspaces/{id}/channels", list[Stored], id=workspace_id)
    except TenantError as error:
        raise TenantUnreadable(f"The tenant accepted it; reading back failed: {error.message}", sent=True) from error
    if any(row.id == channel.lower() for row in rows):
        raise TenantUnreadable("The tenant said it deleted the channel, but still shows it.", sent=True)
    return ChannelGone(id=channel, state="deleted")
