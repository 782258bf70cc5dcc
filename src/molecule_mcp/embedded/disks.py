"""What a container has on its disk below the four folders that the tenant shows, and how files are looked up there."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from molecule_mcp.embedded import folders
from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.plugin_registry import REGISTRY

ROOTS = ("/configs", "/workspace", "/home", "/plugins")
HIDDEN = {".git", "__pycache__", "node_modules", ".DS_Store"}


def disk(db: Database, row: sqlite3.Row, root: str) -> dict[str, bytes]:
    """The files of a running container below a root, by their path there."""
    if root == "/configs":
        return folders.container_contents(db, row)
    sql = "SELECT path, content FROM disk_files WHERE workspace_id = ? AND root = ? ORDER BY path"
    found: dict[str, bytes] = {each["path"]: each["content"] for each in db.rows(sql, row["id"], root)}
    if root == "/plugins":
        names = db.rows("SELECT name FROM installed_plugins WHERE workspace_id = ?", row["id"])
        found |= {f"{each['name']}/plugin.yaml": REGISTRY[each["name"]].manifest.encode() for each in names}
    return found


def put(db: Database, workspace_id: str, root: str, path: str, content: bytes) -> None:
    """Write a file below any root but /configs.

    Raises:
        StorageError: No such workspace, or a name with a NUL character.
    """
    sql = "INSERT OR REPLACE INTO disk_files (workspace_id, root, path, content) VALUES (?, ?, ?, ?)"
    db.run(sql, workspace_id, root, path, content)


def relative(path: str) -> bool:
    """Whether a path stays below the folder it is meant for."""
    return not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))


def entries(files: Mapping[str, bytes], folder: str, depth: int, folder_size: int) -> list[dict[str, Any]]:
    """A listing (contract schema FileEntry), paths relative to the folder, folders before what is in them."""
    start = f"{folder}/" if folder else ""
    found: dict[str, dict[str, Any]] = {}
    for full, content in files.items():
        parts = full.removeprefix(start).split("/")
        if not full.startswith(start) or HIDDEN & set(parts):
            continue
        for level in range(1, min(len(parts), depth + 1)):
            path = "/".join(parts[:level])
            found[path] = {"path": path, "size": folder_size, "dir": True}
        if len(parts) <= depth:
            path = "/".join(parts)
            found[path] = {"path": path, "size": len(content), "dir": False}
    return [found[path] for path in sorted(found)]
