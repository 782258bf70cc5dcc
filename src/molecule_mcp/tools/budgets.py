"""Budgets in US cents, and the tokens used today.

Contract: get_budget, set_budget, get_token_usage. A spend at or above the limit has every message refused with 402, so
a limit of 0, or a negative one, blocks a workspace at once. The tenant wraps huge limits around to negative ones.
"""

from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import ArgumentError, TenantUnreadable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from molecule_mcp.tools.readback import reading_back

family = Family("budgets")

BUDGET = "GET /workspaces/{id}/budget"
MOST = 9_007_199_254_740_991
"""Cents; the contract's largest limit."""
NEAR = 0.8
"""Part of its budget from which a workspace is near its limit."""
SPEND = "Spend is what the agent last reported; the tenant never resets it."

Cents = Annotated[int | None, Field(description="Absent: no limit.")]


class Stored(Answer):
    """What we read of a budget (contract schema Budget), in US cents."""

    budget_limit: int | None
    monthly_spend: int


class Budget(Answer):
    """Spend against the limit, in US cents."""

    limit_cents: Cents = None
    spend_cents: int
    state: str
    note: str


class Limited(Answer):
    """A limit as read back, and what it was; in US cents."""

    id: str
    before_cents: Cents = None
    limit_cents: Cents = None
    spend_cents: int
    state: str


class Usage(Answer):
    """Tokens of one UTC day (contract schema TokenUsageToday)."""

    input_tokens: int
    output_tokens: int
    total_calls: int
    estimated_cost_usd: str
    period_start: str


def standing(spend: int, limit: int | None) -> str:
    """How a spend stands to its limit, both in cents."""
    if limit is None:
        return "no limit"
    if spend >= limit:
        return "blocked: messages to it are refused"
    return "near its limit" if spend >= NEAR * limit else "within its limit"


async def stored(tenant: Tenant, workspace_id: str) -> Stored:
    """The budget of a workspace that is there.

    Raises: TenantRefused 404 for an unknown or removed one.
    """
    return await tenant.read("/workspaces/{id}/budget", Stored, id=workspace_id)


@family.tool(Risk.READ, sends=[BUDGET], title="Read a budget")
async def get_budget(tenant: Tenant, workspace_id: WorkspaceId) -> Budget:
    """Read what a workspace spent against its limit, in US cents; get_spend shows all."""
    found = await stored(tenant, workspace_id)
    return Budget(
        limit_cents=found.budget_limit,
        spend_cents=found.monthly_spend,
        state=standing(found.monthly_spend, found.budget_limit),
        note=SPEND,
    )


@family.tool(Risk.DISRUPT, sends=["PATCH /workspaces/{id}/budget", BUDGET], title="Set a budget")
async def set_budget(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    limit_cents: Annotated[int | None, Field(ge=0, le=MOST, description="US cents: 5000 is $50; 0 blocks.")] = None,
    no_limit: Annotated[bool, Field(description="Remove the limit instead.")] = False,
) -> Limited:
    """Set or remove a workspace's limit; at or below its spend all messages to it are refused."""
    if (limit_cents is None) is not no_limit:
        raise ArgumentError(
            "give either limit_cents or no_limit=true",
            advice="limit_cents=5000 is $50 and 0 blocks the workspace; no_limit=true alone removes the limit.",
        )
    before = await stored(tenant, workspace_id)
    body = {"budget_limit": limit_cents}
    with formers.naming(before_cents=before.budget_limit):
        await tenant.send("PATCH", "/workspaces/{id}/budget", Stored, id=workspace_id, body=body)
        with reading_back():
            after = await stored(tenant, workspace_id)
        if after.budget_limit != limit_cents:
            raise TenantUnreadable("The tenant accepted the limit, but shows another one.", sent=True)
    return Limited(
        id=workspace_id,
        before_cents=before.budget_limit,
        limit_cents=after.budget_limit,
        spend_cents=after.monthly_spend,
        state=standing(after.monthly_spend, after.budget_limit),
    )


@family.tool(Risk.READ, sends=["GET /workspaces/{id}/metrics"], title="Read today's token usage")
async def get_token_usage(tenant: Tenant, workspace_id: WorkspaceId) -> Usage:
    """Read the tokens a workspace used since midnight UTC, at a flat price; no history exists."""
    return await tenant.read("/workspaces/{id}/metrics", Usage, id=workspace_id)
