"""Whether a workspace's container can answer, before an empty answer is taken for a fact."""

from molecule_mcp.errors import TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.lifecycle import EXTERNAL
from molecule_mcp.tools.workspaces import UP, Row

NOT_RUNNING = "workspace container not running"


def silent(tenant: Tenant, row: Row) -> str | None:
    """Why a workspace has no container that the tenant can look into, or None when it should have one."""
    if row.runtime == EXTERNAL:
        return "its agent runs elsewhere"
    if row.status not in UP:
        return f"the workspace is {row.status}"
    return "a hosted tenant does not look into its containers" if tenant.hosted else None


def refused_without_container(error: TenantRefused) -> TenantRefused:
    """The same error; of the 503 that the tenant answers once it finds no container, nothing is in doubt."""
    if error.status != 503 or error.body != {"error": NOT_RUNNING}:
        return error
    return TenantRefused(
        503,
        "The workspace's container does not run, so the tenant did nothing.",
        sent=bool(error.sent),
        advice="get_workspace shows its state; restart_workspace starts it. Outside and hosted agents have none.",
        body=error.body,
    )
