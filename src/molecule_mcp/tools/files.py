"""Files of a workspace: listed, read, and written after the former content was stored.

Contract: list_files, read_file, write_file, replace_files, get_shared_context. Without a running container reads show a
template that has the workspace's name, and a bulk write may change that template. What stands in the container is read
byte for byte through download_chat_file, the only route that says when there is none.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, FromPerson, Item, Own, Preview, Risk, exactly, lines
from molecule_mcp.cleaning import clean
from molecule_mcp.errors import ArgumentError, GateStop, TenantRefused, TenantUnreadable
from molecule_mcp.secrets import Outputs, Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.agent_code import FACT, brings_code, installed
from molecule_mcp.tools.containers import NOT_RUNNING, silent
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tables import fitting
from molecule_mcp.tools.texts import addressable, cut
from molecule_mcp.tools.workspaces import Row, counted

family = Family("files")

LIST = "GET /workspaces/{id}/files"
READ = "GET /workspaces/{id}/files/{path}"
EXACT = "GET /workspaces/{id}/chat/download"
WORKSPACE = "GET /workspaces/{id}"
TENANT_CUT = 5 << 20
"""Bytes after which the tenant cuts a file that it shows as text."""
SHARED = 4000
"""Characters that are shown of each shared file."""
LONGEST, LONGEST_TOGETHER = 200_000, 1_000_000
"""Characters of one file, and of all files of a bulk write."""
MASK = "[redacted:"
"""How a masked secret begins."""
ABSENT = ".molecule-mcp-absent"
"""A file that no container has."""
LATER = "Takes effect at the workspace's next restart."

a_path = addressable("/workspaces/{id}/files/{path}", "path")

Root = Annotated[Literal["/configs", "/workspace", "/home", "/plugins"], Field(description="Folder it is below.")]
FilePath = Annotated[str, AfterValidator(a_path), Field(description="Relative path: skills/x/SKILL.md")]
Content = Annotated[str, Field(max_length=LONGEST, description="Its new text.")]
Unkept = Annotated[bool, FromPerson()]
"""Set by the question alone: the person saw that the former content cannot be stored."""


class Entry(Answer):
    """What we read of a listed file (contract schema FileEntry)."""

    path: Text
    size: int
    dir: bool


class Files(Answer):
    """Files by path and size; a folder's path ends with a slash and its size is 0."""

    files: list[list[Any]]
    left_out: int
    note: str | None = None


class Stored(Answer):
    """What we read of a file."""

    path: str
    content: str
    size: int


class FileText(Answer):
    """A file's text, or that it is none; written by agents and outsiders, and it may hold secrets."""

    content: str | None = None
    size: Annotated[int, Field(description="Bytes after trimming.")]
    binary: bool | None = None
    masked: Annotated[bool | None, Field(description="Known secrets are masked; do not write this text back.")] = None
    next_offset: int | None = None
    note: str | None = None


class Shared(Answer):
    """One shared file."""

    path: Text
    content: str
    cut: bool | None = None


class SharedContext(Answer):
    """The files that a workspace shares with its team, cut at 4000 characters; they may hold secrets."""

    files: list[Shared]
    note: str | None = None


class Written(Answer):
    """What was written; `former` says what stood there: a file with the old content, "none", or "not stored"."""

    former: dict[str, str]
    seen: Annotated[bool, Field(description="Whether it was read back from the container.")]
    source: str | None = None
    note: str


class Replaced(Answer):
    """What we read of the answer to a bulk write."""

    files: int
    source: str


def foreign(tenant: Tenant, row: Row) -> str | None:
    """What an answer is marked with when it may not be the workspace's own."""
    why = silent(tenant, row)
    return why and f"Not its own files: {why}, so the tenant shows a template of the workspace's name, if any."


