"""Files of chats: text given in the call goes into a container, any file of a container goes to an output.

Contract: upload_chat_files, download_chat_file. No file of this machine is uploaded: a model that was talked into it
would send away whatever it can name.
"""

import posixpath
from typing import Annotated

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import GateStop, TenantRefused, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Form, Tenant
from molecule_mcp.tools.containers import refused_without_container, silent
from molecule_mcp.tools.files import LIST, WORKSPACE, Content, Entry, refuse_unfit
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.workspaces import Row

family = Family("files")

ROOTS = ("configs", "workspace", "home", "plugins")
PREFIX = "workspace:"
UPLOADS = ".molecule/chat-uploads"


def an_absolute_path(text: str) -> str:
    """A path as the tenant takes it; the prefix that an upload's address has is dropped.

    Raises: ValueError for one that is not normal, or of no folder that the tenant shows.
    """
    path = text.removeprefix(PREFIX)
    parts = path.split("/")
    below = len(parts) > 2 and not parts[0] and parts[1] in ROOTS
    if not below or path != posixpath.normpath(path) or not path.isprintable():
        raise ValueError("is no path below a shown folder")
    return path


FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
AbsolutePath = Annotated[
    str,
    AfterValidator(an_absolute_path),
    Field(max_length=1024, description="Below /configs, /workspace, /home or /plugins; or an upload's uri."),
]


class Upload(Answer):
    """One stored file."""

    uri: Text
    name: Text
    size: int


class Uploaded(Answer):
    """What was stored, as read back; put each uri into a message."""

    files: list[Upload]


class Downloaded(Answer):
    """Where the file went; it may hold secrets and was written by an agent or an outsider."""

    written_to: Annotated[str, Field(description="A file on the server's machine; only its user can read it.")]
    size: int


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/chat/uploads", LIST, WORKSPACE],
    title="Upload chat files",
    idempotent=False,
)
async def upload_chat_files(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    files: Annotated[
        dict[FileName, Content], Field(min_length=1, max_length=20, description="Text by file name: notes.md")
    ],
) -> Uploaded:
    """Put texts as files onto a running workspace's disk, to name in a message; nothing removes them."""
    refuse_unfit(files)
    row = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    if why := silent(tenant, row):
        raise GateStop("nothing_to_do", f"Files cannot be stored there now: {why}; nothing was sent.")
    contents = {name: text.encode() for name, text in files.items()}
    try:
        stored = await tenant.send(
            "POST", "/workspaces/{id}/chat/uploads", Uploaded, id=workspace_id, body=Form("files", contents)
        )
    except TenantRefused as error:
        raise refused_without_container(error) from error
    query = {"root": "/workspace", "path": UPLOADS}
    with reading_back():
        there = await tenant.read("/workspaces/{id}/files", list[Entry], id=workspace_id, query=query)
    sizes = {f"{PREFIX}/workspace/{UPLOADS}/{each.path}": each.size for each in there}
    found = [sizes.get(each.uri) for each in stored.files]
    if found != [len(content) for content in contents.values()]:
        raise TenantUnreadable("The tenant said it stored the files, but does not show them all.", sent=True)
    return stored


@family.tool(Risk.READ, sends=["GET /workspaces/{id}/chat/download", WORKSPACE], title="Download a file")
async def download_chat_file(
    tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId, path: AbsolutePath
) -> Downloaded:
    """Write a file of a running workspace, up to 32 MiB, into a file on the server's machine."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # for an unknown id the tenant says "not running"
    outputs.ready()
    try:
        content = await tenant.read("/workspaces/{id}/chat/download", bytes, id=workspace_id, query={"path": path})
    except TenantRefused as error:
        raise refused_without_container(error) from error
    where = outputs.keep("download", f"{workspace_id[:8]}-{posixpath.basename(path)}", content)
    return Downloaded(written_to=where, size=len(content))
