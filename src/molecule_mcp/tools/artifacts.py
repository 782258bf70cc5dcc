"""Git repositories of workspaces, at an outside service.

Contract: attach_artifacts_repo, get_artifacts_repo, fork_artifacts_repo, create_artifacts_token. No route unlinks or
deletes a repository or lists forks; a fork's address and a token's clone address hold credentials, and the latter a
fixed host that need not be the repository's.
"""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly, lines, quoted
from molecule_mcp.errors import ArgumentError, MoleculeError, TenantError, TenantRefused, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.texts import storable
from molecule_mcp.tools.workspaces import Row

family = Family("artifacts")

LINK = "GET /workspaces/{id}/artifacts"
WORKSPACE = "GET /workspaces/{id}"
LASTS = "it stays at the outside service: no tool unlinks or deletes it"
WEEK = 604_800
"""Seconds; the tenant cuts longer lifetimes without a word."""

NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$"
RepoName = Annotated[str, Field(pattern=NAME, description="Letters, digits, _ and -.")]
Description = Annotated[str, Field(max_length=500, description="What it is for.")]
ReadOnly = Annotated[bool, Field(description="Nobody may push to it.")]


class Link(Answer):
    """What we read of a link (contract schema Artifact)."""

    cf_repo_name: Text
    remote_url: Text = ""
    description: Text = ""


class Live(Answer):
    """What we read of a repository at the service (contract schema CfRepo)."""

    name: Text
    remote_url: str = ""
    read_only: bool | None = None


class Info(Answer):
    """What we read of a link and its repository (contract schema ArtifactInfo)."""

    artifact: Link
    cf_status: str
    cf_repo: Live | None = None
    cf_error: Text = ""


class Repository(Answer):
    """The repository of a workspace."""

    repo_name: str
    remote_url: Annotated[str, Field(description="Without credentials; create_artifacts_token makes one.")]
    description: str
    read_only: bool | None = None
    service: Annotated[str, Field(description="ok, or unavailable: then only the stored link is known.")]
    note: str | None = None


class Fork(Answer):
    """A fork; the tenant keeps no note of it."""

    repo_name: str
    remote_url: str
    object_count: int
    written_to: Annotated[str | None, Field(description="File with the address that may hold a credential.")] = None


class Credential(Answer):
    """A Git credential: which files hold it."""

    token_id: str
    scope: str
    expires_at: str
    token_file: str
    clone_url_file: Annotated[str, Field(description="The tenant's guess at host; if it fails, use remote_url.")]
    remote_url: str


class Forked(Answer):
    """What we read of a fork (contract schema ArtifactFork)."""

    fork: Live
    object_count: int
    remote_url: str


class Minted(Answer):
    """What we read of a token (contract schema ArtifactsToken)."""

    token_id: str
    token: str
    scope: str
    expires_at: str
    clone_url: str


def bare(url: str) -> str:
    """An address without user, password, query and fragment; empty when it is none."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return ""


def repository(info: Info, note: str | None = None) -> Repository:
    """A repository as we tell it."""
    return Repository(
        repo_name=info.artifact.cf_repo_name,
        remote_url=bare(info.artifact.remote_url),
        description=info.artifact.description,
        read_only=info.cf_repo.read_only if info.cf_repo else None,
        service=info.cf_status,
        note=note or info.cf_error or None,
    )


async def linked(tenant: Tenant, workspace_id: str) -> Info | None:
    """The repository of a workspace, or None.

    Raises: TenantRefused 503 when the tenant has no such service.
    """
    try:
        return await tenant.read("/workspaces/{id}/artifacts", Info, id=workspace_id)
    except TenantRefused as error:
        if error.status == 404:
            return None
        raise


async def own(tenant: Tenant, workspace_id: str) -> Info:
    """The repository of a workspace.

    Raises: ArgumentError when it has none.
    """
    info = await linked(tenant, workspace_id)
    if info is None:
        raise ArgumentError("the workspace has no repository", advice="attach_artifacts_repo makes or imports one.")
    return info


@family.tool(Risk.READ, sends=[LINK, WORKSPACE], title="Read a workspace's Git repository", open_world=True)
async def get_artifacts_repo(tenant: Tenant, workspace_id: WorkspaceId) -> Repository:
    """Read which Git repository is linked to a workspace, and whether its service answers."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers alike for ids it never issued
    return repository(await own(tenant, workspace_id))


