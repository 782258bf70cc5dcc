"""The program as it is, but that it ends itself by SIGKILL at one commit of its store, once a file says at which.

`python -m tests.race.dying FILE ARGUMENTS...`; the file holds "claim within", "claim after", "outcome within" or
"outcome after": within the transaction, all of it written and not committed, or after the commit.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from molecule_mcp.cli import main
from molecule_mcp.store.sqlite import SqliteStore

COMMITS = {"claim": ("claim", "intent"), "outcome": ("settle", "outcome")}
"""Point -> the store's method, and the kind of the record that is the last write of its transaction."""


def deadly(file: Path) -> None:
    """Have the store end its process where the file says."""

    def end_at(*points: str) -> None:
        if file.exists() and file.read_text() in points:
            os.kill(os.getpid(), signal.SIGKILL)

    def ending(real: Any, point: str) -> Any:
        def method(store: SqliteStore, *given: Any) -> Any:
            result = real(store, *given)
            end_at(f"{point} after")
            return result

        return method

    def recording(real: Any) -> Any:
        def method(store: SqliteStore, sql: Any, at: float, kind: str, body: Any) -> None:
            real(store, sql, at, kind, body)
            end_at(*(f"{point} within" for point, (_, last) in COMMITS.items() if last == kind))

        return method

    for point, (name, _) in COMMITS.items():
        setattr(SqliteStore, name, ending(getattr(SqliteStore, name), point))
    for name in ("_record",):
        setattr(SqliteStore, name, recording(getattr(SqliteStore, name)))


if __name__ == "__main__":
    deadly(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
