"""The only way out to the tenant: permits, path grammar, deadlines, retries, pacing, size caps, error translation."""

from molecule_mcp.tenant.multipart import Form
from molecule_mcp.tenant.passage import Tenant
from molecule_mcp.tenant.permit import Exchange, Permit, Request, changing
from molecule_mcp.tenant.translate import LOOK_FIRST, Answer
from molecule_mcp.tenant.wire import Deadlines, Ending, Wire

__all__ = [
    "LOOK_FIRST", "Answer", "Deadlines", "Ending", "Exchange", "Form", "Permit", "Request", "Tenant", "Wire",
    "changing",
]  # fmt: skip
