"""A store on a folder of the test's own, and a disk that is full."""

import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.store.making import PLAN, YES, plan

from molecule_mcp.store.sqlite import SqliteStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Generator[SqliteStore]:
    """A store that nothing was written to yet."""
    store = SqliteStore(folder)
    yield store
    store.close()


@pytest.fixture
def other(folder: Path) -> Generator[SqliteStore]:
    """A second store on the same file, as another process would have it."""
    with closing(SqliteStore(folder)) as other:
        yield other


@pytest.fixture
def granted(store: SqliteStore) -> SqliteStore:
    """A store with plan 1 allowed."""
    store.open_plan(plan())
    assert store.grant(PLAN, YES)
    return store


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many of the connections made since are open; none of them is closed by being forgotten alone."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def kept(*args: Any, **named: Any) -> sqlite3.Connection:
        made.append(connect(*args, **named))
        return made[-1]

    def is_open(sql: sqlite3.Connection) -> bool:
        try:
            return sql.total_changes >= 0
        except sqlite3.ProgrammingError:
            return False

    monkeypatch.setattr(sqlite3, "connect", kept)
    return lambda: sum(map(is_open, made))


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How durable each connection was at its end, with an SQLite that is not so unless it is told to be."""
    found: list[str] = []

    class Careless(sqlite3.Connection):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self.execute("PRAGMA synchronous = OFF")

        def close(self) -> None:
            level: int = self.execute("PRAGMA synchronous").fetchone()[0]
            found.append(("OFF", "NORMAL", "FULL")[level])
            super().close()

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Careless))
    return found


@contextmanager
def _full() -> Generator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """Inside it, the operating system refuses every byte written to a file."""
    return _full
