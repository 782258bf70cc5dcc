"""What one call may do at the tenant: the routes it names, and a claim that comes before anything that changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from molecule_mcp.errors import Sent

CHANGING_READS = frozenset(
    {
        "GET /approvals/pending",
        "GET /admin/workspaces/{id}/test-token",
        "GET /workspaces/{id}/terminal",
        "GET /cp/{path}",
    }
)
"""Routes that read by their method and change by their effect, as the contract has it; tools use only the first."""


def changing(route: str) -> bool:
    """Whether a route can change the tenant; the method alone does not tell."""
    return not route.startswith(("GET ", "HEAD ")) or route in CHANGING_READS


@dataclass(frozen=True)
class Request:
    """One request as it leaves.

    Args:
        route: As the contract writes it: "DELETE /workspaces/{id}".
        path: Encoded path, with "?query" when there is one.
        body: The exact bytes; empty without a body.
    """

    route: str
    method: str
    path: str
    body: bytes

    @property
    def template(self) -> str:
        """The route without its method."""
        return self.route.split(" ", 1)[1]


@dataclass(frozen=True)
class Exchange:
    """How one changing send went: the tenant's status, None when no answer came."""

    route: str
    path: str
    status: int | None
    sent: Sent


@dataclass
class Permit:
    """Given by the road to one call.

    Args:
        routes: Every route the tool names.
        claim: Awaited before a changing request leaves; raises to stop it. None: nothing changing may leave.
        bound: The only workspace ids (lower case) that may stand in path, query or body; None means any.
        unfiltered: Whether reads may look at other workspaces; for previews, which must show everything.
        actor: What the tenant is told as the decider.
        exchanges: Filled by the tenant with every changing send.
    """

    routes: frozenset[str]
    claim: Callable[[Request], Awaitable[None]] | None = None
    bound: frozenset[str] | None = None
    unfiltered: bool = False
    actor: str = ""
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
