"""All memories of the tenant, out to a file and in again.

Contract: export_memories (tagged with workspace names, key-value entries left out), import_memories. An import goes by
name, also into removed workspaces and some namesake; it lets children have GLOBAL memories and lets text forge the
label of GLOBAL ones; it answers 200 with counts that name nothing. What would meet one of these is not sent.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Risk, exactly
from molecule_mcp.errors import ArgumentError, TenantError, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer
from molecule_mcp.tools.memories import EXPORT, NAMESPACE, Exported
from molecule_mcp.tools.texts import holds_nul, placed
from molecule_mcp.tools.workspaces import Row, counted

family = Family("memory")

KIND = "memories"
"""Of the files that hold exports."""
MOST = 500
"""Memories of one import."""
TOLD = 50
"""Numbers of entries that an answer names."""
ROOM = 40_000
"""Characters that the entries of one import take in its question; those behind them are left for the next import."""
SCOPES = ("LOCAL", "TEAM", "GLOBAL")
FIELDS = frozenset({"id", "content", "scope", "namespace", "created_at", "workspace_name"})

Entry = dict[str, str]
Entries = Annotated[list[Entry], Field(max_length=MOST, description="Or the entries, as the file has them.")]
File = Annotated[str, Field(max_length=200, description="`file` of export_memories.")]
First = Annotated[int, Field(ge=0, description=f"Number of the first entry to take; {MOST} at once.")]

_FILE = TypeAdapter(list[Entry])


class Export(Answer):
    """What was exported, and the file that holds it."""

    memories: int
    by_scope: dict[str, int]
    workspaces: int
    file: Annotated[str, Field(description="Its name, for import_memories.")]
    written_to: Annotated[str, Field(description="A JSON file on the server's machine; only its user can read it.")]


class Counts(Answer):
    """The tenant's own counts."""

    imported: int
    skipped: int
    errors: int


class Imported(Counts):
    """The tenant's counts, and what was not even sent."""

    skipped: Annotated[int, Field(description="There already, with the same text.")]
    errors: Annotated[int, Field(description="Refused by the tenant, which does not say which.")]
    left_out: Annotated[dict[str, int], Field(description="Not sent, by reason.")]
    not_found: Annotated[
        list[int],
        Field(description="Numbers (from 0) of entries the tenant does not show as given: failed or blanked."),
    ]
    go_on: Annotated[int | None, Field(description="There are more: repeat with this as first.")] = None


@dataclass
class Sorted:
    """The entries of an import: what can be sent, with the workspace of each, and what cannot, by reason.

    Args:
        end: The number behind the last entry that was looked at.
        shown: What is sent, for a person's eyes.
    """

    end: int
    good: list[tuple[int, Entry, Row]] = field(default_factory=list[tuple[int, Entry, Row]])
    bad: Counter[str] = field(default_factory=Counter[str])
    shown: list[Own] = field(default_factory=list[Own])

    @property
    def body(self) -> list[Entry]:
        """What is sent."""
        return [entry for _, entry, _ in self.good]


@family.tool(Risk.READ, sends=[EXPORT], title="Export memories")
async def export_memories(tenant: Tenant, outputs: Outputs) -> Export:
    """Write every memory of every workspace into a file on the server's machine, for import_memories.

    Key-value entries are not in it.
    """
    outputs.ready()
    rows = await tenant.read("/admin/memories/export", list[Exported])
    text = json.dumps([row.model_dump() for row in rows], indent=1)
    written = outputs.keep(KIND, "export", text)
    return Export(
        memories=len(rows),
        by_scope=Counter(row.scope for row in rows),
        workspaces=len({row.workspace_name for row in rows}),
        file=PurePath(written).name,
        written_to=written,
    )


def chosen(outputs: Outputs, file: str, entries: list[Entry]) -> list[Entry]:
    """The entries of an import, from a file that export_memories wrote or as they were given.

    Raises: ArgumentError unless exactly one is given, and a file holds entries.
    """
    if bool(file) == bool(entries):
        raise ArgumentError("Give either file or entries.")
    try:
        return _FILE.validate_json(outputs.kept(KIND, file)) if file else entries
    except ValidationError:
        raise ArgumentError("That file does not hold memories as export_memories writes them.") from None


def entry_of(given: Entry) -> Entry:
    """An entry as it is sent: known fields that say something, and no text that passes for the label of a GLOBAL one.

    Raises: ArgumentError for unknown fields.
    """
    if given.keys() - FIELDS:
        raise ArgumentError("entries has a field that is not known", advice=f"Known are: {', '.join(sorted(FIELDS))}")
    entry = {name: value for name, value in given.items() if value and name != "id"}
    if entry.get("scope") == "GLOBAL" and "content" in entry:
        entry["content"] = entry["content"].replace("[MEMORY ", "[_MEMORY ")
    return entry


