"""A store on a folder of the test's own, and a disk that is full."""

import resource
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

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
