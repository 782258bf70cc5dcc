"""`molecule-mcp policy refresh`: the workspaces below a profile's roots, read from the tenant, written into the file.

Reads one route of the tenant and changes nothing there. Bindings are ids, so that a workspace which somebody names or
moves meanwhile is in no profile until a person runs this again.
"""

import os
import time
from argparse import Namespace
from functools import partial
from pathlib import Path

import anyio

from molecule_mcp.capability import quoted
from molecule_mcp.cli import compose
from molecule_mcp.cli.profile import forget_key, loaded
from molecule_mcp.errors import ArgumentError, ConfigurationError
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import files, force, forms, rewriting
from molecule_mcp.profiles.forms import Written
from molecule_mcp.redaction import Redactor
from molecule_mcp.settings import Settings, folders, policy_file
from molecule_mcp.tenant import Permit, Tenant
from molecule_mcp.tools.tree import below
from molecule_mcp.tools.workspaces import Row

ROUTES = frozenset({"GET /workspaces"})


def run(arguments: Namespace) -> int:
    """Resolve the roots of one profile, or of all that have some.

    Raises: ConfigurationError for a file that cannot be used or changed; ArgumentError for a root that is not one
    workspace; TenantError. The file is then as it was.
    """
    environ = dict(os.environ)
    state, config = folders(environ, arguments.state)
    path = files.found(config, policy_file(environ, arguments.policy))
    if path is None:
        raise ConfigurationError("There is no policy file.", advice="Write one: docs/profiles.md shows how.")
    before = data = files.read(path)
    for written in chosen(forms.profiles(data, str(path), entries(), time.time()), arguments.profile):
        redactor = Redactor()
        completed = force.completed(written, environ, state / "secrets", redactor)
        settings = loaded(arguments, completed)
        forget_key(settings, written, redactor)
        rows = anyio.run(partial(read, settings, redactor))
        found = resolved(written, rows)
        tell(written, found, rows)
        data = rewriting.with_workspaces(data, written.name, found)
    return stored(path, before, data, arguments.dry_run)


def chosen(known: dict[str, Written], name: str | None) -> list[Written]:
    """The profiles to resolve.

    Raises: ConfigurationError when the named one is not there, or none has roots.
    """
    wanted = [written for written in known.values() if written.roots and name in {None, written.name}]
    if not wanted:
        raise ConfigurationError(
            "There is no profile with `roots`" + ("." if name is None else f" named {name[:64]!a}."),
            advice=f'Profiles are: {", ".join(known)}; add for example: roots = ["NAME OR ID"]',
        )
    return wanted


async def read(settings: Settings, redactor: Redactor) -> list[Row]:
    """Every workspace of the tenant. Raises: TenantError."""
    wire = compose.wire(settings, redactor)
    return await Tenant(wire, Permit(routes=ROUTES)).read("/workspaces", list[Row])


def resolved(written: Written, rows: list[Row]) -> dict[str, str]:
    """Every workspace at or below the roots: id and name, in the tenant's order.

    Raises: ArgumentError for a root that is no workspace, or a name that several have.
    """
    wanted = {row.id for root in written.roots for row in below(rows, one(root, rows).id)}
    return {row.id: row.name for row in rows if row.id in wanted}


def one(root: str, rows: list[Row]) -> Row:
    """The workspace of that id or exact name. Raises: ArgumentError."""
    found = [row for row in rows if row.id == root] or [row for row in rows if row.name == root]
    if len(found) == 1:
        return found[0]
    what = "no workspace" if not found else f"{len(found)} workspaces"
    ids = ", ".join(row.id for row in found)
    raise ArgumentError(
        f"The root {quoted(root)} is the id or exact name of {what}; nothing was written.",
        advice=f"Name one by its id: {ids}" if found else "`molecule-mcp call list_workspaces` shows them.",
    )


def tell(written: Written, found: dict[str, str], rows: list[Row]) -> None:
    """Say what comes in and what goes, for a person to see before the next start."""
    names = {row.id: row.name for row in rows}
    old = written.workspaces or frozenset()
    print(f"{written.name}: {len(found)} workspaces")
    for sign, ids in (("+", found.keys() - old), ("-", old - found.keys())):
        for identifier in sorted(ids):
            print(f"  {sign} {identifier} {quoted(names.get(identifier, 'gone'))}")


def stored(path: Path, before: bytes, after: bytes, dry: bool) -> int:
    """Write what has changed, unless it was only asked about. Returns: 1 when it was, and something would change."""
    if dry:
        return int(before != after)
    if before != after:
        files.replace(path, before, after)
        print(f"wrote {path}; servers that run go on with what they read at their start")
    return 0
