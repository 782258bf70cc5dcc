"""A policy file's text, read strictly: every unknown name, wildcard or doubt is an error that names its place.

An error names keys and rules, never a value: a key of a file may have been pasted into the wrong line.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from molecule_mcp import toolsets
from molecule_mcp.arguments import said
from molecule_mcp.capability import Risk
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.prepared import Entry
from molecule_mcp.profiles.credentials import Source, source
from molecule_mcp.settings import Role
from molecule_mcp.settings.tenant import origin

DAYS = 90
"""How far ahead a profile may expire, unless its `max_days` says otherwise."""

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names of keys that an error shows."""

ADVICE = "`molecule-mcp policy check FILE` tells whether it is well; docs/profiles.md lists what may stand in it."


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
WorkspaceId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Root = Annotated[str, Field(pattern=r"^[^*\x00-\x1f]{1,255}$")]
Asked = Literal["write", "disrupt", "destroy"]


class Strict(BaseModel):
    """A table without room for what we do not know."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Preauth(Strict):
    """One `[[profile.NAME.preauth]]` as written."""

    tool: str
    arguments: dict[str, Any]
    max_uses: Annotated[int, Field(ge=1, le=1000)]
    expires: AwareDatetime


class Table(Strict):
    """One `[profile.NAME]` as written."""

    role: Role
    expires: AwareDatetime
    max_days: Annotated[int, Field(ge=1, le=3650)] = DAYS
    workspaces: list[WorkspaceId] | None = None
    roots: Annotated[list[Root], Field(min_length=1)] | None = None
    allow: Annotated[list[str], Field(min_length=1)] | None = None
    deny: list[str] = Field(default_factory=list)
    ask_from: Asked = "destroy"
    confirm: Literal["usual", "strict"] = "usual"
    origin: str | None = None
    credential: str | None = None
    unattended: Literal["never", "two-step"] = "never"
    preauth: list[Preauth] = Field(default_factory=list[Preauth])


class Document(Strict):
    """A whole file as written."""

    version: Annotated[int, Field(ge=1, le=1)]
    profile: Annotated[dict[Name, Table], Field(min_length=1)]


FIELDS = frozenset({*Document.model_fields, *Table.model_fields, *Preauth.model_fields})
"""Every key that a file may hold, but the names of profiles."""


@dataclass(frozen=True)
class Written:
    """One profile of a file, checked.

    Args:
        expires: Seconds since the epoch.
        workspaces: The ids it is bound to; None: it is bound to none.
        roots: Names or ids whose workspaces `policy refresh` writes into `workspaces`.
        allow, deny: Names of tools, toolsets resolved; `allow` None means every tool.
        named: The names of tools and toolsets as they stand in the file, by key.
        origin: The only tenant that its key goes to.
        credential: Where its key comes from; None: from the environment.
        two_step: Whether repeating a call allows it, where no person can be asked.
        preauth: What is allowed beforehand, as written.
    """

    name: str
    role: Role
    expires: float
    workspaces: frozenset[str] | None
    roots: tuple[str, ...]
    allow: frozenset[str] | None
    deny: frozenset[str]
    named: Mapping[str, tuple[str, ...]]
    ask_from: Risk
    strict: bool
    origin: str | None
    credential: Source | None
    two_step: bool
    preauth: tuple[Preauth, ...]


def document(data: bytes, where: str) -> Document:
    """A file's tables.

    Raises: ConfigurationError.
    """
    try:
        read = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        raise broken(where, f"it is no TOML{f', at {line[1]}' if line else ''}") from None
    try:
        return Document.model_validate(read)
    except ValidationError as error:
        raise broken(where, "; ".join(problems(error, frozenset(keys(read)) | FIELDS))) from None


def problems(error: ValidationError, known: frozenset[str]) -> list[str]:
    """What is wrong with a file, by the names of its keys; a key that does not belong there comes first."""
    details = error.errors(include_input=False, include_url=False)
    extra = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    names = [".".join(str(part) for part in place if part in known or isinstance(part, int)) for place in extra]
    rest = [detail for detail in details if detail["type"] != "extra_forbidden"]
    return [*(f"{name or 'a key'} is not known" for name in names), *said(rest, known)]


def profiles(data: bytes, where: str, entries: Mapping[str, Entry], now: float) -> dict[str, Written]:
    """Every profile of a file.

    Args:
        where: The file's name, for errors.
        entries: The catalogue, whose names `allow` and `deny` may use.
        now: Seconds since the epoch; how far ahead a profile may expire counts from it.
    Raises: ConfigurationError for the first doubt; that a profile has expired is none, unless it is the one used.
    """
    tables = document(data, where).profile
    return {name: written(name, table, where, entries, now) for name, table in tables.items()}


def written(name: str, table: Table, where: str, entries: Mapping[str, Entry], now: float) -> Written:
    """One table, checked in itself.

    Raises: ConfigurationError.
    """
    place = f"profile.{name}"
    problem = next(iter(contradictions(table, now)), None)
    if problem:
        raise broken(where, f"{place}: {problem}")
    return Written(
        name=name,
        role=table.role,
        expires=table.expires.timestamp(),
        workspaces=None if table.workspaces is None and not table.roots else frozenset(table.workspaces or ()),
        roots=tuple(table.roots or ()),
        allow=None if table.allow is None else tools(table.allow, f"{where}: {place}.allow", entries),
        deny=tools(table.deny, f"{where}: {place}.deny", entries),
        named={"allow": tuple(table.allow or ()), "deny": tuple(table.deny)},
        ask_from=Risk[table.ask_from.upper()],
        strict=table.confirm == "strict",
        origin=None if table.origin is None else origin(table.origin, f"{place}.origin"),
        credential=None if table.credential is None else source(table.credential, f"{where}: {place}.credential"),
        two_step=table.unattended == "two-step",
        preauth=tuple(table.preauth),
    )


def contradictions(table: Table, now: float) -> Iterator[str]:
    """What cannot stand together in one profile."""
    days = (table.expires.timestamp() - now) / 86400
    if days > table.max_days:
        yield f"expires is more than {table.max_days} days ahead; max_days can raise that, to 3650 at most"
    if table.workspaces == [] and not table.roots:
        yield "workspaces is empty, so that nothing could be touched; name ids, or leave it out"
    if table.credential is None:
        return
    if table.origin is None:
        yield "credential needs origin, the only tenant that the key goes to"
    if table.credential.startswith("workspace-token") and (
        table.role == "ORG-ADMIN" or len(table.workspaces or ()) != 1
    ):
        yield "a workspace-token needs role READ or WORKSPACE-WRITE, and workspaces with exactly its own id"


def tools(names: Iterable[str], place: str, entries: Mapping[str, Entry]) -> frozenset[str]:
    """The tools that names of tools and toolsets stand for.

    Raises: ConfigurationError for a name that is neither, a wildcard above all.
    """
    found = set[str]()
    sets = toolsets.names(entries)
    for name in names:
        if name in entries:
            found.add(name)
        elif name in sets:
            found |= {tool for tool, entry in entries.items() if toolsets.within(entry, name)}
        elif "*" in name or "?" in name:
            raise ConfigurationError(f"{place} holds a wildcard.", advice=f"Name tools, or toolsets: {', '.join(sets)}")
        else:
            try:
                toolsets.refuse_unknown([name], list(entries), "tool")
            except ConfigurationError as error:
                raise ConfigurationError(
                    f"{place} holds {name[:64]!a}, which is neither a tool nor a toolset.",
                    advice=f"{error.advice or ''}; toolsets are: {', '.join(sets)}",
                ) from None
    return frozenset(found)


def keys(value: Any) -> Iterator[str]:
    """Every key of a TOML value that an error may show."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            if KEY.fullmatch(key):
                yield key
            yield from keys(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from keys(part)


def broken(where: str, what: str) -> ConfigurationError:
    """A file that stops the start."""
    return ConfigurationError(f"The policy file {where} cannot be used: {what}.", advice=ADVICE)
