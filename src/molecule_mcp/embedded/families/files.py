"""Files of a workspace: listed, read and written, in its container or in what stands in for one.

Without a running container reads show the template that has the workspace's name. A single write goes to the volume
through a helper, or fails without Docker; a bulk write then goes into that template. Hosted ones are written over SSH.
"""

import sqlite3
from typing import Any, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth, folders
from molecule_mcp.embedded.bodies import decode, text, texts
from molecule_mcp.embedded.calls import Call, Refusal, answer, number_in, refusing
from molecule_mcp.embedded.containers import running
from molecule_mcp.embedded.disks import ROOTS, disk, entries, relative
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.yaml_text import BadYaml, load

MOST_FILES = 200
CUT = 5 << 20
FOLDER_SIZE = 4096
BAD_BODY = "invalid request body"
NO_DOCKER = (
    "failed to write file: failed to create ephemeral container: Cannot connect to the Docker daemon at "
    "unix:///var/run/docker.sock. Is the docker daemon running?"
)


def list_files(call: Call) -> Response:
    """One folder of the container, or of the template that stands in for it."""
    root = _root(call)
    folder = call.query.get("path", "")
    if folder and not relative(folder):
        raise Refusal(400, "invalid path")
    depth = number_in(call.query.get("depth", "1"))
    if depth is None or not 1 <= depth <= 5:
        raise Refusal(400, "depth must be 1-5")
    row = _workspace(call)
    if running(call):
        return answer(entries(disk(call.db, row, root), folder, depth, 0))
    return answer(entries(_template(call, row) or {}, folder, depth, FOLDER_SIZE))


def read_file(call: Call) -> Response:
    """A file as text; the template is asked for what the container lacks."""
    root, path = _root(call), _path(call)
    row = _workspace(call)
    if running(call):
        content = disk(call.db, row, root).get(path)
        if content is not None:
            return _file(path, content[:CUT].strip())
    template = _template(call, row)
    if template is None and not running(call):
        raise Refusal(404, "file not found (container offline, no template)")
    content = (template or {}).get(path)
    if content is None:
        raise Refusal(404, "file not found")
    return _file(path, content)


def write_file(call: Call) -> Response:
    """Write one file below /configs, whatever the query says of a root."""
    path = _path(call)
    with refusing(400, BAD_BODY):
        content = decode(call.body, {"content": text}).get("content", "")
    row = _workspace(call)
    options = call.instance.options
    if not (options.docker or options.hosted):
        raise Refusal(500, NO_DOCKER)
    with refusing(500, "failed to write file: invalid argument"):
        folders.write_container(call.db, row["id"], path, content)
    return answer({"status": "saved", "path": path})


def replace_files(call: Call) -> Response:
    """Write some files, and leave all others; every path is checked first."""
    with refusing(400, BAD_BODY):
        given = decode(call.body, {"files": texts})
    files: dict[str, str] | None = given.get("files")
    if files is None:
        raise Refusal(400, BAD_BODY)
    if len(files) > MOST_FILES:
        raise Refusal(400, f"too many files ({len(files)}), max {MOST_FILES}")
    if not all(path and not path.startswith("/") and ".." not in path for path in files):
        raise Refusal(400, BAD_BODY)
    row = _workspace(call)
    source, folder = _target(call, row)
    with refusing(500, "failed to write files to workspace"), call.db.savepoint():
        for path, content in files.items():
            if folder is None:
                folders.write_container(call.db, row["id"], path, content)
            else:
                folders.write(call.db, "workspace", folder, path, content)
    return answer({"status": "replaced", "workspace": row["id"], "files": len(files), "source": source})


def delete_file(call: Call) -> Response:
    """Never works: the handler refuses the slash that the router puts in front of every path."""
    raise Refusal(400, "absolute paths not permitted")


def get_shared_context(call: Call) -> Response:
    """The files that config.yaml names as shared; what cannot be read is left out."""
    row = _workspace(call)
    files = disk(call.db, row, "/configs") if running(call) else _template(call, row) or {}
    try:
        config = load(files.get(folders.CONFIG, b"").decode("utf-8", "replace"))
    except BadYaml:
        config = None
    listed: Any = cast("dict[str, Any]", config).get("shared_context") if isinstance(config, dict) else None
    names = [name for name in cast("list[Any]", listed) if isinstance(name, str)] if isinstance(listed, list) else []
    return answer([{"path": name, "content": _shown(files[name])} for name in names if name in files])


def _target(call: Call, row: sqlite3.Row) -> tuple[str, str | None]:
    """Where a bulk write goes: its source as the answer names it, and the template's folder if it is that."""
    options = call.instance.options
    if options.hosted:
        return "ec2-ssh", None
    if options.docker:
        return ("container" if running(call) else "volume"), None
    folder = folders.namesake(call.db, row["name"])
    if folder is None:
        raise Refusal(500, "failed to write files to workspace")
    return "template", folder


def _root(call: Call) -> str:
    root = call.query.get("root") or ROOTS[0]
    if root not in ROOTS:
        raise Refusal(400, f"root must be one of: {', '.join(ROOTS)}")
    return root


def _path(call: Call) -> str:
    if not relative(call.path["path"]):
        raise Refusal(400, "invalid path")
    return call.path["path"]


def _workspace(call: Call) -> sqlite3.Row:
    row = find(call.db, call.path["id"].lower())
    if row is None:
        raise Refusal(404, "workspace not found")
    return row


def _template(call: Call, row: sqlite3.Row) -> dict[str, bytes] | None:
    folder = folders.namesake(call.db, row["name"])
    return None if folder is None else folders.contents(call.db, "workspace", folder)


def _file(path: str, content: bytes) -> Response:
    return answer({"path": path, "content": _shown(content), "size": len(content)})


def _shown(content: bytes) -> str:
    return content.decode("utf-8", "replace")


FILE = "/workspaces/{id}/files/{path...}"
ROUTES = [
    Route("GET", "/workspaces/{id}/shared-context", auth.workspace, get_shared_context),
    Route("GET", "/workspaces/{id}/files", auth.workspace, list_files),
    Route("PUT", "/workspaces/{id}/files", auth.workspace, replace_files),
    Route("GET", FILE, auth.workspace, read_file),
    Route("PUT", FILE, auth.workspace, write_file),
    Route("DELETE", FILE, auth.workspace, delete_file),
]
