"""One SQLite connection, with the refusals of the tenant's own database.

What that one could not store or compare (a NUL character, a malformed UUID, a broken reference) is a StorageError
here too; handlers turn it into the status that the contract names.
"""

import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from molecule_mcp.embedded.schema import SCHEMA

UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class StorageError(Exception):
    """The database refused a value or a statement; nothing of that statement was stored."""


class Database:
    """A connection in autocommit mode; `transaction` groups statements.

    Args:
        path: The file, made when missing; None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.executescript(SCHEMA)
        self.ended: Callable[[bool], None] = lambda _: None
        """Called after each transaction, with whether it was committed."""

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        return self._execute(sql, values).fetchone()

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; how many rows it touched."""
        return self._execute(sql, values).rowcount

    def insert(self, table: str, **columns: Any) -> None:
        """Insert one row."""
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *columns.values())

    @property
    def begun(self) -> bool:
        """Whether a tenant has used this database before."""
        return self.rows("PRAGMA user_version")[0][0] != 0

    def begin(self) -> None:
        """Mark the database as used, together with the transaction that is open."""
        self.run("PRAGMA user_version = 1")

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Commit what happens inside, or nothing of it when an exception leaves."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            self.ended(False)
            raise
        self.connection.execute("COMMIT")
        self.ended(True)

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Inside a transaction, undo what happens inside when an exception leaves."""
        self.connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            raise
        finally:
            self.connection.execute("RELEASE part")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _execute(self, sql: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        if any(isinstance(value, str) and "\x00" in value for value in values):
            raise StorageError("text holds a NUL character")
        try:
            return self.connection.execute(sql, values)
        except sqlite3.IntegrityError as broken:
            raise StorageError(str(broken)) from broken


def uid(text: str) -> str:
    """A UUID in the form that rows hold.

    Raises:
        StorageError: It is none.
    """
    if not UUID_TEXT.fullmatch(text):
        raise StorageError("not a UUID")
    return text.lower()
