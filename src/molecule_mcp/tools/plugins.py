"""Plugins: what there is, what a workspace has, installed and removed; and which an organization allows.

Contract: list_plugin_registry, list_plugin_sources, list_installed_plugins, list_available_plugins,
check_plugin_compatibility, install_plugin, uninstall_plugin. The tenant looks into the running container: without one
it answers [] and "all compatible", also for ids that it never issued. An install and a removal restart the workspace.
"""

from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly, quoted
from molecule_mcp.errors import GateStop, TenantRefused
from molecule_mcp.tenant import Tenant, paths
from molecule_mcp.tools.containers import refused_without_container, silent
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tables import fitting
from molecule_mcp.tools.workspaces import Row

family = Family("plugins")

INSTALLED = "GET /workspaces/{id}/plugins"
AVAILABLE = "GET /workspaces/{id}/plugins/available"
WORKSPACE = "GET /workspaces/{id}"
SHOWN = 200
"""Characters of a description that a list shows."""
RESTARTS = "the workspace restarts: work in flight is lost and its tokens are revoked"

Runtime = Annotated[str, Field(max_length=100)]
PluginName = Annotated[str, Field(pattern=f"^{paths.NAME.form}$", description="As list_installed_plugins gives it.")]


class Plugin(Answer):
    """One plugin; everything in it is its author's text."""

    name: Text
    version: Text = ""
    description: Text = ""
    skills: list[Text] | None = None
    runtimes: Annotated[list[Text] | None, Field(description="Absent or empty: all.")] = None
    supported_on_runtime: bool | None = None


class Plugins(Answer):
    """Plugins of the registry, descriptions cut at 200 characters."""

    plugins: list[Plugin]
    left_out: int


class Sources(Answer):
    """Where plugins can come from."""

    schemes: list[str]


class Installed(Answer):
    """The plugins of a workspace; `sure` false: the container could not be looked into, so [] says nothing."""

    plugins: list[Plugin]
    left_out: int
    sure: bool
    note: str | None = None


class Verdict(Answer):
    """Which installed plugins a runtime takes; without `all_compatible` nothing is known."""

    compatible: list[Text]
    incompatible: list[Text]
    all_compatible: bool | None = None
    note: str | None = None


class Split(Answer):
    """What we read of the tenant's verdict."""

    compatible: list[Plugin]
    incompatible: list[Plugin]
    all_compatible: bool


class Said(Answer):
    """What we read of the answer to an install or a removal."""

    plugin: Text
    status: Text


class Done(Answer):
    """What the tenant says it did; `status` of the workspace as read back: the restart ends online or failed."""

    plugin: str
    state: str
    status: str
    note: str | None = None


def listed(rows: list[Plugin]) -> Plugins:
    """A list as it is told."""
    for row in rows:
        row.description = row.description[:SHOWN]
    told = fitting(rows)
    return Plugins(plugins=told, left_out=len(rows) - len(told))


def unsure(tenant: Tenant, row: Row) -> str | None:
    """What an answer is marked with when no container could be asked."""
    why = silent(tenant, row)
    return why and f"Unknown: {why}, and the tenant answers for running containers only."


@family.tool(Risk.READ, sends=["GET /plugins"], title="List the plugin registry")
async def list_plugin_registry(
    tenant: Tenant, runtime: Annotated[Runtime, Field(description="Only what this runtime takes.")] = ""
) -> Plugins:
    """List the plugins of the tenant's registry; for one workspace, list_available_plugins."""
    return listed(await tenant.read("/plugins", list[Plugin], query={"runtime": runtime} if runtime else None))


@family.tool(Risk.READ, sends=["GET /plugins/sources"], title="List plugin sources")
async def list_plugin_sources(tenant: Tenant) -> Sources:
    """List the schemes that install_plugin takes: local (the registry), github."""
    return await tenant.read("/plugins/sources", Sources)


@family.tool(Risk.READ, sends=[AVAILABLE, WORKSPACE], title="List available plugins")
async def list_available_plugins(tenant: Tenant, workspace_id: WorkspaceId) -> Plugins:
    """List the registry's plugins that a workspace's runtime takes, installed and allowed or not."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # for an unknown id the tenant lists everything
    return listed(await tenant.read("/workspaces/{id}/plugins/available", list[Plugin], id=workspace_id))


@family.tool(Risk.READ, sends=[INSTALLED, WORKSPACE], title="List installed plugins")
async def list_installed_plugins(tenant: Tenant, workspace_id: WorkspaceId) -> Installed:
    """List the plugins in a workspace's container; without a running one it is not sure."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    found = listed(await tenant.read("/workspaces/{id}/plugins", list[Plugin], id=workspace_id))
    note = None if found.plugins else unsure(tenant, row)
    return Installed(plugins=found.plugins, left_out=found.left_out, sure=note is None, note=note)


