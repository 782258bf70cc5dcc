"""Which plugins an organization allows to be installed.

Contract: get_plugin_allowlist, replace_plugin_allowlist. Open to keys that are bound to the organization; the usual
key is bound to none and is refused. An empty list allows everything. PUT echoes what it was given, so the list is read.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly
from molecule_mcp.errors import TenantError, TenantRefused, TenantUnreadable
from molecule_mcp.tenant import Tenant, paths
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.workspaces import Row

family = Family("plugins")

LIST = "GET /orgs/{id}/plugins/allowlist"

OrgId = Annotated[WorkspaceId, Field(description="UUID of the organization's root workspace.")]
Name = Annotated[str, Field(pattern=f"^{paths.NAME.form}$")]


class Entry(Answer):
    """One allowed plugin."""

    plugin_name: Text
    enabled_by: Text = ""
    enabled_at: str = ""


class Stored(Answer):
    """What we read of an allow-list."""

    plugins: list[Entry]
    allow_all: bool


class Allowed(Answer):
    """The plugins that may be installed in a root workspace and its direct children."""

    plugins: list[Entry]
    allow_all: Annotated[bool, Field(description="No list: everything may be installed.")]


class Replaced(Answer):
    """The list as read back, and what it was."""

    before: list[str]
    after: list[str]
    allow_all: bool


def explained(error: TenantError) -> TenantError:
    """The same error; the 403 that most keys get is told in plain words."""
    if not isinstance(error, TenantRefused) or error.status != 403:
        return error
    return TenantRefused(
        403,
        "This organization key is bound to no organization, or to another one, as keys usually are; "
        "the tenant shows and changes the list for a bound key or the deployer's admin secret only.",
        sent=error.sent,
        advice="The deployer does it, or mints a key that is bound to this organization.",
        body=error.body,
    )


async def stored(tenant: Tenant, org_id: str) -> Stored:
    """The list as it is.

    Raises: TenantRefused; a 403 says why.
    """
    try:
        return await tenant.read("/orgs/{id}/plugins/allowlist", Stored, id=org_id)
    except TenantError as error:
        raise explained(error) from error


@family.tool(Risk.READ, sends=[LIST], title="Read the plugin allow-list")
async def get_plugin_allowlist(tenant: Tenant, org_id: OrgId) -> Allowed:
    """Read which plugins an organization allows; the usual keys, bound to no organization, are refused."""
    found = await stored(tenant, org_id)
    return Allowed(plugins=found.plugins, allow_all=found.allow_all)


async def what_is_allowed(tenant: Tenant, org_id: str, plugins: list[str]) -> Preview:
    """What a new list lets in and shuts out."""
    before = sorted(each.plugin_name for each in (await stored(tenant, org_id)).plugins)
    row = await one(tenant, org_id)
    reached = [row, *(each for each in await tenant.read("/workspaces", list[Row]) if each.parent_id == row.id)]
    effect = "only these may be installed" if plugins else "ANY plugin may be installed: an empty list allows all"
    if plugins and not before:
        effect += "; so far any may"
    return Preview(
        headline=Own("Replace the plugin allow-list of 1 organization"),
        facts=(
            Fact("Organization", shown(row)),
            Fact("Newly on the list", tuple(exactly(each) for each in plugins if each not in before)),
            Fact("Stays on the list", tuple(exactly(each) for each in plugins if each in before)),
            Fact("Off the list", tuple(exactly(each) for each in before if each not in plugins)),
            Fact("Effect", Own(f"{effect}; what is installed stays")),
            Fact("Counts for", tuple(shown(each) for each in reached)),
        ),
        items=(Item({"org_id": org_id, "plugins": plugins}, {"organization": row.name, "before": before}),),
        target=(row.name, row.id),
        touches=frozenset(each.id for each in reached),
    )


@family.tool(
    Risk.DESTROY,
    sends=["PUT /orgs/{id}/plugins/allowlist", LIST, "GET /workspaces/{id}", "GET /workspaces"],
    title="Replace plugin allowlist",
    preview=what_is_allowed,
)
async def replace_plugin_allowlist(
    tenant: Tenant,
    org_id: OrgId,
    plugins: Annotated[list[Name], Field(max_length=200, description="The whole list; empty allows everything.")],
) -> Replaced:
    """Replace which plugins an organization's root workspace and its direct children may install."""
    before = await stored(tenant, org_id)
    body = {"plugins": plugins, "enabled_by": tenant.actor}
    try:
        await tenant.send("PUT", "/orgs/{id}/plugins/allowlist", dict[str, Any], id=org_id, body=body)
    except TenantError as error:
        raise explained(error) from error
    with reading_back():
        after = await stored(tenant, org_id)
    names = sorted(each.plugin_name for each in after.plugins)
    if names != sorted(set(plugins)):
        raise TenantUnreadable("The tenant said it replaced the list, but shows another one.", sent=True)
    return Replaced(before=sorted(each.plugin_name for each in before.plugins), after=names, allow_all=after.allow_all)
