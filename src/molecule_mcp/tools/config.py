"""The model override and the stored JSON config of a workspace.

Contract: get_model, set_model, get_config, patch_config. The tenant answers for unknown ids; its merge is shallow,
removes no key, and turns a document into an array for good when it is given one.
"""

import json
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import ArgumentError, GateStop, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import EXTERNAL, one
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.texts import cut_data, storable
from molecule_mcp.tools.workspaces import Row

family = Family("config")

WORKSPACE, MODEL, CONFIG = "GET /workspaces/{id}", "GET /workspaces/{id}/model", "GET /workspaces/{id}/config"
LARGEST = 262_144
"""Bytes of a body that the tenant takes."""
SHOWN, TOLD = 20_000, 4_000
"""Characters of a document that an answer shows, and of former values."""
STANDING = {"paused", "hibernated", "removed"}
"""Statuses in which a new model restarts nothing."""
ARRAY = "It is an array by now, for good: whatever is written is appended."


class Setting(Answer):
    """What we read of a model setting (contract schema ModelSetting)."""

    model: Text
    source: str


class Model(Answer):
    """The override; empty: the template decides."""

    model: Text
    source: Literal["default", "workspace_secrets"]


class ModelSet(Answer):
    """The override as read back, and what it was."""

    id: str
    before: Text
    model: Text
    restart: str


class Document(Answer):
    """What we read of a config."""

    data: Any


class Config(Answer):
    """The document, cleaned."""

    data: Any
    cut: Annotated[bool | None, Field(description="True: data is the beginning of its JSON text.")] = None
    note: str | None = None


class Patched(Answer):
    """What a merge changed; former values stand under `before`, and whole in a file."""

    id: str
    before: Any
    former_file: str | None = None
    added: Annotated[list[str], Field(description="New keys; no route removes them.")]
    not_stored: list[str] = Field(default_factory=list)


async def model_of(tenant: Tenant, workspace_id: str) -> str:
    """The override, "" without one."""
    return (await tenant.read("/workspaces/{id}/model", Setting, id=workspace_id)).model


@family.tool(Risk.READ, sends=[MODEL, WORKSPACE], title="Read the model override")
async def get_model(tenant: Tenant, workspace_id: WorkspaceId) -> Model:
    """Read which model overrides the template's; empty: none, though creation may have given one."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    return await tenant.read("/workspaces/{id}/model", Model, id=workspace_id)


@family.tool(Risk.DISRUPT, sends=["PUT /workspaces/{id}/model", MODEL, WORKSPACE], title="Set model")
async def set_model(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    model: Annotated[str, Field(max_length=200, description="Not checked by the tenant; empty clears it.")],
) -> ModelSet:
    """Set or clear the model of a workspace; self-hosted tenants restart it and lose its work."""
    storable(model=model)
    row = await one(tenant, workspace_id)
    before = await model_of(tenant, workspace_id)
    if before == model:
        raise GateStop("nothing_to_do", "That is the model already; nothing was sent.")
    with formers.naming(before=before):
        await tenant.send("PUT", "/workspaces/{id}/model", dict[str, Any], id=workspace_id, body={"model": model})
        with reading_back():
            after = await model_of(tenant, workspace_id)
        if after != model:
            raise TenantUnreadable("The tenant accepted the model, but shows another one.", sent=True)
    return ModelSet(id=workspace_id, before=before, model=after, restart=restart(row, tenant.hosted))


def restart(row: Row, hosted: bool) -> str:
    """What follows a new model."""
    if hosted:
        return "Not restarted: hosted tenants do not. Call restart_workspace to use the model."
    if row.runtime == EXTERNAL or row.status in STANDING:
        kind = "external" if row.runtime == EXTERNAL else row.status
        return f"Not restarted: it is {kind}. The model counts from its next start."
    return "It restarts in the background; poll get_workspace."


@family.tool(Risk.READ, sends=[CONFIG, WORKSPACE], title="Read the stored config")
async def get_config(tenant: Tenant, workspace_id: WorkspaceId) -> Config:
    """Read a workspace's stored JSON document, often {}; its agent runs by config.yaml, a file."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    document = await tenant.read("/workspaces/{id}/config", Document, id=workspace_id)
    data, short = cut_data(document.data, SHOWN)
    return Config(data=data, cut=short, note=ARRAY if isinstance(document.data, list) else None)


async def document_of(tenant: Tenant, workspace_id: str) -> dict[str, Any] | None:
    """The stored object, None when it is something else."""
    data = (await tenant.read("/workspaces/{id}/config", Document, id=workspace_id)).data
    return cast("dict[str, Any]", data) if isinstance(data, dict) else None


@family.tool(Risk.DISRUPT, sends=["PATCH /workspaces/{id}/config", CONFIG, WORKSPACE], title="Patch config")
async def patch_config(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    changes: Annotated[dict[str, Any], Field(description="Top-level keys to write; null is stored as null.")],
) -> Patched:
    """Write top-level keys of a workspace's stored JSON; keys stay for good. Former values are kept in a file."""
    storable(changes=changes)
    if not changes or len(json.dumps(changes)) > LARGEST:
        raise ArgumentError(f"changes must hold a key, and no more than {LARGEST} bytes")
    await one(tenant, workspace_id)
    old = await document_of(tenant, workspace_id)
    if old is None:
        raise ArgumentError("the stored document is an array for good; a key would be appended, not written")
    former = {key: old[key] for key in changes if key in old}
    where = formers.keep(outputs, workspace_id, former, changes)
    with formers.naming(where):
        await tenant.send("PATCH", "/workspaces/{id}/config", dict[str, Any], id=workspace_id, body=changes)
        with reading_back():
            new = await document_of(tenant, workspace_id)
    return Patched(
        id=workspace_id,
        before=cut_data(former, TOLD)[0],
        former_file=where,
        added=sorted(changes.keys() - old.keys()),
        not_stored=sorted(key for key in changes if new is None or key not in new or new[key] != changes[key]),
    )
