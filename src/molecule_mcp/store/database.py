"""One SQLite file shared by processes and threads: opening and transactions.

Write-ahead log, fsync at every commit, one writer at a time. Writes and reads have a connection each, so a read on
the event loop never waits for a write in a worker thread. Anything that goes wrong inside a transaction closes its
connection, which rolls back; the next use opens a new one.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from molecule_mcp.errors import ConfigurationError, StoreError
from molecule_mcp.store import calls, chain, files, plans, questions, settlements
from molecule_mcp.store.chain import Key
from molecule_mcp.store.faults import faults

VERSION = 4
BUSY = 5.0
"""Seconds a write waits for other processes before it is refused."""

SCHEMA = """
CREATE TABLE intents (id TEXT PRIMARY KEY, owner TEXT NOT NULL, plan TEXT, answer TEXT, position INTEGER,
                      state TEXT NOT NULL, intent TEXT NOT NULL, call TEXT);
CREATE INDEX intents_by_call ON intents (call) WHERE call IS NOT NULL;
CREATE INDEX intents_open ON intents (owner) WHERE state = 'open';
"""

TABLES = "".join((plans.SCHEMA, SCHEMA, questions.SCHEMA, calls.SCHEMA, chain.SCHEMA, settlements.SCHEMA))


class Database:
    """`state.db` and `chain.key` in one folder; nothing is touched before the first use.

    Args:
        folder: Made with mode 0700 when missing.
        busy: Seconds to wait for another process's write.
    """

    def __init__(self, folder: Path, busy: float = BUSY) -> None:
        self.folder = folder
        self._path = folder / "state.db"
        self._busy = busy
        self._key: Key | None = None
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._closed = False

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """One transaction: committed durably when the block ends, undone when it raises.

        Raises: StoreError for any fault, with nothing written.
        """
        with self._write_lock, faults(self._path):
            self._writer = self._writer or self._connect()
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.close()
                self._writer = None
                raise

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """One consistent view. Raises StoreError for any fault."""
        with self._read_lock, faults(self._path):
            self._reader = self._reader or self._connect()
            try:
                self._reader.execute("BEGIN")
                yield self._reader
                self._reader.execute("COMMIT")
            except BaseException:
                self._reader.close()
                self._reader = None
                raise

    @contextmanager
    def scanning(self, text: type[str] | type[bytes] = str) -> Generator[sqlite3.Connection]:
        """One consistent view on a connection of its own, for reads that take long and may be left half-way.

        Args:
            text: What TEXT is read as; bytes reads whatever is stored.
        """
        with faults(self._path), closing(self._connect()) as sql:
            sql.text_factory = text
            sql.execute("BEGIN")
            yield sql

    def exists(self) -> bool:
        """Whether there is a file; nothing is made."""
        with faults(self._path):
            return files.own_file(self._path) is not None

    @property
    def key(self) -> Key:
        """The key beside the file, made together with it."""
        with faults(self._path):
            if self._key is None:
                self._prepare()
                self._key = Key.load(self.folder / "chain.key")
            return self._key

    def close(self) -> None:
        """Release the file; every later use is a StoreError."""
        with self._write_lock, self._read_lock:
            self._closed = True
            for sql in (self._writer, self._reader):
                if sql:
                    sql.close()
            self._writer = self._reader = None

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError("the store is closed")
        path = self._prepare()
        sql = connect(path, self._busy)
        try:
            sql.execute("PRAGMA synchronous = FULL")
            (version,) = sql.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                raise ConfigurationError(
                    f"{path} was made by another version of this program",
                    advice="Run that version, or move the whole state folder away to start a new one; export its audit "
                    "before with that version.",
                )
        except BaseException:
            sql.close()
            raise
        return sql

    def _prepare(self) -> Path:
        files.own_folder(self.folder)
        if files.own_file(self._path) is None:
            self._create(self._path)
        return self._path

    def _create(self, path: Path) -> None:
        """Build the database under another name and publish it whole, so that no process sees half a schema."""
        key = Key.ensure(self.folder / "chain.key")
        draft = files.beside(path)
        files.create(draft, b"")
        try:
            with closing(connect(draft, self._busy)) as sql:
                sql.execute("PRAGMA synchronous = FULL")
                sql.execute("PRAGMA journal_mode = WAL")
                sql.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION};")
                chain.begin(sql, key)
                sql.execute("COMMIT")
            files.publish(draft, path)
        finally:
            draft.unlink()


def connect(path: Path, busy: float) -> sqlite3.Connection:
    """A connection to an existing file that commits only when told to, for any one thread at a time."""
    # mode=rw: a file that vanished in between must not come back as an empty one.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        timeout=busy,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
