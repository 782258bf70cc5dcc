"""The boot console of a workspace's machine, which only hosted tenants have."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route

BOOT = """[    0.000000] Linux version 6.1
[    4.110220] cloud-init: fetching user data
cloud-init: MOLECULE_WORKSPACE_TOKEN=sample-console-token-not-real
cloud-init: starting runtime {runtime}
runtime: workspace {id} is up
"""


def get_workspace_console(call: Call) -> Response:
    """What the control plane says; without one 501 whatever the id."""
    if not call.instance.options.hosted:
        raise Refusal(501, "console output unavailable on this deployment (no control plane)")
    row = find(call.db, call.path["id"].lower())
    if row is None:
        raise Refusal(502, "control plane returned an error fetching console output")
    return answer({"output": BOOT.format(id=row["id"], runtime=row["runtime"])})


ROUTES = [Route("GET", "/workspaces/{id}/console", auth.admin, get_workspace_console)]
