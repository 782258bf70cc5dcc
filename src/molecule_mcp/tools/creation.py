"""Workspaces made, managed ones and those whose agent runs elsewhere.

Contract: create_workspace (runtime "external" is the same as external=true; without a runtime the template's counts).
"""

import difflib
from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly, in_full
from molecule_mcp.errors import ArgumentError
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, NewName, OptionalWorkspaceId, Text
from molecule_mcp.tools.lifecycle import EXTERNAL, RuntimeName, one, read_back, shown
from molecule_mcp.tools.workspaces import Row

family = Family("workspaces")

USUAL = "langgraph"
"""The runtime of what says none."""
AWAITED = "Its agent has to register with that token within 10 minutes; after them the workspace counts as failed."
MORE = {
    "role": "Role",
    "template": "Template",
    "runtime": "Runtime",
    "model": "Model",
    "tier": "Tier",
    "max_concurrent_tasks": "Tasks at once",
    "budget_limit_cents": "US cents a month",
}
"""Arguments that a person sees when they are given, and how they are called."""


class Created(Answer):
    """The new workspace."""

    id: str
    status: Annotated[str, Field(description="As read back; poll get_workspace until online or failed.")]
    runtime: str = ""
    token: Annotated[str | None, Field(description="Where the agent's one-time token was written.")] = None
    note: str | None = None


class Offered(Answer):
    """What we read of a template (contract schema WorkspaceTemplate)."""

    id: Text
    runtime: RuntimeName = ""


class New(Answer):
    """What we read of the answer to a create; the token goes to an output and nowhere else."""

    id: str
    status: str = ""
    connection: dict[str, Any] | None = None


async def runtime_of(tenant: Tenant, template: str, runtime: str, external: bool) -> str:
    """The runtime of what these arguments make; empty: the tenant's own choice, which is never an outside agent.

    Raises: ArgumentError when a template is not listed: the tenant takes some other one then, and says nothing.
    """
    own = (await listed(tenant, template)).runtime or USUAL if template else ""
    # Without runtime "external" the tenant would treat it as a container later, and cut its agent off.
    return EXTERNAL if external else runtime or own


async def listed(tenant: Tenant, template: str) -> Offered:
    """A template of the list.

    Raises: ArgumentError with the ids that are spelt alike when there is none.
    """
    rows = {each.id: each for each in await tenant.read("/templates", list[Offered])}
    if template in rows:
        return rows[template]
    near = difflib.get_close_matches(template.lower(), rows, n=5, cutoff=0.5)
    raise ArgumentError(
        "template is of none in the list; nothing was sent",
        advice="list_templates shows all ids.",
        details={"near": near} if near else None,
    )


async def is_elsewhere(
    tenant: Tenant, template: str = "", runtime: str = "", external: bool = False, **_: Any
) -> dict[str, bool]:
    """Live fact: whether the agent will run elsewhere, also by what its template says; it is given a token then."""
    return {"external": await runtime_of(tenant, template, runtime, external) == EXTERNAL}


async def what_is_made(tenant: Tenant, name: str, **given: Any) -> Preview:
    """What a create makes; when its agent runs elsewhere, that hands out access."""
    await no_duplicate(tenant, name, given.get("parent_id", ""), given.get("allow_duplicate", False))
    url = given.get("url", "")
    parent = await one(tenant, given["parent_id"]) if given.get("parent_id") else None
    outside = (await is_elsewhere(tenant, **given))["external"]
    token = "messages go to that address" if url else "a token for it is written to an output file"
    return Preview(
        headline=Own(f"Create 1 workspace{' whose agent runs elsewhere' if outside else ''}"),
        facts=(
            Fact("Name", exactly(name)),
            Fact("Under", shown(parent) if parent else Own("none: it is a root")),
            *((Fact("Address", exactly(url or "none yet")),) if outside else ()),
            *(Fact(label, in_full(str(given[key]))) for key, label in MORE.items() if given.get(key)),
            Fact("Effect", Own(f"an outside agent joins the organization; {token}" if outside else "its agent starts")),
        ),
        items=(Item({"name": name, **given}, {"parent": parent.name if parent else None}),),
        target=(name, ""),
        touches=frozenset({given["parent_id"]} if given.get("parent_id") else set()),
    )


