"""Who holds keys: organization keys and workspace tokens, listed, minted and revoked.

Contract: list_org_tokens, create_org_token, revoke_org_token, list_workspace_tokens, create_workspace_token,
revoke_workspace_token. A minted value goes to an output file; the answer says where, never what.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, quoted
from molecule_mcp.errors import ArgumentError, PolicyRefusal, TenantError, TenantRefused
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import UUID, Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import EXTERNAL, one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.settled import before
from molecule_mcp.tools.workspaces import Row

family = Family("access")

TokenId = Annotated[str, Field(pattern=UUID, description="`id` from the list, not `prefix`.")]


class Key(Answer):
    """One key or token; only its first eight characters are known to anybody."""

    id: str
    prefix: str
    name: Text | None = None
    created_by: Text | None = None
    created_at: str
    last_used_at: Annotated[str | None, Field(description="Absent: never used.")] = None
    this_one: Annotated[bool | None, Field(description="True: the key this server itself uses.")] = None


class KeyList(Answer):
    """Live keys, newest first."""

    tokens: list[Key]


class Minted(Answer):
    """A new key or token: its id, its first characters, and the file that holds it."""

    id: Annotated[str, Field(description="Empty: it could not be read back.")]
    prefix: str
    written_to: Annotated[str, Field(description="A file on the server's machine; only its user can read it.")]


class Revoked(Answer):
    """Whether the key still stands in the list, read back."""

    id: str
    gone: bool


class MintedKey(Answer):
    """What we read of a minted organization key."""

    id: str
    prefix: str
    auth_token: str


class MintedToken(Answer):
    """What we read of a minted workspace token; its id is not in the answer."""

    auth_token: str


LONGEST_LIST = 500
"""Keys of the organization that the tenant lists at most."""


OWN_KEY = "That is the key this server uses; revoking it would lock this server out."
REPLACE_FIRST = (
    "Mint another with create_org_token, have a person restart this server with it, and revoke this one then."
)


async def keys(tenant: Tenant) -> list[Key]:
    """The organization's keys, our own marked."""
    found = (await tenant.read("/org/tokens", KeyList)).tokens
    return [key.model_copy(update={"this_one": True}) if tenant.is_own_key(key.prefix) else key for key in found]


@family.tool(Risk.READ, sends=["GET /org/tokens"], title="List organization keys")
async def list_org_tokens(tenant: Tenant) -> KeyList:
    """List the organization's live keys: label, who minted them, last use; never the keys."""
    return KeyList(tokens=await keys(tenant))


async def what_is_minted(tenant: Tenant, name: str) -> Preview:
    """What a new organization key is."""
    same = [key for key in await keys(tenant) if key.name == name]
    return Preview(
        headline=Own("Mint 1 organization key, with full rights over everything"),
        facts=(
            Fact("Label", quoted(name, 100)),
            Fact("Keys of that label already", len(same)),
            Fact("Effect", Own("whoever holds it can do anything here; it never expires; it goes to an output file")),
        ),
        items=(Item({"name": name}),),
        target=(name, ""),
        touches=frozenset(),
    )


async def is_minted(tenant: Tenant, past: Past) -> bool | None:
    """Whether a key of that label has come since; of several nobody can tell, and the list ends at 500."""
    found = await keys(tenant)
    if "name" not in past.arguments:
        return None
    new = [key for key in found if key.name == past.arguments["name"] and not before(key.created_at, past.at)]
    return bool(new) if len(new) < 2 and len(found) < LONGEST_LIST else None


@family.tool(
    Risk.CRITICAL,
    sends=["POST /org/tokens", "GET /org/tokens"],
    title="Create org token",
    preview=what_is_minted,
    idempotent=False,
    settle=is_minted,
)
async def create_org_token(
    tenant: Tenant,
    outputs: Outputs,
    name: Annotated[str, Field(min_length=1, max_length=50, description="Its label: who or what will hold it.")],
) -> Minted:
    """Mint an organization key into a file on the server's machine; the answer says where."""
    if len(name.encode()) > 100:
        raise ArgumentError("name is longer than 100 bytes")
    outputs.ready()
    minted = await tenant.send("POST", "/org/tokens", MintedKey, body={"name": name})
    where = outputs.write("org-token", minted.id, minted.auth_token)
    return Minted(id=minted.id, prefix=minted.prefix, written_to=where)


async def what_is_revoked(tenant: Tenant, token_id: str) -> Preview:
    """Whose key is cut off.

    Raises: PolicyRefusal for the key in use: nothing could be done after it.
    """
    key = next((each for each in await keys(tenant) if each.id == token_id.lower()), None)
    if key is None:
        raise ArgumentError("token_id is of no live key", advice="list_org_tokens shows them.")
    if key.this_one:
        raise PolicyRefusal(OWN_KEY, advice=REPLACE_FIRST)
    return Preview(
        headline=Own("Revoke 1 organization key"),
        facts=(
            Fact("Key", Own(f"{quoted(key.prefix)} {quoted(key.name or 'no label')}, {key.id}")),
            Fact("Last used", Own(quoted(key.last_used_at) if key.last_used_at else "never")),
            Fact("Cannot be undone", Own("everything that uses it is cut off at once")),
        ),
        items=(Item({"token_id": token_id}, {"id": key.id, "prefix": key.prefix, "name": key.name}),),
        target=(key.name or key.prefix, key.id),
        touches=frozenset(),
    )