def is_time(text: str) -> bool:
    """Whether a text is a time; the tenant takes "yesterday" for one too."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def wrong(entry: Entry, namesakes: list[Row]) -> str:
    """Why an entry is not sent, or ""."""
    reasons = {
        "no text": "content" not in entry,
        "scope is not LOCAL, TEAM or GLOBAL": entry.get("scope") not in SCOPES,
        "a NUL character": holds_nul(entry),
        f"namespace over {NAMESPACE} bytes": len(entry.get("namespace", "").encode()) > NAMESPACE,
        "created_at is no time": "created_at" in entry and not is_time(entry["created_at"]),
        "no workspace of that name is there": not namesakes,
        "several workspaces have that name": len(namesakes) > 1,
        "GLOBAL, and the workspace has a parent": entry.get("scope") == "GLOBAL"
        and bool(namesakes and namesakes[0].parent_id),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def line_of(number: int, entry: Entry) -> tuple[Own, ...]:
    """The whole of an entry for a person's eyes: its fields, and its text, which may go on in further lines."""
    fields = [f"{name} {exactly(entry[name])}" for name in ("namespace", "created_at") if name in entry]
    where = f"{entry.get('scope', '')} of {exactly(entry.get('workspace_name', ''))}"
    return placed(", ".join([f"{number} {where}", *fields]), entry.get("content", ""))


async def sorted_out(tenant: Tenant, entries: Sequence[Entry], first: int) -> Sorted:
    """The entries from a first one on, as many as go at once and can be shown, by whether they can be sent.

    Raises: ArgumentError when none can.
    """
    if first >= len(entries):
        raise ArgumentError(f"first is behind the last entry; there are {len(entries)}")
    named: dict[str, list[Row]] = {}
    for row in await tenant.read("/workspaces", list[Row]):
        named.setdefault(row.name, []).append(row)
    found = Sorted(end=first)
    for number, given in enumerate(entries[first : first + MOST], first):
        entry = entry_of(given)
        namesakes = named.get(entry.get("workspace_name", ""), [])
        seen = line_of(number, entry)
        size = sum(map(len, seen))
        if reason := wrong(entry, namesakes) or ("too long to be shown" if size > ROOM else ""):
            found.bad[reason] += 1
        elif size + sum(map(len, found.shown)) > ROOM:
            break
        else:
            found.good.append((number, entry, namesakes[0]))
            found.shown += seen
        found.end = number + 1
    if not found.good:
        raise ArgumentError("none of the entries can be imported", details={"left_out": dict(found.bad)})
    return found


def scopes(found: Sorted, row: Row) -> str:
    """How many memories of each scope a workspace gets."""
    counts = Counter(entry["scope"] for _, entry, each in found.good if each.id == row.id)
    return ", ".join(f"{number} {scope}" for scope, number in sorted(counts.items()))


async def what_is_imported(
    tenant: Tenant, outputs: Outputs, file: str = "", entries: Sequence[Entry] = (), first: int = 0
) -> Preview:
    """What an import adds, by workspace and scope, and every text."""
    whole = chosen(outputs, file, [*entries])
    found = await sorted_out(tenant, whole, first)
    rows = {row.id: row for _, _, row in found.good}
    return Preview(
        headline=Own(f"Import {len(found.good)} memories into {counted(len(rows), 'workspace')}"),
        facts=(
            Fact("Entries", Own(f"{first} to {found.end - 1} of {len(whole)}, from 0")),
            Fact("Into", tuple(Own(f"{exactly(row.name)} {row.id}: {scopes(found, row)}") for row in rows.values())),
            Fact("Left out", tuple(Own(f"{number}: {reason}") for reason, number in found.bad.items())),
            Fact("Texts", tuple(found.shown)),
            Fact("Cannot be undone", Own("each is deleted by itself; agents find them at once and go by them")),
            Fact("By name only", Own("a removed workspace of the same name may get them; the tenant does not say")),
        ),
        items=(
            Item(
                {"file": file, "entries": entries, "first": first},
                {"workspaces": sorted(f"{row.id} {row.name}" for row in rows.values())},
            ),
        ),
        target=("import", str(len(found.good))),
        touches=frozenset(rows),
    )


@family.tool(
    Risk.CRITICAL,
    sends=["POST /admin/memories/import", EXPORT, "GET /workspaces"],
    title="Import memories",
    preview=what_is_imported,
)
async def import_memories(
    tenant: Tenant,
    outputs: Outputs,
    file: File = "",
    entries: Entries = [],  # noqa: B006 - pydantic copies it
    first: First = 0,
) -> Imported:
    """Add memories to workspaces by exact name, by file or whole; equal ones are skipped.

    What the tenant would lose or misplace is left out, counted by reason.
    """
    whole = chosen(outputs, file, entries)
    found = await sorted_out(tenant, whole, first)
    counts = await tenant.send("POST", "/admin/memories/import", Counts, body=found.body)
    try:
        rows = await tenant.read("/admin/memories/export", list[Exported])
    except TenantError as error:
        raise TenantUnreadable(
            f"The tenant accepted it; reading back failed: {error.message}", sent=True, details=counts.model_dump()
        ) from error
    there = {(row.workspace_name, row.scope, row.content) for row in rows}
    missing = [
        number
        for number, entry, _ in found.good
        if (entry["workspace_name"], entry["scope"], entry["content"]) not in there
    ]
    return Imported(
        **counts.model_dump(),
        left_out=dict(found.bad),
        not_found=missing[:TOLD],
        go_on=found.end if found.end < len(whole) else None,
    )
