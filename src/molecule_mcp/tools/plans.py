"""Several calls as one plan: one preview, one yes. The road runs them; each keeps the rules of its own tool."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from molecule_mcp.capability import Family, Risk, Run
from molecule_mcp.tools.kinds import Answer

family = Family("plans")


class Part(BaseModel):
    """One call."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tool: Annotated[str, Field(max_length=64)]
    arguments: dict[str, Any] = Field(default_factory=dict)


class Ran(Answer):
    """What became of one call."""

    tool: str
    state: Literal["done"]
    results: list[dict[str, Any]]
    deduplicated: bool | None = None


@family.tool(Risk.WRITE, sends=[], title="Run several calls under one yes", idempotent=False)
async def run_plan(
    run: Run, calls: Annotated[list[Part], Field(min_length=1, max_length=20, description="Changing calls, in order.")]
) -> Ran:
    """Run up to 20 changing calls in order under one yes, stopping at the first surprise; repeated, it goes on.

    Use it for whatever concerns several targets. A global secret and a workspace's own of that name are two plans: each
    changes what the other's preview shows.
    """
    return await run([part.model_dump() for part in calls])