async def is_revoked(tenant: Tenant, past: Past) -> bool | None:
    """Whether a key is gone; the list ends at 500."""
    found = await keys(tenant)
    if any(key.id == past.parameters["id"] for key in found):
        return False
    return True if len(found) < LONGEST_LIST else None


@family.tool(
    Risk.CRITICAL,
    sends=["DELETE /org/tokens/{id}", "GET /org/tokens"],
    title="Revoke org token",
    preview=what_is_revoked,
    settle=is_revoked,
)
async def revoke_org_token(tenant: Tenant, token_id: TokenId) -> Revoked:
    """Revoke an organization key: all that use it are cut off. The key in use is refused."""
    if any(key.this_one and key.id == token_id.lower() for key in await keys(tenant)):
        raise PolicyRefusal(OWN_KEY, advice=REPLACE_FIRST)
    await tenant.send("DELETE", "/org/tokens/{id}", dict[str, Any], id=token_id)
    with reading_back():
        left = await keys(tenant)
    return Revoked(id=token_id, gone=all(key.id != token_id.lower() for key in left))


@family.tool(
    Risk.READ, sends=["GET /workspaces/{id}/tokens", "GET /workspaces/{id}"], title="List a workspace's tokens"
)
async def list_workspace_tokens(tenant: Tenant, workspace_id: WorkspaceId) -> KeyList:
    """List the newest 200 live tokens of one workspace, never the tokens; some are its own agent's."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    return await tenant.read("/workspaces/{id}/tokens", KeyList, id=workspace_id, query={"limit": 200})


async def what_token_is_minted(tenant: Tenant, workspace_id: str) -> Preview:
    """What a new workspace token opens."""
    workspace = await one(tenant, workspace_id)
    short = "" if workspace.runtime == EXTERNAL else "; any restart of the workspace revokes it"
    return Preview(
        headline=Own("Mint 1 workspace token"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Effect", Own(f"whoever holds it can use every route of this workspace, secrets in clear{short}")),
        ),
        items=(Item({"workspace_id": workspace_id}, {"id": workspace.id, "name": workspace.name}),),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/tokens", "GET /workspaces/{id}/tokens", "GET /workspaces/{id}"],
    title="Create workspace token",
    preview=what_token_is_minted,
    idempotent=False,
)
async def create_workspace_token(tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId) -> Minted:
    """Mint a token of one workspace into a file on the server's machine; the answer says where."""
    await one(tenant, workspace_id)  # a removed workspace is given a token that never works
    outputs.ready()
    minted = await tenant.send("POST", "/workspaces/{id}/tokens", MintedToken, id=workspace_id)
    prefix = minted.auth_token[:8]
    where = outputs.write("workspace-token", workspace_id, minted.auth_token)
    try:
        found = (await tenant.read("/workspaces/{id}/tokens", KeyList, id=workspace_id, query={"limit": 200})).tokens
    except TenantError:  # where the token is must be told all the same
        found = list[Key]()
    identifier = next((key.id for key in found if key.prefix == prefix), "")
    return Minted(id=identifier, prefix=prefix, written_to=where)


async def what_token_is_revoked(tenant: Tenant, workspace_id: str, token_id: str) -> Preview:
    """Whose token is cut off."""
    workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    found = await tenant.read("/workspaces/{id}/tokens", KeyList, id=workspace_id, query={"limit": 200})
    token = next((each for each in found.tokens if each.id == token_id.lower()), None)
    if token is None:
        raise TenantRefused(404, "The workspace has no such token among its newest 200.")
    return Preview(
        headline=Own("Revoke 1 workspace token"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Token", Own(f"{quoted(token.prefix)} {token.id}")),
            Fact("Last used", Own(quoted(token.last_used_at) if token.last_used_at else "never")),
            Fact("Cannot be undone", Own("the agent that uses it is cut off at once; the tenant does not say which")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "token_id": token_id},
                {"id": token.id, "prefix": token.prefix, "workspace": workspace.name},
            ),
        ),
        target=(workspace.name, token.id),
        touches=frozenset({workspace.id}),
    )


async def is_token_revoked(tenant: Tenant, past: Past) -> bool | None:
    """Whether a workspace's token is gone; only the newest 200 are read."""
    own = past.parameters["id"]
    found = (await tenant.read("/workspaces/{id}/tokens", KeyList, id=own, query={"limit": 200})).tokens
    if any(key.id == past.parameters["tokenId"] for key in found):
        return False
    return True if len(found) < 200 else None


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/tokens/{tokenId}", "GET /workspaces/{id}/tokens", "GET /workspaces/{id}"],
    title="Revoke a workspace token",
    preview=what_token_is_revoked,
    settle=is_token_revoked,
)
async def revoke_workspace_token(tenant: Tenant, workspace_id: WorkspaceId, token_id: TokenId) -> Revoked:
    """Revoke one token of one workspace: the agent that uses it is cut off."""
    await tenant.send("DELETE", "/workspaces/{id}/tokens/{tokenId}", dict[str, Any], id=workspace_id, tokenId=token_id)
    with reading_back():
        found = await tenant.read("/workspaces/{id}/tokens", KeyList, id=workspace_id, query={"limit": 200})
    return Revoked(id=token_id, gone=all(key.id != token_id.lower() for key in found.tokens))