def checked_source(import_url: str) -> None:
    """Raises: ArgumentError for an address that is not https, or that could hold a credential."""
    if import_url and (not import_url.startswith("https://") or bare(import_url) != import_url):
        raise ArgumentError("import_url must be a plain https address, without user, password, query or fragment")


def pushes(read_only: bool) -> Own:
    """Whether a new repository takes pushes, for a person's eyes."""
    return Own("nobody may: it is read-only" if read_only else "allowed")


async def what_is_attached(
    tenant: Tenant,
    workspace_id: str,
    name: str = "",
    description: str = "",
    import_url: str = "",
    import_branch: str = "",
    import_depth: int = 0,
    read_only: bool = False,
) -> Preview:
    """Which repository is made or imported."""
    checked_source(import_url)
    storable(description=description, import_branch=import_branch)
    workspace = await one(tenant, workspace_id)
    if await linked(tenant, workspace_id):
        raise ArgumentError("the workspace has a repository already, and no route unlinks it")
    history = f"{import_depth} commits" if import_depth else "full history"
    branch = f"branch {exactly(import_branch)}" if import_branch else "default branch"
    source = Own(f"{exactly(import_url)}, {branch}, {history}") if import_url else Own("nowhere: it is empty")
    given = {
        "name": name, "description": description, "import_url": import_url, "import_branch": import_branch,
        "import_depth": import_depth, "read_only": read_only,
    }  # fmt: skip
    return Preview(
        headline=Own(f"{'Import' if import_url else 'Create'} 1 Git repository for 1 workspace"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Name", quoted(name or f"molecule-ws-{workspace.id}", 64)),
            Fact("Imported from", source),
            Fact("Pushes to it", pushes(read_only)),
            Fact("Description", lines(description)),
            Fact("Cannot be undone", Own(LASTS)),
        ),
        items=(Item({"workspace_id": workspace_id, **given}, {"name": workspace.name}),),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/artifacts", LINK, WORKSPACE],
    title="Attach artifacts repo",
    preview=what_is_attached,
    idempotent=False,
    open_world=True,
)
async def attach_artifacts_repo(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    name: Annotated[str, Field(pattern=f"^$|{NAME}", description="Empty: molecule-ws-<id>.")] = "",
    description: Description = "",
    import_url: Annotated[str, Field(max_length=500, description="https address to import; empty: none.")] = "",
    import_branch: Annotated[str, Field(max_length=200, description="Empty: the default one.")] = "",
    import_depth: Annotated[int, Field(ge=0, le=1_000_000, description="Commits; 0 is full history.")] = 0,
    read_only: ReadOnly = False,
) -> Repository:
    """Create or import a Git repository at the outside service and link it to a workspace, for good."""
    given: dict[str, Any] = {
        "name": name, "description": description, "import_url": import_url, "import_branch": import_branch,
        "import_depth": import_depth, "read_only": read_only,
    }  # fmt: skip
    body = {field: value for field, value in given.items() if value}
    try:
        await tenant.send("POST", "/workspaces/{id}/artifacts", Link, id=workspace_id, body=body)
    except TenantError as error:
        if error.sent != "unknown":
            raise
        return await linked_after_all(tenant, workspace_id, error)
    try:
        return repository(await own(tenant, workspace_id))
    except MoleculeError as error:
        raise TenantUnreadable(f"The tenant accepted it; reading back failed: {error.message}", sent=True) from error


async def linked_after_all(tenant: Tenant, workspace_id: str, failure: TenantError) -> Repository:
    """The repository after a request that ended in an error.

    Raises: the request's own error when none is linked or that cannot be read; one may exist unlinked then.
    """
    try:
        info = await linked(tenant, workspace_id)
    except TenantError as error:
        raise failure from error
    if info is None:
        failure.advice = "It is not linked, but may exist at the outside service; use another name to try again."
        raise failure
    return repository(info, "The tenant answered with an error, yet the repository is linked.")


