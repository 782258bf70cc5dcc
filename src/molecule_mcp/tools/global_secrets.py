"""Secrets listed and deleted, and those that every workspace inherits.

Contract: list_workspace_secrets, delete_workspace_secret, list_global_secrets, set_global_secret (PUT),
delete_global_secret. A global change restarts every workspace that has no own value of the key.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, exactly
from molecule_mcp.errors import ArgumentError, TenantError
from molecule_mcp.secrets import SecretReference, Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.concurrent import each
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from molecule_mcp.tools.lifecycle import EXTERNAL, one, shown
from molecule_mcp.tools.secrets import STAYS, Entry, SecretName, effect, source
from molecule_mcp.tools.settled import named_gone
from molecule_mcp.tools.workspaces import Row, counted

family = Family("secrets")


class Listed(Answer):
    """A secret's name; there is no tool that shows a value."""

    key: str
    scope: Annotated[str, Field(description="workspace: its own; global: inherited by all.")]
    updated_at: str = ""


class SecretList(Answer):
    """Names of secrets."""

    secrets: list[Listed]


class SecretGone(Answer):
    """What is left of a key after its delete, as read back."""

    key: str
    effective: Annotated[str, Field(description="none; global: the inherited value counts again; or unknown.")]
    restart: str


class GlobalSet(Answer):
    """A global secret as read back after it was set or deleted."""

    key: str
    present: Annotated[bool | None, Field(description="As read back; absent when reading back failed.")] = None
    restarts: Annotated[int, Field(description="Workspaces that restart because of it, as shown before the yes.")]


def listed(entries: list[Entry]) -> SecretList:
    """Entries without what nobody asks for."""
    return SecretList(
        secrets=[Listed(key=entry.key, scope=entry.scope, updated_at=entry.updated_at) for entry in entries]
    )


@family.tool(
    Risk.READ, sends=["GET /workspaces/{id}/secrets", "GET /workspaces/{id}"], title="List a workspace's secrets"
)
async def list_workspace_secrets(tenant: Tenant, workspace_id: WorkspaceId) -> SecretList:
    """List the names of the secrets a workspace sees, its own and inherited; never values."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    return listed(await tenant.read("/workspaces/{id}/secrets", list[Entry], id=workspace_id))


@family.tool(Risk.READ, sends=["GET /settings/secrets"], title="List global secrets")
async def list_global_secrets(tenant: Tenant) -> SecretList:
    """List the names of the secrets that every workspace inherits; never values."""
    return listed(await tenant.read("/settings/secrets", list[Entry]))


async def what_is_deleted(tenant: Tenant, workspace_id: str, key: str) -> Preview:
    """What deleting a workspace's own secret takes away and interrupts."""
    workspace = await one(tenant, workspace_id)
    entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=workspace_id)
    if not any(entry.key == key and entry.scope == "workspace" for entry in entries):
        raise ArgumentError("key is of no secret of the workspace's own", advice="list_workspace_secrets shows them.")
    return Preview(
        headline=Own("Delete 1 secret of 1 workspace"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Secret", Own(key)),
            Fact(
                "Cannot be undone", Own("its value is lost; a global value of that name counts again, if there is one")
            ),
            Fact("Effect", Own(effect(workspace, tenant.hosted))),
        ),
        items=(Item({"workspace_id": workspace_id, "key": key}, {"id": workspace.id, "name": workspace.name}),),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool | None:
    """Whether a workspace's own secret is gone; one of that name may have been set anew."""
    entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=past.parameters["id"])
    own = {entry.key: entry.updated_at for entry in entries if entry.scope == "workspace"}
    return named_gone(own.get(past.parameters["key"]), past.at)


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/secrets/{key}", "GET /workspaces/{id}/secrets", "GET /workspaces/{id}"],
    title="Delete a workspace secret",
    preview=what_is_deleted,
    settle=is_deleted,
)
async def delete_workspace_secret(tenant: Tenant, workspace_id: WorkspaceId, key: SecretName) -> SecretGone:
    """Delete one secret of one workspace, which restarts; a global one of that name then counts again."""
    await tenant.send("DELETE", "/workspaces/{id}/secrets/{key}", dict[str, Any], id=workspace_id, key=key)
    try:
        workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
        entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=workspace_id)
    except TenantError:
        return SecretGone(key=key, effective="unknown", restart="unknown; reading back failed")
    left = next((entry.scope for entry in entries if entry.key == key), "none")
    return SecretGone(key=key, effective=left, restart=effect(workspace, tenant.hosted))