async def no_duplicate(tenant: Tenant, name: str, parent_id: str, allowed: bool) -> None:
    """Names are not unique on a tenant, and a create repeated makes a second workspace.

    Raises: ArgumentError when the name is taken under that parent, or the parent is not there.
    """
    rows = await tenant.read("/workspaces", list[Row])
    if parent_id and not any(row.id == parent_id for row in rows):
        raise ArgumentError("parent_id is of no workspace in the list", advice="list_workspaces shows all ids.")
    same = [row for row in rows if row.name == name and (row.parent_id or "") == parent_id]
    if same and not allowed:
        raise ArgumentError(
            "a workspace of this name is there already",
            advice="If a second one is meant, call again with allow_duplicate=true.",
            details={"there": [{"id": row.id, "status": row.status} for row in same]},
        )


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces", "GET /workspaces", "GET /workspaces/{id}", "GET /templates"],
    title="Create a workspace",
    preview=what_is_made,
    raised_by={"external": Risk.DESTROY, "runtime": {EXTERNAL: Risk.DESTROY}, "url": Risk.DESTROY},
    raised_by_fact={"external": Risk.DESTROY},
    facts=is_elsewhere,
    idempotent=False,
)
async def create_workspace(
    tenant: Tenant,
    outputs: Outputs,
    name: Annotated[NewName, Field(min_length=1, description="Its name, without []{}|>*&!")],
    role: Annotated[str, Field(max_length=1000, description="What it is for.")] = "",
    parent_id: Annotated[OptionalWorkspaceId, Field(description="Its parent; empty: a root.")] = "",
    template: Annotated[str, Field(max_length=100, description="`id` from list_templates.")] = "",
    runtime: Annotated[RuntimeName, Field(description="Empty: the template's.")] = "",
    model: Annotated[str, Field(max_length=200, description="Model of the first start.")] = "",
    tier: Annotated[int, Field(ge=1, le=4, description="1 to 4.")] = 3,
    max_concurrent_tasks: Annotated[int, Field(ge=1, le=100, description="Tasks at once; fixed for good.")] = 1,
    budget_limit_cents: Annotated[int, Field(ge=0, description="US cents a month; 0: no limit.")] = 0,
    external: Annotated[bool, Field(description="Its agent runs elsewhere.")] = False,
    url: Annotated[str, Field(max_length=500, description="External: where its agent answers.")] = "",
    allow_duplicate: Annotated[bool, Field(description="Though the name is taken.")] = False,
) -> Created:
    """Create a workspace; it starts in the background: poll get_workspace until online or failed.

    An external one's one-time token goes to an output file.
    """
    runtime = await runtime_of(tenant, template, runtime, external)
    if url and runtime != EXTERNAL:
        raise ArgumentError("url is for external workspaces only", advice="Give external=true with it.")
    await no_duplicate(tenant, name, parent_id, allow_duplicate)
    outputs.ready()
    body: dict[str, Any] = {
        "name": name, "role": role, "parent_id": parent_id, "template": template, "model": model, "url": url,
        "runtime": runtime, "external": runtime == EXTERNAL, "budget_limit": budget_limit_cents,
    }  # fmt: skip
    body = {key: value for key, value in body.items() if value}
    body |= {"tier": tier, "max_concurrent_tasks": max_concurrent_tasks}
    made = await tenant.send("POST", "/workspaces", New, body=body)
    token = str((made.connection or {}).get("auth_token") or "")
    where = outputs.write("workspace-token", made.id, token) if token else None
    started = await read_back(tenant, made.id)
    return Created(
        id=made.id, status=started.status, runtime=runtime, token=where,
        note=AWAITED if where and not url else None,
    )  # fmt: skip
