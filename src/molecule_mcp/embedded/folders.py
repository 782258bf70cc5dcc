"""The folders of templates, and the files of running containers.

A workspace template is a folder with a config.yaml, an organization template one with an org.yaml. Contents are
bytes: a file of the tenant's may hold what its database may not.
"""

import sqlite3
from typing import Any, Literal, cast

from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.yaml_text import BadYaml, load

Kind = Literal["workspace", "org"]
CONFIG = "config.yaml"


def folders(db: Database, kind: Kind) -> list[str]:
    """The names of all folders of a kind, in order."""
    return [
        row["folder"] for row in db.rows("SELECT DISTINCT folder FROM folders WHERE kind = ? ORDER BY folder", kind)
    ]


def contents(db: Database, kind: Kind, folder: str) -> dict[str, bytes]:
    """Every file of a folder by its path, as it is; none for a folder that is not there."""
    sql = "SELECT path, content FROM folders WHERE kind = ? AND folder = ? ORDER BY path"
    return {row["path"]: row["content"] for row in db.rows(sql, kind, folder)}


def files(db: Database, kind: Kind, folder: str) -> dict[str, str]:
    """The same as text."""
    return {path: content.decode("utf-8", "replace") for path, content in contents(db, kind, folder).items()}


def write(db: Database, kind: Kind, folder: str, path: str, content: str) -> None:
    """Write one file.

    Raises:
        StorageError: A name with a NUL character.
    """
    sql = "INSERT OR REPLACE INTO folders (kind, folder, path, content) VALUES (?, ?, ?, ?)"
    db.run(sql, kind, folder, path, content.encode())


def config(db: Database, folder: str) -> dict[str, Any] | None:
    """What the config.yaml of a workspace template says; None without one, or with a broken one."""
    text = files(db, "workspace", folder).get(CONFIG)
    try:
        value = None if text is None else load(text)
    except BadYaml:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def namesake(db: Database, workspace_name: str) -> str | None:
    """The folder of the template that stands for a workspace without a container: by its name or its config's."""
    for folder in folders(db, "workspace"):
        if folder == workspace_name or (config(db, folder) or {}).get("name") == workspace_name:
            return folder
    return None


def runs(row: sqlite3.Row) -> bool:
    """Whether a workspace has a running container of the tenant's."""
    return row["status"] in {"online", "degraded"} and row["runtime"] != "external"


def container_contents(db: Database, row: sqlite3.Row) -> dict[str, bytes]:
    """The files below /configs of a container by path, as they are; a config.yaml is always there."""
    sql = "SELECT path, content FROM container_files WHERE workspace_id = ? ORDER BY path"
    own: dict[str, bytes] = {each["path"]: each["content"] for each in db.rows(sql, row["id"])}
    return {CONFIG: f"name: {row['name']}\nruntime: {row['runtime']}\ntier: {row['tier']}\n".encode(), **own}


def container_files(db: Database, row: sqlite3.Row) -> dict[str, str]:
    """The same as text."""
    return {path: content.decode("utf-8", "replace") for path, content in container_contents(db, row).items()}


def write_container(db: Database, workspace_id: str, path: str, content: str) -> None:
    """Write one file of a container.

    Raises:
        StorageError: No such workspace, or a name with a NUL character.
    """
    sql = "INSERT OR REPLACE INTO container_files (workspace_id, path, content) VALUES (?, ?, ?)"
    db.run(sql, workspace_id, path, content.encode())