@family.tool(Risk.READ, sends=[LIST, WORKSPACE], title="List files")
async def list_files(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    root: Root = "/configs",
    path: Annotated[str, AfterValidator(lambda text: text and a_path(text)), Field(description="Subfolder.")] = "",
    depth: Annotated[int, Field(ge=1, le=5, description="Levels below it.")] = 1,
    limit: Annotated[int, Field(ge=1, le=1000, description="Entries at most.")] = 200,
) -> Files:
    """List a folder of a workspace's container."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    query: dict[str, str | int] = {"root": root, "depth": depth} | ({"path": path} if path else {})
    found = await tenant.read("/workspaces/{id}/files", list[Entry], id=workspace_id, query=query)
    told: list[list[str | int]] = [[f"{each.path}/", 0] if each.dir else [each.path, each.size] for each in found]
    fit = fitting(told[:limit])
    return Files(files=fit, left_out=len(told) - len(fit), note=foreign(tenant, row))


@family.tool(Risk.READ, sends=[READ, WORKSPACE], title="Read a file")
async def read_file(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: WorkspaceId,
    path: FilePath,
    root: Root = "/configs",
    offset: Annotated[int, Field(ge=0, description="`next_offset` of the part before.")] = 0,
    limit: Annotated[int, Field(ge=1, le=50_000, description="Characters at most.")] = 20_000,
) -> FileText:
    """Read a text file, trimmed at both ends by the tenant; what the container lacks may come from a template."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    query = {"root": root}
    found = await tenant.read("/workspaces/{id}/files/{path}", Stored, id=workspace_id, path=path, query=query)
    note = foreign(tenant, row)
    if "\x00" in found.content or "\ufffd" in found.content:
        return FileText(size=found.size, binary=True, note=note or "No text; download_chat_file keeps its bytes.")
    if found.size >= TENANT_CUT:
        note = f"{note or ''} The tenant shows the first 5 MiB; download_chat_file gets up to 32.".strip()
    safe = secrets.masked(found.content)
    text = clean(safe)
    end = offset + limit
    if offset and offset >= len(text):
        note = f"{note or ''} offset is past the end: the text has {len(text)} characters.".strip()
    return FileText(
        content=text[offset:end],
        size=found.size,
        masked=True if safe != found.content else None,
        next_offset=end if end < len(text) else None,
        note=note,
    )


@family.tool(Risk.READ, sends=["GET /workspaces/{id}/shared-context", WORKSPACE], title="Read shared context")
async def get_shared_context(tenant: Tenant, secrets: Secrets, workspace_id: WorkspaceId) -> SharedContext:
    """Read the files that a workspace shares with its team; unreadable ones are left out unsaid."""
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    told: list[Shared] = []
    for each in await tenant.read("/workspaces/{id}/shared-context", list[Shared], id=workspace_id):
        content, short = cut(clean(secrets.masked(each.content)), SHARED)
        told.append(Shared(path=each.path, content=content, cut=short))
    return SharedContext(files=told, note=foreign(tenant, row))


async def content_of(tenant: Tenant, workspace_id: str, path: str) -> bytes | None:
    """The exact content of a file below /configs of the running container; None when it has no such file.

    Raises: TenantRefused 503 when no container runs.
    """
    query = {"path": f"/configs/{path}"}
    try:
        return await tenant.read("/workspaces/{id}/chat/download", bytes, id=workspace_id, query=query)
    except TenantRefused as error:
        if error.status == 404:
            return None
        raise


async def contents(tenant: Tenant, workspace_id: str, paths: Mapping[str, str]) -> dict[str, bytes | None] | None:
    """The exact contents of several files; None when no container runs, so that nothing can be known of them."""
    try:
        return {path: await content_of(tenant, workspace_id, path) for path in paths}
    except TenantRefused as error:
        if error.status == 503 and error.body == {"error": NOT_RUNNING}:
            return None
        raise


async def what_is_so(tenant: Tenant, workspace_id: str, files: dict[str, str]) -> dict[str, bool]:
    """Live facts: whether no container runs, so that the former content cannot be stored; whether code is installed."""
    lacking = await contents(tenant, workspace_id, {ABSENT: ""}) is None
    return {"no_container": lacking, **await brings_code(tenant, files)}


async def what_is_so_of_one(tenant: Tenant, workspace_id: str, path: str, **_: Any) -> dict[str, bool]:
    """The same of one file."""
    return await what_is_so(tenant, workspace_id, {path: ""})


def refuse_unfit(files: Mapping[str, str]) -> None:
    """Raises: ArgumentError for text that holds a mask, which would take the place of a secret, or is too much."""
    if any(MASK in content for content in files.values()):
        raise ArgumentError(
            "the text holds a masked secret; written back, the mask would take the secret's place",
            advice="Write a text without [redacted:...], or set the secret with set_workspace_secret.",
        )
    if sum(map(len, files.values())) > LONGEST_TOGETHER:
        raise ArgumentError(f"the files are longer than {LONGEST_TOGETHER} characters together")


async def stored_first(
    tenant: Tenant, outputs: Outputs, workspace_id: str, files: Mapping[str, str], unkept: bool
) -> dict[str, str]:
    """Store what is about to be overwritten, and say where, by path.

    Raises: GateStop when nothing would change, and when it cannot be read and no person has seen that.
    """
    refuse_unfit(files)
    before = await contents(tenant, workspace_id, files)
    if before is None:
        if not unkept:
            raise GateStop(
                "stale_plan",
                "The container stopped answering, so the former content cannot be stored; nothing was sent.",
                advice="Call again: a person is then shown that it cannot be kept.",
            )
        return dict.fromkeys(files, "not stored")
    if all(before[path] == content.encode() for path, content in files.items()):
        raise GateStop("nothing_to_do", "That is already what stands there; nothing was sent.")
    outputs.ready()
    told: dict[str, str] = {}
    for path, content in before.items():
        kept = content is not None and content != files[path].encode()
        told[path] = outputs.keep(formers.KIND, f"{workspace_id[:8]}-{path}", content or b"") if kept else "none"
    return told