async def what_is_forked(
    tenant: Tenant,
    workspace_id: str,
    name: str,
    description: str = "",
    read_only: bool = False,
    default_branch_only: bool = False,
) -> Preview:
    """What is copied."""
    storable(description=description)
    workspace = await one(tenant, workspace_id)
    info = await own(tenant, workspace_id)
    given = {"description": description, "read_only": read_only, "default_branch_only": default_branch_only}
    return Preview(
        headline=Own("Fork 1 Git repository at the outside service"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Repository", quoted(info.artifact.cf_repo_name, 64)),
            Fact("Fork", quoted(name, 64)),
            Fact("Pushes to it", pushes(read_only)),
            Fact("Copies", Own("its default branch" if default_branch_only else "all branches")),
            Fact("Description", lines(description)),
            Fact("Cannot be undone", Own(f"{LASTS}, and the tenant keeps no note of it")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "name": name, **given},
                {"workspace": workspace.name, "repo": info.artifact.cf_repo_name},
            ),
        ),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/artifacts/fork", LINK, WORKSPACE],
    title="Fork artifacts repo",
    preview=what_is_forked,
    idempotent=False,
    open_world=True,
)
async def fork_artifacts_repo(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    name: RepoName,
    description: Description = "",
    read_only: ReadOnly = False,
    default_branch_only: Annotated[bool, Field(description="Leave other branches out.")] = False,
) -> Fork:
    """Copy a workspace's Git repository at the outside service; note the answer: nothing lists forks."""
    outputs.ready()
    given = {"description": description, "read_only": read_only, "default_branch_only": default_branch_only}
    body = {"name": name, **{field: value for field, value in given.items() if value}}
    made = await tenant.send("POST", "/workspaces/{id}/artifacts/fork", Forked, id=workspace_id, body=body)
    address = made.fork.remote_url
    return Fork(
        repo_name=made.fork.name,
        remote_url=bare(made.remote_url),
        object_count=made.object_count,
        written_to=outputs.write("artifacts-fork", name, address) if address else None,
    )


async def what_is_opened(tenant: Tenant, workspace_id: str, scope: str = "read", ttl: int = 3600) -> Preview:
    """What a credential opens, and for how long."""
    workspace = await one(tenant, workspace_id)
    info = await own(tenant, workspace_id)
    return Preview(
        headline=Own("Mint 1 Git credential"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Repository", quoted(info.artifact.cf_repo_name, 64)),
            Fact("Opens it to", Own(f"{scope} for {ttl} seconds, to whoever holds it; it goes to an output file")),
            Fact("Cannot be undone", Own("no tool revokes it; it ends by itself")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "scope": scope, "ttl": ttl},
                {"workspace": workspace.name, "repo": info.artifact.cf_repo_name},
            ),
        ),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /workspaces/{id}/artifacts/token", LINK, WORKSPACE],
    title="Mint a Git credential",
    preview=what_is_opened,
    idempotent=False,
    open_world=True,
)
async def create_artifacts_token(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    scope: Annotated[Literal["read", "write"], Field(description="What it allows.")] = "read",
    ttl: Annotated[int, Field(ge=1, le=WEEK, description="Seconds it lives.")] = 3600,
) -> Credential:
    """Mint a Git credential for a workspace's repository into files; the answer says where."""
    outputs.ready()
    info = await own(tenant, workspace_id)
    body = {"scope": scope, "ttl": ttl}
    minted = await tenant.send("POST", "/workspaces/{id}/artifacts/token", Minted, id=workspace_id, body=body)
    return Credential(
        token_id=minted.token_id,
        scope=minted.scope,
        expires_at=minted.expires_at,
        token_file=outputs.write("artifacts-token", minted.token_id, minted.token),
        clone_url_file=outputs.write("artifacts-clone-url", minted.token_id, minted.clone_url),
        remote_url=bare(info.artifact.remote_url),
    )
