"""What the browser check needs besides the program's own commands: an approver, an old plan, a yes signed beforehand.

python -m tests.page.scene STATE approver|expired|sign CODE
"""

import sys
from pathlib import Path

from molecule_mcp.console import decisions
from molecule_mcp.store.sqlite import SqliteStore
from tests.console import people

OLD = "0DAY-0000"


def main(folder: Path, what: str, code: str = "") -> None:
    """Do one of the three."""
    if what == "approver":
        people.desk(folder)
    elif what == "expired":
        people.open_plan(people.desk(folder), people.DELETE, OLD, age=601)
    else:
        store = SqliteStore(folder)
        decisions.allow(store, folder, decisions.open_plan(store, code), "allow", people.PASSPHRASE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