async def restarting(tenant: Tenant, key: str) -> list[Row]:
    """The workspaces that a change of a global secret restarts: those without an own value of it."""
    if tenant.hosted:
        return []
    rows = [row for row in await tenant.read("/workspaces", list[Row]) if row.runtime != EXTERNAL]
    reached = {row.id: row for row in rows if row.status not in STAYS}

    async def own(row: Row) -> None:
        entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=row.id)
        if any(entry.key == key and entry.scope == "workspace" for entry in entries):
            del reached[row.id]

    await each(list(reached.values()), own)
    return list(reached.values())


async def what_changes_for_all(tenant: Tenant, verb: str, key: str, value_from: str) -> Preview:
    """What a change of a global secret reaches."""
    there = any(entry.key == key for entry in await tenant.read("/settings/secrets", list[Entry]))
    rows = await restarting(tenant, key)
    item: dict[str, Any] = {"key": key} | ({"value_from": value_from} if value_from else {})
    former = "is overwritten; the former value cannot be read back" if there else "is new"
    return Preview(
        headline=Own(f"{verb} 1 global secret, inherited by every workspace"),
        facts=(
            Fact("Secret", Own(f"{key} {former if value_from else 'is lost for all'}")),
            *((Fact("Value from", exactly(value_from)),) if value_from else ()),
            Fact("Restarts", tuple(shown(row) for row in rows)),
            Fact("Effect", Own(f"{counted(len(rows), 'workspace')} restart: work in flight and their tokens are lost")),
        ),
        items=(Item(item, {"there": there, "restarts": sorted(row.id for row in rows)}),),
        target=(key.lower(), ""),
        touches=frozenset(row.id for row in rows),
    )


async def what_is_set_for_all(tenant: Tenant, secrets: Secrets, key: str, value_from: str) -> Preview:
    """What setting a global secret reaches."""
    value_from = source(key, value_from)
    secrets.resolve(value_from)
    return await what_changes_for_all(tenant, "Set", key, value_from)


async def what_is_deleted_for_all(tenant: Tenant, key: str) -> Preview:
    """What deleting a global secret reaches."""
    if not any(entry.key == key for entry in await tenant.read("/settings/secrets", list[Entry])):
        raise ArgumentError("key is of no global secret", advice="list_global_secrets shows them.")
    return await what_changes_for_all(tenant, "Delete", key, "")


async def read_back(tenant: Tenant, key: str, restarts: int) -> GlobalSet:
    """Whether the key is there now."""
    try:
        entries = await tenant.read("/settings/secrets", list[Entry])
    except TenantError:
        return GlobalSet(key=key, restarts=restarts)
    return GlobalSet(key=key, present=any(entry.key == key for entry in entries), restarts=restarts)


@family.tool(
    Risk.CRITICAL,
    sends=["PUT /settings/secrets", "GET /settings/secrets", "GET /workspaces", "GET /workspaces/{id}/secrets"],
    title="Set a global secret",
    preview=what_is_set_for_all,
)
async def set_global_secret(
    tenant: Tenant, secrets: Secrets, key: SecretName, value_from: SecretReference = ""
) -> GlobalSet:
    """Set a secret that every workspace inherits; those without an own value of it restart."""
    reached = await restarting(tenant, key)
    body = {"key": key, "value": secrets.resolve(source(key, value_from))}
    await tenant.send("PUT", "/settings/secrets", dict[str, Any], body=body)
    return await read_back(tenant, key, len(reached))


async def is_deleted_for_all(tenant: Tenant, past: Past) -> bool | None:
    """Whether a global secret is gone; one of that name may have been set anew."""
    entries = await tenant.read("/settings/secrets", list[Entry])
    return named_gone({entry.key: entry.updated_at for entry in entries}.get(past.parameters["key"]), past.at)


@family.tool(
    Risk.CRITICAL,
    sends=[
        "DELETE /settings/secrets/{key}",
        "GET /settings/secrets",
        "GET /workspaces",
        "GET /workspaces/{id}/secrets",
    ],
    title="Delete a global secret",
    preview=what_is_deleted_for_all,
    settle=is_deleted_for_all,
)
async def delete_global_secret(tenant: Tenant, key: SecretName) -> GlobalSet:
    """Delete a secret that every workspace inherits; those without an own value of it restart."""
    reached = await restarting(tenant, key)
    await tenant.send("DELETE", "/settings/secrets/{key}", dict[str, Any], key=key)
    return await read_back(tenant, key, len(reached))
