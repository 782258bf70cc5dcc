"""Questions over the whole organization that one read of all workspaces answers.

Contract: list_workspaces, the only place with load, last error, spend and limit of every workspace.
"""

from collections import Counter
from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import naming
from molecule_mcp.tools.budgets import standing
from molecule_mcp.tools.kinds import Answer, Text
from molecule_mcp.tools.naming import Candidate
from molecule_mcp.tools.workspaces import UP, FullRow

family = Family("questions")

LINES = 120
"""Lines of a tree at most."""
NAMED = 20
"""Workspaces of one kind that an answer names."""


class Failing(Answer):
    """A workspace that does not work as it should."""

    id: str
    name: Text
    status: str
    error: Text = ""


class Overview(Answer):
    """The organization at a glance."""

    workspaces: int
    by_status: dict[str, int]
    active_tasks: Annotated[int, Field(description="Of running workspaces, as their agents last reported.")]
    free_tasks: int
    failing: list[Failing]
    failing_total: int
    spend_cents: Annotated[int, Field(description="As the agents report it; never reset.")]
    blocked_by_budget: list[str]
    tree: Annotated[list[str], Field(description="Indented by level: name (status, active/capacity).")]
    tree_cut: Annotated[int, Field(description="Workspaces left out of the tree.")] = 0


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Organization overview")
async def get_overview(tenant: Tenant) -> Overview:
    """Show the organization at a glance: tree, status, load, what fails and why, spend against budgets."""
    rows = await tenant.read("/workspaces", list[FullRow])
    up = [row for row in rows if row.status in UP]
    failing = [row for row in rows if row.status in {"failed", "offline", "degraded"}]
    lines = tree(rows)
    return Overview(
        workspaces=len(rows),
        by_status=dict(sorted(Counter(row.status for row in rows).items())),
        active_tasks=sum(row.active_tasks for row in up),
        free_tasks=sum(max(0, row.max_concurrent_tasks - row.active_tasks) for row in up),
        failing=[
            Failing(id=row.id, name=row.name, status=row.status, error=row.last_sample_error[:200])
            for row in failing[:NAMED]
        ],
        failing_total=len(failing),
        spend_cents=sum(row.monthly_spend for row in rows),
        blocked_by_budget=[row.name for row in rows if blocked(row)][:NAMED],
        tree=lines[:LINES],
        tree_cut=max(0, len(lines) - LINES),
    )


def blocked(row: FullRow) -> bool:
    """Whether a workspace's budget is used up; messages to it are then refused with 402."""
    return row.budget_limit is not None and row.monthly_spend >= row.budget_limit


def tree(rows: list[FullRow]) -> list[str]:
    """A line per workspace, children below their parent; one in a cycle, or below a lost parent, counts as a root."""
    known = {row.id for row in rows}
    children: dict[str | None, list[FullRow]] = {}
    for row in rows:
        children.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    lines: list[str] = []
    seen: set[str] = set()

    def walk(top: FullRow) -> None:
        waiting = [(top, 0)]
        while waiting:
            row, level = waiting.pop()
            if row.id in seen:
                continue
            seen.add(row.id)
            lines.append(f"{'  ' * level}{row.name} ({row.status}, {row.active_tasks}/{row.max_concurrent_tasks})")
            waiting += [(child, level + 1) for child in reversed(children.get(row.id, []))]

    for root in [*children.get(None, []), *rows]:
        walk(root)
    return lines


class Spend(Answer):
    """Spending, as a table: `rows[i][j]` belongs to `columns[j]`."""

    total_cents: int
    columns: list[str]
    rows: list[list[Any]]
    left_out: Annotated[int, Field(description="Further workspaces, all spending less than these.")]
    note: str


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Spend against budgets")
async def get_spend(
    tenant: Tenant,
    limit: Annotated[int, Field(ge=1, le=200, description="Rows at most.")] = 50,
) -> Spend:
    """Show what agents report as spent against each limit, the most first, and who is blocked."""
    rows = sorted(await tenant.read("/workspaces", list[FullRow]), key=lambda row: -row.monthly_spend)
    return Spend(
        total_cents=sum(row.monthly_spend for row in rows),
        columns=["id", "name", "spend_cents", "limit_cents", "state"],
        rows=[
            [row.id, row.name, row.monthly_spend, row.budget_limit, standing(row.monthly_spend, row.budget_limit)]
            for row in rows[:limit]
        ],
        left_out=max(0, len(rows) - limit),
        note="Spend is what agents report; the tenant never resets it by itself. Removed workspaces are not counted.",
    )


class Described(Candidate):
    """A workspace that may be meant, and what it is for."""

    role: Text = ""


class Matches(Answer):
    """The workspaces that a name may mean."""

    sure: Annotated[bool, Field(description="True: exactly one has this very name, and it is the only row.")]
    candidates: list[Described]
    total: int
    note: str | None = None


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Find a workspace by name")
async def find_workspace(
    tenant: Tenant,
    name: Annotated[str, Field(min_length=1, max_length=255, description="Its name, a part of it, or its role.")],
) -> Matches:
    """Find the workspaces that a name may mean, best first; several are candidates to ask about."""
    rows = await tenant.read("/workspaces", list[FullRow])
    parent = naming.under(rows)
    found = matching(rows, name)
    return Matches(
        sure=len(found) == 1 and found[0].name == name,
        candidates=[
            Described(id=row.id, name=row.name, status=row.status, under=parent(row), role=(row.role or "")[:120])
            for row in found[:NAMED]
        ],
        total=len(found),
        note=None if found else "No name or role is anything like that; list_workspaces shows all names.",
    )


def matching(rows: list[FullRow], name: str) -> list[FullRow]:
    """The first that finds anything: the same name, its letters in any case, a part of name or role, a similar name."""
    wanted = name.casefold()
    for found in (
        [row for row in rows if row.name == name],
        [row for row in rows if row.name.casefold() == wanted],
        [row for row in rows if wanted in row.name.casefold()],
        [row for row in rows if wanted in (row.role or "").casefold()],
        naming.alike(rows, name),
    ):
        if found:
            return found
    return []
