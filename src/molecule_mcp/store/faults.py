"""What went wrong with the durable record, as whoever called is told: nothing was written, and what helps.

Four kinds, since only two of them are helped by repeating the call: another process writes, the disk gives no room, the
file is damaged, and a defect of this program's own.
"""

import logging
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from molecule_mcp.errors import StoreError
from molecule_mcp.store.forms import DamagedError

logger = logging.getLogger(__name__)

_FAULTS = (sqlite3.Error, OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OWN = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE}  # fmt: skip


@contextmanager
def faults(path: Path) -> Generator[None]:
    """Let no fault of disk, SQLite, data or ours out but as StoreError; its text names the fault and holds no data.

    Args:
        path: The file that is read or written.
    """
    try:
        yield
    except DamagedError as exc:
        raise _damaged(path, str(exc)) from exc
    except _FAULTS as exc:
        raise _told(path, exc) from exc


def _told(path: Path, exc: Exception) -> StoreError:
    name = getattr(exc, "sqlite_errorname", type(exc).__name__)
    # SQLite's own names for one kind share the lowest byte; a text that is no UTF-8 has no number.
    code = getattr(exc, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind in _BUSY:
        return StoreError(f"another process is writing to the durable record ({name})", advice="Repeat the call.")
    if kind in _DAMAGED or str(exc) == "malformed JSON" or (code is None and isinstance(exc, sqlite3.OperationalError)):
        return _damaged(path, name)
    if kind in _OWN or (code is None and not isinstance(exc, OSError)):
        logger.error("a defect kept %s from being read or written", path.name, exc_info=exc)
        return StoreError(
            f"a defect of this program kept the durable record from being read or written ({name})",
            advice="Repeating the call does not help; a person finds the cause in the server's log.",
        )
    return StoreError(
        f"the durable record could not be read or written ({name})",
        advice="Make room on the disk and the state folder writable, then repeat the call.",
    )


def _damaged(path: Path, name: str) -> StoreError:
    return StoreError(
        f"{path} is damaged ({name})",
        advice="Repeating the call does not help. A person runs molecule-mcp audit verify and molecule-mcp doctor, and "
        "brings the state folder back from a copy or moves it away to start anew.",
    )
