"""Secrets of a workspace, set by reference: the value goes from the person's machine to the tenant, past the model.

Contract: set_workspace_secret (POST), list_workspace_secrets.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly, quoted
from molecule_mcp.errors import TenantError
from molecule_mcp.secrets import SecretReference, Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.workspaces import Row

family = Family("secrets")

STAYS = {"paused", "hibernated", "removed"}
"""Statuses in which a changed secret restarts nothing (NOTES, "Restarts and token rotation")."""

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
SecretName = Annotated[str, Field(pattern=NAME, description="The secret's name: OPENAI_API_KEY.")]


class Entry(Answer):
    """A secret's name and where it comes from (contract schema SecretEntry); the value never."""

    key: Text
    scope: str
    created_at: str = ""
    updated_at: str = ""


class SecretSet(Answer):
    """What the tenant shows of the secret after it was set, and what that set in motion."""

    workspace_id: str
    key: str
    updated_at: Annotated[str | None, Field(description="As read back; absent when reading back failed.")] = None
    restart: Annotated[str, Field(description="What happens to the running agent.")]


async def what_is_set(tenant: Tenant, secrets: Secrets, workspace_id: str, key: str, value_from: str) -> Preview:
    """What setting the secret replaces and interrupts."""
    value_from = source(key, value_from)
    secrets.resolve(value_from)
    workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=workspace_id)
    now = next((entry for entry in entries if entry.key == key), None)
    there = {None: "is new", "workspace": "is overwritten; the former value cannot be read back"}
    return Preview(
        headline=Own("Set 1 secret of 1 workspace"),
        facts=(
            Fact("Workspace", Own(f"{quoted(workspace.name)} {workspace.id}, {quoted(workspace.status)}")),
            Fact(
                "Secret",
                Own(f"{key} {there.get(now.scope if now else None, 'hides the global secret of that name here')}"),
            ),
            Fact("Value from", Own(f"{exactly(value_from)}; it is not shown to the model")),
            Fact("Effect", Own(effect(workspace, tenant.hosted))),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "key": key, "value_from": value_from},
                {"id": workspace.id, "name": workspace.name, "scope": now.scope if now else None},
            ),
        ),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


def source(key: str, value_from: str) -> str:
    """Where a secret's value comes from: what was given, else a person types it on the page."""
    return f"page:{key}" if value_from in {"", "page"} else value_from


def effect(workspace: Row, hosted: bool) -> str:
    """What a changed secret does to the agent."""
    if hosted:
        return "no restart: on a hosted tenant the agent sees it after restart_workspace"
    if workspace.runtime == "external" or workspace.status in STAYS:
        return "no restart"
    return "the workspace restarts: work in flight is lost and its workspace tokens are revoked"


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/secrets", "GET /workspaces/{id}/secrets", "GET /workspaces/{id}"],
    title="Set a workspace secret",
    preview=what_is_set,
)
async def set_workspace_secret(
    tenant: Tenant, secrets: Secrets, workspace_id: WorkspaceId, key: SecretName, value_from: SecretReference = ""
) -> SecretSet:
    """Set one secret of one workspace, past this conversation; a running one then restarts."""
    body = {"key": key, "value": secrets.resolve(source(key, value_from))}
    await tenant.send("POST", "/workspaces/{id}/secrets", dict[str, Any], id=workspace_id, body=body)
    try:
        workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
        entries = await tenant.read("/workspaces/{id}/secrets", list[Entry], id=workspace_id)
    except TenantError as error:
        return SecretSet(workspace_id=workspace_id, key=key, restart=f"unknown; reading back failed: {error.kind}")
    stored = next((entry for entry in entries if entry.key == key and entry.scope == "workspace"), None)
    return SecretSet(
        workspace_id=workspace_id,
        key=key,
        updated_at=stored.updated_at if stored else None,
        restart=effect(workspace, tenant.hosted) + f"; status now {workspace.status}",
    )
