"""The tree of workspaces, with what is alive below a removed one: the list leaves out removed ones and the way by them.

Contract: collapse_team leaves what is below its children; delete_workspace takes every descendant of any depth, and
does not say whether a removed one in between ends that.
"""

from collections.abc import Iterable, Sequence

from molecule_mcp.capability import Fact, Own, quoted
from molecule_mcp.errors import TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.concurrent import each
from molecule_mcp.tools.naming import Known, Listed


def below(rows: Iterable[Listed], top: str) -> list[Listed]:
    """A workspace and all below it, children before parents; empty when it is not among the rows."""
    children: dict[str | None, list[Listed]] = {}
    own: Listed | None = None
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)
        own = row if row.id == top else own
    order: list[Listed] = [] if own is None else [own]
    seen = {top}
    for row in order:
        # The tenant allows cycles; a node met twice is not walked again.
        fresh = [child for child in children.get(row.id, []) if child.id not in seen]
        seen.update(child.id for child in fresh)
        order += fresh
    return order[::-1]


async def removed_parents(tenant: Tenant, rows: Iterable[Known]) -> list[Known]:
    """The removed workspaces by which listed ones hang below others; of a purged one nothing is left to read."""
    known = {row.id: row for row in rows}
    found: dict[str, Known] = {}
    tried: set[str] = set()

    async def read(key: str) -> None:
        try:
            found[key] = await tenant.read("/workspaces/{id}", Known, id=key)
        except TenantRefused as error:
            if error.status != 404:
                raise

    def missing() -> set[str]:
        parents = {row.parent_id for row in (*known.values(), *found.values()) if row.parent_id}
        return parents - known.keys() - tried

    while wanted := missing():
        tried |= wanted
        await each(wanted, read)
    return [*found.values()]


async def orphans(tenant: Tenant, rows: Sequence[Listed], top: str) -> list[Listed]:
    """Those of the listed workspaces that are below one only by way of a removed one, which may be it itself."""
    near = {row.id for row in below(rows, top)}
    listed = {row.id: row for row in rows}
    whole = below([*rows, *await removed_parents(tenant, rows)], top)
    return [listed[row.id] for row in whole if row.id in listed and row.id not in near]


def left_out(found: Sequence[Known]) -> tuple[Fact, ...]:
    """What a person is told of orphans; nothing when there are none."""
    told = tuple(Own(f"{quoted(row.name)} {row.id}, {quoted(row.status)}") for row in found)
    return (Fact("Alive below a removed one, and the tenant may reach them too", told),) if told else ()
