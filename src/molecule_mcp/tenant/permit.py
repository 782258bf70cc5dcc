"""What one call may do at the tenant: the routes it names, and a claim that comes before anything that changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from molecule_mcp.capability import CHANGING_READS, changing
from molecule_mcp.errors import Sent
from molecule_mcp.redaction import Redactor

__all__ = ["CHANGING_READS", "JSON", "Exchange", "Permit", "Request", "changing"]

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One request as it leaves.

    Args:
        route: As the contract writes it: "DELETE /workspaces/{id}".
        path: Encoded path, with "?query" when there is one.
        body: The exact bytes; empty without a body.
        content_type: Of a body that is there; that of a form follows from its bytes.
    """

    route: str
    method: str
    path: str
    body: bytes
    content_type: str = JSON

    @property
    def template(self) -> str:
        """The route without its method."""
        return self.route.partition(" ")[2]


@dataclass(frozen=True)
class Exchange:
    """How one send or kept read went: the tenant's status, None when no answer came."""

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
        redactor: Learns what the tenant answers in secret fields, and masks refusals; None: nobody is told of them.
        masked: Whether good answers are masked too: not where what is read is written back, or kept for a person.
        reads: Filled by the tenant with every read, where they are kept; None: they are not.
        exchanges: Filled by the tenant with every changing send.
    """

    routes: frozenset[str]
    claim: Callable[[Request], Awaitable[None]] | None = None
    bound: frozenset[str] | None = None
    unfiltered: bool = False
    actor: str = ""
    redactor: Redactor | None = None
    masked: bool = False
    reads: list[Exchange] | None = None
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
