"""Images of workspaces, pulled and put to use.

Contract: refresh_workspace_images. It answers 200 even when every pull failed, recreates by default, and is not there
at all where workspaces are no local containers.
"""

from typing import Annotated, Any, Literal, cast

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import GateStop, TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer
from molecule_mcp.tools.lifecycle import EXTERNAL, shown
from molecule_mcp.tools.workspaces import MOST, Row, counted

family = Family("admin")

RUNNING = {"online", "degraded", "provisioning"}
ABSENT = "This tenant has no images to refresh: its workspaces are no local containers."

Runtime = Literal["claude-code", "langgraph", "crewai", "autogen", "deepagents", "hermes", "gemini-cli", "openclaw"]


class Told(Answer):
    """What we read of a refresh (contract schema ImageRefresh)."""

    pulled: list[str]
    failed: list[str]
    recreated: list[str]


class Refreshed(Answer):
    """What was pulled, as the tenant answered; no route reads images back."""

    pulled: list[str]
    failed: Annotated[list[str], Field(description="Not pulled: these are as they were.")]
    recreated: Annotated[list[str], Field(description="Containers that were removed.")]
    note: str | None = None


async def what_is_killed(tenant: Tenant, runtime: str = "all", recreate: bool = False) -> Preview:
    """Which workspaces lose their running container."""
    rows = await tenant.read("/workspaces", list[Row]) if recreate else []
    on_it = [row for row in rows if row.runtime != EXTERNAL and runtime in ("all", row.runtime)]
    if len(on_it) > MOST:
        raise GateStop("too_large", f"{len(on_it)} workspaces could go down; at most {MOST} at once: name a runtime.")
    hit = [row for row in on_it if row.status in RUNNING]
    images = "the images of all 8 runtimes" if runtime == "all" else f"the image of {runtime}"
    effect = "containers are killed, with work in progress" if recreate else "running containers stay as they are"
    return Preview(
        headline=Own(f"Pull {images}" + (f" and kill {counted(len(hit), 'running workspace')}" if recreate else "")),
        facts=(
            Fact("Killed", tuple(shown(row) for row in hit) or Own("none")),
            Fact("Effect", Own(f"{effect}; every later start runs on what was pulled")),
            Fact("Cannot be undone", Own("no route brings former images back")),
        ),
        items=(
            Item(
                {"runtime": runtime, "recreate": recreate},
                # Whether one runs changes by itself; which ones could be killed does not.
                {"on": sorted(f"{row.id} {row.name} {row.runtime}" for row in on_it)},
            ),
        ),
        target=(f"{runtime} images", ""),
        touches=frozenset(row.id for row in on_it),
    )


@family.tool(
    Risk.CRITICAL,
    sends=["POST /admin/workspace-images/refresh", "GET /workspaces"],
    title="Refresh workspace images",
    preview=what_is_killed,
    idempotent=False,
    open_world=True,
)
async def refresh_workspace_images(
    tenant: Tenant,
    runtime: Annotated[Literal[Runtime, "all"], Field(description="Which image.")] = "all",
    recreate: Annotated[bool, Field(description="Also kill every container that runs on one.")] = False,
) -> Refreshed:
    """Pull the latest workspace images; self-hosted tenants only. `failed` names those that could not be."""
    query = {"recreate": "true" if recreate else "false"} | ({} if runtime == "all" else {"runtime": runtime})
    try:
        told = await tenant.send("POST", "/admin/workspace-images/refresh", Told, query=query)
    except TenantRefused as error:
        raise explained(error) from error
    if told.failed and not told.pulled and not told.recreated:
        failure = TenantRefused(200, "The tenant answered 200, but could pull no image; nothing changed.", sent=True)
        failure.details["failed"] = told.failed
        raise failure
    note = f"{counted(len(told.failed), 'image')} could not be pulled." if told.failed else None
    return Refreshed(pulled=told.pulled, failed=told.failed, recreated=told.recreated, note=note)


def explained(error: TenantRefused) -> TenantRefused:
    """The refusal with what the tenant said was done before it, or with why there is no such route."""
    if error.status == 404:
        return TenantRefused(404, ABSENT, sent=error.sent)
    body = error.body
    if isinstance(body, dict) and (part := cast("dict[str, Any]", body).get("partial_result")):
        error.details["partial_result"] = clean_data(part)
    return error
