"""Key-value memory of a workspace.

Contract: list_memory_entries, get_memory_entry, set_memory_entry, delete_memory_entry. The tenant answers for unknown
workspaces, takes keys that it can never read again, and hides expired entries whose version still counts.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, lines, quoted
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError, TenantRefused
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.kinds import Answer, Limit, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one, shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.settled import named_gone
from molecule_mcp.tools.tables import paged
from molecule_mcp.tools.texts import addressable, cut_data, storable, written
from molecule_mcp.tools.workspaces import Row

family = Family("memory")

ENTRY = "GET /workspaces/{id}/memory/{key}"
WORKSPACE = "GET /workspaces/{id}"
IN_LIST, ALONE = 300, 20_000
"""Characters of a value that are shown."""
LONGEST_TTL = 9_223_372_036
"""Seconds; more overflows on the tenant, and the entry is born expired."""

Key = Annotated[
    str,
    AfterValidator(addressable("/workspaces/{id}/memory/{key}", "key")),
    Field(max_length=255, description="Key of the entry; no slash."),
]


class Stored(Answer):
    """What we read of an entry (contract schema KvEntry)."""

    key: Text
    value: Any = None
    version: int
    expires_at: str | None = None
    updated_at: str

    @property
    def id(self) -> str:
        """What a cursor names."""
        return self.key


class Entry(Answer):
    """One entry; a value without a field is null."""

    key: str
    value: Any = None
    cut: Annotated[bool | None, Field(description="True: value is the beginning of its JSON text.")] = None
    version: int
    expires_at: str | None = None
    updated_at: str


class Entries(Answer):
    """A page of entries, by key."""

    total: int
    entries: list[Entry]
    next_cursor: str | None = None


class Written(Answer):
    """An entry after it was written, and what it held before."""

    key: str
    version: int
    expires_at: str | None = None
    overwritten: bool
    former: Annotated[Any, Field(description="The value before.")] = None
    former_file: str | None = None
    former_expires_at: str | None = None
    note: str | None = None


class EntryGone(Answer):
    """An entry that was deleted, and what it held."""

    key: str
    gone: Annotated[bool, Field(description="As read back.")]
    former: Any = None


class Version(Answer):
    """What we read of the answer to a write."""

    version: int


def entry(stored: Stored, limit: int) -> Entry:
    """An entry whose value is no longer than that many characters."""
    value, short = cut_data(stored.value, limit)
    return Entry.model_validate({**stored.model_dump(), "value": value, "cut": short})


async def entry_of(tenant: Tenant, workspace_id: str, key: str) -> Stored | None:
    """An entry, or None when the tenant shows none; expired ones are hidden."""
    try:
        return await tenant.read("/workspaces/{id}/memory/{key}", Stored, id=workspace_id, key=key)
    except TenantRefused as error:
        if error.status == 404:
            return None
        raise


@family.tool(Risk.READ, sends=["GET /workspaces/{id}/memory", WORKSPACE], title="List memory entries")
async def list_memory_entries(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    limit: Limit = 50,
    cursor: Annotated[str, Field(max_length=255, description="`next_cursor` of the page before.")] = "",
) -> Entries:
    """List a workspace's live key-value entries by key; get_memory_entry shows a long one whole."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    rows = await tenant.read("/workspaces/{id}/memory", list[Stored], id=workspace_id)
    page = paged(rows, limit, cursor, lambda row: entry(row, IN_LIST))
    return Entries(total=len(rows), entries=page.rows, next_cursor=page.next_cursor)


@family.tool(Risk.READ, sends=[ENTRY], title="Read a memory entry")
async def get_memory_entry(tenant: Tenant, workspace_id: WorkspaceId, key: Key) -> Entry:
    """Read one key-value entry with its version; what has expired is not found."""
    stored = await tenant.read("/workspaces/{id}/memory/{key}", Stored, id=workspace_id, key=key)
    return entry(stored, ALONE)


def expected(former: Stored | None, asked: int | None) -> int:
    """The version that a write is held to: what was read, so that nobody else's write is lost.

    Raises: ArgumentError when the caller expects another one.
    """
    held = former.version if former else 0
    if asked is not None and former and asked != held:
        raise ArgumentError(
            "if_match_version is not the entry's version; nothing was sent",
            advice="Read the entry again, then decide.",
            details={"version": held},
        )
    return held if asked is None else asked


