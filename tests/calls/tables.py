"""What a call left in the tenant's tables: every row that came, went or changed, by a name that people know it by."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

NAMED = {
    "workspaces": ("name",),
    "workspace_tokens": (),
    "workspace_secrets": ("key",),
    "global_secrets": ("key",),
    "org_tokens": ("name",),
    "approvals": ("action",),
    "events": ("event_type",),
    "channels": ("channel_type",),
    "schedules": ("name",),
    "memory": ("key",),
    "memories": ("scope",),
    "activity": ("activity_type",),
    "instructions": ("title",),
    "checkpoints": ("workflow_id", "step_name"),
    "installed_plugins": ("name",),
    "container_files": ("path",),
    "disk_files": ("path",),
    "agents": ("model",),
    "handovers": ("task",),
    "folders": ("folder", "path"),
}
"""The columns that name a row, after its workspace; a table without an entry has rows without names."""

TRACES = {"last_used_at"}
"""Columns that every request with a key writes."""

LONG_AGO = "2026-01-01T00:00:00.000000Z"

Table = dict[tuple[Any, ...], dict[str, Any]]
"""The rows by their primary key."""


class Tables:
    """The database of a running tenant, read and put back beside it.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self._live = sqlite3.connect(path, isolation_level=None)
        self._live.row_factory = sqlite3.Row
        self._first = sqlite3.connect(":memory:")
        self._live.backup(self._first)
        self._before = self._read()

    def close(self) -> None:
        """Let go of the file."""
        self._live.close()
        self._first.close()

    def changes(self) -> list[str]:
        """What is not as it was at the start: "+ table: name", "- table: name", "~ table: name (columns)"."""
        now = self._read()
        names = {key: row["name"] for tables in (self._before, now) for (key,), row in tables["workspaces"].items()}
        found = list[str]()
        for table, rows in now.items():
            found += compared(table, self._before[table], rows, names)
        return sorted(found)

    def let_starts_end(self) -> None:
        """Make every start that is under way due, so that the next request ends it, however fast this machine is."""
        self._live.execute(
            "UPDATE workspaces SET provisioning_at = ? WHERE status = 'provisioning' AND NOT awaiting_agent", [LONG_AGO]
        )

    def renew(self) -> None:
        """Back to how it was at the start."""
        self._first.backup(self._live)

    def _read(self) -> dict[str, Table]:
        with closing(self._live.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")) as found:
            names = [row["name"] for row in found if not row["name"].startswith(("sqlite_", "memories_text"))]
        return {name: self._table(name) for name in names}

    def _table(self, name: str) -> Table:
        columns = self._live.execute(f"PRAGMA table_info({name})").fetchall()
        keys = [row["name"] for row in columns if row["pk"]]
        wanted = "*" if keys else "rowid, *"
        rows = [dict(row) for row in self._live.execute(f"SELECT {wanted} FROM {name}")]
        return {tuple(row[key] for key in keys or ["rowid"]): row for row in rows}


def spread(line: str) -> list[str]:
    """`- x: {A, B} / c` as two lines."""
    before, opened, rest = line.partition("{")
    inner, _, after = rest.partition("}")
    return [f"{before}{each.strip()}{after}" for each in inner.split(",")] if opened else [line]


def compared(table: str, before: Table, now: Table, names: Mapping[str, str]) -> list[str]:
    """What changed in one table."""
    found = [f"+ {label(table, now[key], names)}" for key in now.keys() - before.keys()]
    found += [f"- {label(table, before[key], names)}" for key in before.keys() - now.keys()]
    for key in now.keys() & before.keys():
        columns = [name for name in now[key] if now[key][name] != before[key][name] and name not in TRACES]
        if columns:
            told = ", ".join(name for name in columns if name != "updated_at")
            found.append(f"~ {label(table, now[key], names)} ({told})")
    return found


def label(table: str, row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A row by its table, its workspace and its name."""
    owner = row.get("workspace_id")
    parts = [names.get(owner, "?")] if owner else []
    parts += [str(row[column]) for column in NAMED.get(table, ())]
    return f"{table}: {' / '.join(parts)}"


def differing(wanted: list[str], found: list[str]) -> list[str]:
    """What is missing from what was to change, and what changed beyond it.

    Args:
        wanted: As `changes` tells it; `{A, B}` stands for one row each.
    """
    each = [one for line in wanted for one in spread(line)]
    more, less = Counter(found) - Counter(each), Counter(each) - Counter(found)
    return [f"changed too: {each}" for each in more.elements()] + [f"not changed: {each}" for each in less.elements()]