@family.tool(
    Risk.READ, sends=["GET /workspaces/{id}/plugins/compatibility", WORKSPACE], title="Check plugin compatibility"
)
async def check_plugin_compatibility(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    runtime: Annotated[Runtime, Field(min_length=1, description="Runtime to change to; not checked.")],
) -> Verdict:
    """Tell which installed plugins would survive a change of runtime; needs a running container."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    route = "/workspaces/{id}/plugins/compatibility"
    split = await tenant.read(route, Split, id=workspace_id, query={"runtime": runtime})
    note = None if split.compatible or split.incompatible else unsure(tenant, row)
    return Verdict(
        compatible=[each.name for each in split.compatible],
        incompatible=[each.name for each in split.incompatible],
        all_compatible=None if note else split.all_compatible,
        note=note,
    )


async def reachable(tenant: Tenant, workspace_id: str) -> Row:
    """A workspace whose plugins can be changed now.

    Raises: GateStop when it has no running container; the tenant would answer 503.
    """
    row = await one(tenant, workspace_id)
    if why := silent(tenant, row):
        raise GateStop("nothing_to_do", f"Its plugins cannot be changed now: {why}; nothing was sent.")
    return row


async def what_is_installed(tenant: Tenant, workspace_id: str, source: str, sha256: str = "") -> Preview:
    """What an install brings in, and what it interrupts."""
    row = await reachable(tenant, workspace_id)
    name = source.removeprefix("local://")
    fitting_it = await tenant.read("/workspaces/{id}/plugins/available", list[Plugin], id=workspace_id)
    plugin = next((each for each in fitting_it if each.name == name), None)
    return Preview(
        headline=Own("Install 1 plugin into 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Source", exactly(source)),
            *described(plugin),
            Fact("Checked by hash", quoted(sha256, 64) if sha256 else Own("no: whatever stands there now")),
            Fact("Effect", Own(f"it can change whatever the agent does; {RESTARTS}")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "source": source, "sha256": sha256},
                {"workspace": row.name, "plugin": plugin and plugin.model_dump(mode="json")},
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


def described(plugin: Plugin | None) -> tuple[Fact, ...]:
    """What a plugin of the registry says of itself."""
    if plugin is None:
        return (Fact("In the registry", Own("nothing of this name for the runtime of this workspace")),)
    return (
        Fact("It says of itself", Own(f"version {quoted(plugin.version)}: {quoted(plugin.description, 200)}")),
        Fact("Skills it brings", tuple(quoted(each) for each in plugin.skills or ())),
    )


@family.tool(
    Risk.CRITICAL,
    sends=["POST /workspaces/{id}/plugins", AVAILABLE, WORKSPACE],
    title="Install a plugin",
    preview=what_is_installed,
    open_world=True,
)
async def install_plugin(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    source: Annotated[
        str, Field(pattern=r"^[!-~]{1,300}$", description="A registry name, or github://owner/repo#tag.")
    ],
    sha256: Annotated[str, Field(pattern="^([0-9a-fA-F]{64})?$", description="Of its plugin.yaml.")] = "",
) -> Done:
    """Install a plugin into a running workspace and restart it; the allow-list is applied."""
    body = {"source": source} | ({"sha256": sha256} if sha256 else {})
    return await changed(tenant, workspace_id, "POST", "/workspaces/{id}/plugins", body=body)


async def what_is_removed(tenant: Tenant, workspace_id: str, name: str) -> Preview:
    """What a removal takes, and what it interrupts.

    Raises: GateStop when it is not installed: the tenant would say that it removed it, and restart.
    """
    row = await reachable(tenant, workspace_id)
    plugins = await tenant.read("/workspaces/{id}/plugins", list[Plugin], id=workspace_id)
    plugin = next((each for each in plugins if each.name == name), None)
    if plugin is None:
        raise GateStop("nothing_to_do", "The workspace does not show this plugin; nothing was sent.")
    return Preview(
        headline=Own("Remove 1 plugin from 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Plugin", Own(f"{exactly(plugin.name)}, version {quoted(plugin.version)}")),
            Fact("Skill folders that go, whoever made them", tuple(quoted(each) for each in plugin.skills or ())),
            Fact("Effect", Own(f"{RESTARTS}; to undo it, install it again, if its source is still there")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "name": name},
                {"workspace": row.name, "version": plugin.version, "skills": plugin.skills},
            ),
        ),
        target=(plugin.name, row.id),
        touches=frozenset({row.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/plugins/{name}", INSTALLED, WORKSPACE],
    title="Uninstall plugin",
    preview=what_is_removed,
)
async def uninstall_plugin(tenant: Tenant, workspace_id: WorkspaceId, name: PluginName) -> Done:
    """Remove a plugin, and skill folders of the same names, from a running workspace; it restarts."""
    return await changed(tenant, workspace_id, "DELETE", "/workspaces/{id}/plugins/{name}", name=name)


async def changed(tenant: Tenant, workspace_id: str, method: str, route: str, **given: Any) -> Done:
    """Send a change, and read the workspace back: its restart hides the plugins for a while.

    Raises: TenantRefused; of a missing container it says that nothing was done.
    """
    try:
        answer = await tenant.send(method, route, Said, id=workspace_id, **given)
    except TenantRefused as error:
        raise refused_without_container(error) from error
    with reading_back():
        row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    return Done(
        plugin=answer.plugin,
        state=answer.status,
        status=row.status,
        note="As the tenant says; list_installed_plugins shows it once the restart has ended.",
    )