async def seen(tenant: Tenant, workspace_id: str, files: Mapping[str, str]) -> bool:
    """Whether the container shows what was written; False when none runs.

    Raises: TenantUnreadable with `sent` true when it shows something else, or cannot be read.
    """
    with reading_back():
        after = await contents(tenant, workspace_id, files)
    if after is not None and any(after[path] != content.encode() for path, content in files.items()):
        raise TenantUnreadable("The tenant said it wrote the files, but shows another content.", sent=True)
    return after is not None


async def what_is_overwritten(tenant: Tenant, workspace_id: str, files: dict[str, str]) -> Preview:
    """What several files become, and what stands there now."""
    refuse_unfit(files)
    row, before = await one(tenant, workspace_id), await contents(tenant, workspace_id, files)
    unkept = before is None
    risk = (
        "no container runs: what stands there cannot be read and IS NOT STORED, and without Docker the files go into "
        "the template of this workspace's name, for every later workspace of it"
        if unkept
        else "the former content is stored in files first"
    )
    return Preview(
        headline=Own(f"Write {counted(len(files), 'file')} of 1 workspace"),
        facts=(
            Fact("Workspace", shown(row)),
            Fact("Files", tuple(line(before, path, content) for path, content in files.items())),
            *installed(files),
            *(Fact("New content", lines(content)) for content in files.values()),
            Fact("Effect", Own(f"{risk}; it counts from the next restart")),
        ),
        items=(
            Item(
                {"workspace_id": workspace_id, "files": files, "unkept": unkept},
                {"workspace": row.name, "before": {path: short(before, path) for path in files}},
            ),
        ),
        target=(row.name, row.id),
        touches=frozenset({row.id}),
    )


def line(before: Mapping[str, bytes | None] | None, path: str, content: str) -> Own:
    """One file for a person."""
    return Own(f"{exactly(f'/configs/{path}')}, {len(content.encode())} bytes, {now(before, path)}")


def now(before: Mapping[str, bytes | None] | None, path: str) -> str:
    """What stands at a path, for a person."""
    if before is None:
        return "unknown now"
    content = before[path]
    return "new" if content is None else f"{len(content)} bytes now"


def short(before: Mapping[str, bytes | None] | None, path: str) -> str | None:
    """A stable fact of a content, too short to guess the content from."""
    content = None if before is None else before[path]
    return sha256(content).hexdigest()[:8] if content else None


async def what_one_becomes(tenant: Tenant, workspace_id: str, path: str, content: str = "") -> Preview:
    """What one file becomes, and what stands there now."""
    preview = await what_is_overwritten(tenant, workspace_id, {path: content})
    (item,) = preview.items
    arguments = {"workspace_id": workspace_id, "path": path, "content": content, "unkept": item.arguments["unkept"]}
    return Preview(preview.headline, preview.facts, (Item(arguments, item.facts),), preview.target, preview.touches)


@family.tool(
    Risk.DISRUPT,
    sends=["PUT /workspaces/{id}/files/{path}", EXACT, WORKSPACE],
    title="Write a file",
    preview=what_one_becomes,
    raised_by_fact={"no_container": Risk.DESTROY, FACT: Risk.CRITICAL},
    facts=what_is_so_of_one,
)
async def write_file(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    path: FilePath,
    content: Content = "",
    unkept: Unkept = False,
) -> Written:
    """Write a file below /configs after storing its old content; nothing deletes files."""
    files = {path: content}
    told = await stored_first(tenant, outputs, workspace_id, files, unkept)
    route = "/workspaces/{id}/files/{path}"
    with formers.naming(former=told):
        await tenant.send("PUT", route, dict[str, Any], id=workspace_id, path=path, body={"content": content})
        return Written(former=told, seen=await seen(tenant, workspace_id, files), note=LATER)


@family.tool(
    Risk.DISRUPT,
    sends=["PUT /workspaces/{id}/files", EXACT, WORKSPACE],
    title="Write several files",
    preview=what_is_overwritten,
    raised_by_fact={"no_container": Risk.DESTROY, FACT: Risk.CRITICAL},
    facts=what_is_so,
)
async def replace_files(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    files: Annotated[dict[FilePath, Content], Field(min_length=1, max_length=50, description="Content by path.")],
    unkept: Unkept = False,
) -> Written:
    """Write several files below /configs after storing their old content; others stay."""
    told = await stored_first(tenant, outputs, workspace_id, files, unkept)
    with formers.naming(former=told):
        answer = await tenant.send("PUT", "/workspaces/{id}/files", Replaced, id=workspace_id, body={"files": files})
        if answer.source == "template":
            note = "Written into a shared template: every later workspace of it gets these files, and this one may not."
            return Written(former=told, seen=False, source=answer.source, note=note)
        return Written(former=told, seen=await seen(tenant, workspace_id, files), source=answer.source, note=LATER)
