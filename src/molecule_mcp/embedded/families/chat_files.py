"""Files of chats: uploaded into a running container, and downloaded from one byte for byte."""

import mimetypes
import posixpath
import re
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing, workspace_uid
from molecule_mcp.embedded.containers import container
from molecule_mcp.embedded.disks import ROOTS, disk, put
from molecule_mcp.embedded.multipart import Part, parts
from molecule_mcp.embedded.routing import Route

MOST, MOST_OF_ONE = 50 << 20, 25 << 20
FOLDER = ".molecule/chat-uploads"
ODD = re.compile(r"[^A-Za-z0-9._-]")


def upload_chat_files(call: Call) -> Response:
    """Store the parts named `files`; the form is read before the container is looked for."""
    workspace_uid(call)
    with refusing(400, "failed to parse multipart form"):
        if len(call.body) > MOST:
            raise BadBody("too large")
        given = [part for part in parts(call.headers.get("content-type", ""), call.body) if part.filename is not None]
    files = [part for part in given if part.name == "files"]
    if not files:
        raise Refusal(400, "expected at least one 'files' field")
    row = container(call)
    if any(len(part.content) > MOST_OF_ONE for part in files):
        raise Refusal(413, "file exceeds 25 MiB")
    return answer({"files": [_stored(call, row["id"], part) for part in files]})


def download_chat_file(call: Call) -> Response:
    """The bytes of one file below a shown folder."""
    workspace_uid(call)
    path = call.query.get("path", "")
    if not path:
        raise Refusal(400, "path query required")
    if not path.startswith("/"):
        raise Refusal(400, "path must be absolute")
    root = next((root for root in ROOTS if path == root or path.startswith(f"{root}/")), None)
    if root is None:
        raise Refusal(400, "path must be under /configs, /workspace, /home, or /plugins")
    if posixpath.normpath(path) != path:
        raise Refusal(400, "invalid path")
    content = disk(call.db, container(call), root).get(path.removeprefix(root)[1:])
    if content is None:
        raise Refusal(404, "file not found")
    name = posixpath.basename(path)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"content-type": kind, "content-disposition": f'attachment; filename="{ODD.sub("_", name)}"'}
    return Response(content, headers=headers)


def _stored(call: Call, workspace_id: str, part: Part) -> dict[str, Any]:
    name = ODD.sub("_", posixpath.basename(part.filename or ""))[:100] or "file"
    path = f"{FOLDER}/{call.instance.new_id().replace('-', '')}-{name}"
    put(call.db, workspace_id, "/workspace", path, part.content)
    told = {"uri": f"workspace:/workspace/{path}", "name": name, "size": len(part.content)}
    kind = mimetypes.guess_type(name)[0]
    return told | ({"mimeType": kind} if kind else {})


ROUTES = [
    Route("POST", "/workspaces/{id}/chat/uploads", auth.workspace, upload_chat_files),
    Route("GET", "/workspaces/{id}/chat/download", auth.workspace, download_chat_file),
]
