"""Create workspaces, managed ones and external ones."""

from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import folders
from molecule_mcp.embedded.bodies import array, boolean, decode, integer, number, struct, text, texts
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.families.memories import remember
from molecule_mcp.embedded.families.rules import (
    FORBIDDEN,
    LINE_BREAKS,
    MODEL_BYTES,
    NAME_BYTES,
    ROLE_BYTES,
    RUNTIME_BYTES,
    allowed_directory,
    fits,
    int32,
)
from molecule_mcp.embedded.families.secrets import store_secret
from molecule_mcp.embedded.lifecycle import provision
from molecule_mcp.embedded.tokens import mint_workspace_token

FIELDS = {
    "name": text,
    "role": text,
    "template": text,
    "tier": integer,
    "model": text,
    "runtime": text,
    "external": boolean,
    "url": text,
    "workspace_dir": text,
    "workspace_access": text,
    "parent_id": text,
    "budget_limit": integer,
    "secrets": texts,
    "max_concurrent_tasks": integer,
    "canvas": struct({"x": number, "y": number}),
    "initial_memories": array(struct({"content": text, "scope": text})),
}
ACCESS = ("none", "read_only", "read_write")
SCOPES = ("LOCAL", "TEAM", "GLOBAL")
MEMORY_BYTES = 8192


def create_workspace(call: Call) -> Response:
    """Store a workspace and begin its start, or await its agent, or take it as online at its url."""
    given = _with_runtime(call, _checked(call))
    workspace_id = call.instance.new_id()
    external = given.get("external", False) or given.get("runtime") == "external"
    url = given.get("url", "") if external else ""
    with refusing(500, "failed to create workspace"), call.db.savepoint():
        _insert(call, workspace_id, given, url)
        for key, value in given.get("secrets", {}).items():
            store_secret(call, workspace_id, key, value)
        seed_memories(call, workspace_id, given.get("initial_memories", []))
    if url:
        emit(call.instance, "WORKSPACE_ONLINE", workspace_id)
        return answer({"id": workspace_id, "external": True, "status": "online"}, 201)
    if external:
        return _awaiting(call, workspace_id)
    provision(call.instance, workspace_id)
    told = {"id": workspace_id, "status": "provisioning", "awareness_namespace": f"workspace:{workspace_id}"}
    return answer(told | {"workspace_access": given.get("workspace_access") or "none"}, 201)


def _checked(call: Call) -> dict[str, Any]:
    with refusing(400, "invalid workspace payload"):
        given = decode(call.body, FIELDS)
    if not given.get("name"):
        raise Refusal(400, "invalid workspace payload")
    limits = (
        ("name", NAME_BYTES, FORBIDDEN),
        ("role", ROLE_BYTES, FORBIDDEN),
        ("model", MODEL_BYTES, LINE_BREAKS),
        ("runtime", RUNTIME_BYTES, LINE_BREAKS),
    )
    if not all(fits(given.get(field, ""), limit, forbidden) for field, limit, forbidden in limits):
        raise Refusal(400, "invalid workspace fields")
    directory = given.get("workspace_dir", "")
    if directory and not allowed_directory(directory):
        raise Refusal(400, "invalid workspace directory")
    access = given.get("workspace_access") or "none"
    if access not in ACCESS or (access != "none" and not directory):
        raise Refusal(400, "invalid workspace access")
    template = given.get("template", "")
    if template.startswith("/") or ".." in template.split("/"):
        raise Refusal(400, "invalid template")
    return given


def _with_runtime(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """The same; without a runtime it is that of the template's config."""
    found = (folders.config(call.db, given.get("template", "")) or {}).get("runtime")
    return given if given.get("runtime") or not isinstance(found, str) else given | {"runtime": found}


def _insert(call: Call, workspace_id: str, given: dict[str, Any], url: str) -> None:
    place = given.get("canvas", {})
    parent = given.get("parent_id")
    runtime = "external" if url else given.get("runtime") or "langgraph"
    call.db.insert(
        "workspaces",
        id=workspace_id,
        name=given["name"],
        role=given.get("role") or None,
        tier=int32(given.get("tier", 0) or 3),
        status="online" if url else "provisioning",
        url=url,
        parent_id=None if parent is None else uid(parent),
        max_concurrent_tasks=int32(max(1, given.get("max_concurrent_tasks", 0))),
        runtime=runtime,
        x=place.get("x", 0),
        y=place.get("y", 0),
        workspace_dir=given.get("workspace_dir") or None,
        workspace_access=given.get("workspace_access") or "none",
        budget_limit=given.get("budget_limit"),
        provisioning_at=call.now,
        awaiting_agent=1,
        created_at=call.now,
        updated_at=call.now,
    )


def seed_memories(call: Call, workspace_id: str, seeds: list[dict[str, str]]) -> None:
    """Store the memories that a workspace begins with; empty ones and unknown scopes are left out."""
    for seed in seeds:
        content = seed.get("content", "").encode()[:MEMORY_BYTES].decode("utf-8", "ignore")
        scope = (seed.get("scope") or "LOCAL").upper()
        if content and scope in SCOPES:
            remember(call, workspace_id, content, scope, f"workspace:{workspace_id}")


def _awaiting(call: Call, workspace_id: str) -> Response:
    emit(call.instance, "WORKSPACE_AWAITING_AGENT", workspace_id)
    token = mint_workspace_token(call.instance, workspace_id).plaintext
    platform = f"http://{call.host}"
    connection = {
        "workspace_id": workspace_id,
        "platform_url": platform,
        "auth_token": token,
        "registry_endpoint": f"{platform}/registry/register",
        "heartbeat_endpoint": f"{platform}/registry/heartbeat",
        "curl_register_template": CURL.format(platform=platform, id=workspace_id, token=token),
        "python_snippet": PYTHON.format(platform=platform, id=workspace_id, token=token),
    }
    told = {"id": workspace_id, "external": True, "status": "awaiting_agent"}
    return answer(told | {"connection": connection}, 201)


CURL = """curl -X POST {platform}/registry/register \\
  -H 'Authorization: Bearer {token}' \\
  -d '{{"id": "{id}", "url": "https://your-agent.example", "agent_card": {{"name": "your agent"}}}}'
"""
PYTHON = """import httpx

httpx.post(
    "{platform}/registry/register",
    headers={{"Authorization": "Bearer {token}"}},
    json={{"id": "{id}", "url": "https://your-agent.example", "agent_card": {{"name": "your agent"}}}},
)
"""
