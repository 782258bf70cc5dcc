"""The only way out to the tenant: permits, path grammar, deadlines, retries, pacing, size caps, error translation."""

from molecule_mcp.tenant.multipart import Form
from molecule_mcp.tenant.passage import Tenant
from molecule_mcp.tenant.permit import Exchange, Permit, Request, changing
from molecule_mcp.tenant.translate import Answer
from molecule_mcp.tenant.wire import Deadlines, Ending, Wire

__all__ = ["Answer", "Deadlines", "Ending", "Exchange", "Form", "Permit", "Request", "Tenant", "Wire", "changing"]