def hidden(error: TenantRefused, former: Stored | None) -> TenantRefused:
    """A conflict over an entry that nobody can see: expired ones keep their version."""
    told = error.body.get("current_version") if isinstance(error.body, dict) else None  # pyright: ignore
    if error.status != 409 or former or not isinstance(told, int):
        return error
    return TenantRefused(
        409,
        "There is an entry of this key that was not shown: an expired one, or one just written. Nothing changed.",
        sent=error.sent,
        advice=f"If get_memory_entry still finds none, call again with if_match_version={told}.",
    )


async def put(
    tenant: Tenant, workspace_id: str, body: dict[str, Any], former: Stored | None
) -> tuple[Version, Stored | None]:
    """Send a write. Returns: the tenant's answer, and the entry as read back."""
    try:
        told = await tenant.send("POST", "/workspaces/{id}/memory", Version, id=workspace_id, body=body)
    except TenantRefused as error:
        raise hidden(error, former) from error
    with reading_back():
        return told, await entry_of(tenant, workspace_id, body["key"])


@family.tool(
    Risk.DISRUPT,
    sends=["POST /workspaces/{id}/memory", ENTRY, WORKSPACE],
    title="Write a memory entry",
    idempotent=False,
)
async def set_memory_entry(
    tenant: Tenant,
    outputs: Outputs,
    workspace_id: WorkspaceId,
    key: Key,
    value: Annotated[Any, Field(description="Any JSON value, null too.")],
    ttl_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_TTL, description="Lifetime; 0 is no expiry and clears one.")
    ] = 0,
    if_match_version: Annotated[
        int | None, Field(ge=0, description="Only over this version; 0 only a new key. Default: the one just read.")
    ] = None,
) -> Written:
    """Write one key-value entry of a workspace; the old value is kept in a file.

    Another writer in between makes it fail with 409 and change nothing.
    """
    storable(value=value)
    await one(tenant, workspace_id)
    former = await entry_of(tenant, workspace_id, key)
    body: dict[str, Any] = {"key": key, "value": value, "if_match_version": expected(former, if_match_version)}
    body |= {"ttl_seconds": ttl_seconds} if ttl_seconds else {}
    # With an end to its life even the same value is lost.
    stays = {} if ttl_seconds else {key: value}
    where = formers.keep(outputs, f"{workspace_id[:8]}-{key}", {key: former.value} if former else {}, stays)
    with formers.naming(where):
        told, after = await put(tenant, workspace_id, body, former)
    same = after is not None and after.version == told.version
    return Written(
        key=key,
        version=told.version,
        expires_at=after.expires_at if after else None,
        overwritten=former is not None,
        former=clean_data(former.value) if former else None,
        former_file=where,
        former_expires_at=former.expires_at if former else None,
        note=None if same else "Read back, it is gone or changed again already.",
    )


async def what_is_forgotten(tenant: Tenant, workspace_id: str, key: str) -> Preview:
    """What deleting an entry takes away."""
    workspace = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    stored = await tenant.read("/workspaces/{id}/memory/{key}", Stored, id=workspace_id, key=key)
    return Preview(
        headline=Own("Delete 1 memory entry of 1 workspace"),
        facts=(
            Fact("Workspace", shown(workspace)),
            Fact("Key", quoted(key, 255)),
            Fact("Value", lines(written(stored.value))),
            Fact(
                "Cannot be undone", Own(f"its value and its version ({stored.version}) are lost to whoever uses them")
            ),
        ),
        items=(Item({"workspace_id": workspace_id, "key": key}, {"name": workspace.name, "version": stored.version}),),
        target=(workspace.name, workspace.id),
        touches=frozenset({workspace.id}),
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool | None:
    """Whether an entry is gone, by deletion or by its own time; one of that key may have been written anew."""
    entry = await entry_of(tenant, past.parameters["id"], past.parameters["key"])
    return named_gone(entry and entry.updated_at, past.at)


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /workspaces/{id}/memory/{key}", ENTRY, WORKSPACE],
    title="Delete a memory entry",
    preview=what_is_forgotten,
    settle=is_deleted,
)
async def delete_memory_entry(tenant: Tenant, workspace_id: WorkspaceId, key: Key) -> EntryGone:
    """Delete one key-value entry of a workspace; the answer holds its last value."""
    # The tenant says "deleted" of what was never there.
    former = await tenant.read("/workspaces/{id}/memory/{key}", Stored, id=workspace_id, key=key)
    await tenant.send("DELETE", "/workspaces/{id}/memory/{key}", dict[str, Any], id=workspace_id, key=key)
    with reading_back():
        after = await entry_of(tenant, workspace_id, key)
    return EntryGone(key=key, gone=after is None, former=clean_data(former.value))
