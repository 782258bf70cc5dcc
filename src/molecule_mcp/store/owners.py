"""Which processes that wrote intents are still alive, by a lock that ends with its process.

Each store that claims holds an exclusive lock on a file of its own under `owners/`, from before its first intent until
it is closed or its process dies, however it dies. The lock is SQLite's own, so it is the same on every system and not
fooled by a reused process number. `Owner.hold` and `survey` run inside a write transaction of the store, so that making
a lock and testing it never overlap. A file that is gone means an owner that is gone.
"""

import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from molecule_mcp.errors import StoreError
from molecule_mcp.store import files
from molecule_mcp.store.database import connect


class Owner:
    """This store's own mark and lock; `name` stands in each of its intents."""

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(16)
        self._path = folder / "owners" / self.name
        self._lock: sqlite3.Connection | None = None

    def hold(self) -> None:
        """Take the lock, once. Raises StoreError when it is not to be had, else what the disk says."""
        if self._lock is None:
            files.own_folder(self._path.parent)
            files.create(self._path, b"")
            self._lock = locked(self._path)
        if self._lock is None:
            raise StoreError("this process could not mark its intents as its own")

    def leave(self) -> None:
        """Give the lock up: whatever this store left open is for others to recover."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            with suppress(OSError):
                self._path.unlink()


def locked(path: Path) -> sqlite3.Connection | None:
    """A connection that holds a file's lock as long as it is open; None when it is not to be had."""
    try:
        sql = connect(path, busy=0)
    except sqlite3.Error:
        return None
    try:
        # In memory, since a journal beside the file would outlive a killed process.
        sql.execute("PRAGMA journal_mode = MEMORY")
        sql.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        sql.close()
        return None
    return sql


def survey(folder: Path) -> tuple[set[str], list[Path]]:
    """Who lives, and the files of those who do not. Any doubt counts as living."""
    living: set[str] = set()
    left: list[Path] = []
    for path in sorted((folder / "owners").glob("*")):
        lock = locked(path)
        if lock is None and path.exists():
            living.add(path.name)
        else:
            left.append(path)
        if lock is not None:
            lock.close()
    return living, left
