"""Images of workspaces, pulled and put to use; only where a container daemon of the tenant's own runs them."""

from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, not_a_route
from molecule_mcp.embedded.lifecycle import provision
from molecule_mcp.embedded.routing import Route

RUNTIMES = (
    "claude-code", "langgraph", "crewai", "autogen", "deepagents", "hermes", "gemini-cli", "openclaw",
)  # fmt: skip
DAEMON_DOWN = (
    "container list: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
)


def refresh_workspace_images(call: Call) -> Response:
    """Pull, then remove the containers that run on what was pulled; each comes back from its image."""
    if call.instance.options.hosted:
        return not_a_route()
    wanted = call.query.get("runtime", "")
    if wanted and wanted not in RUNTIMES:
        raise Refusal(400, f"unknown runtime: {wanted}", known_runtimes=list(RUNTIMES))
    runtimes = [wanted] if wanted else list(RUNTIMES)
    docker = call.instance.options.docker
    told: dict[str, Any] = {"pulled": runtimes if docker else [], "failed": [] if docker else runtimes, "recreated": []}
    if call.query.get("recreate", "true") != "true":
        return answer(told)
    if not docker:
        raise Refusal(500, DAEMON_DOWN, partial_result=told)
    told["recreated"] = [_recreated(call, each) for runtime in runtimes for each in _running(call, runtime)]
    return answer(told)


def _running(call: Call, runtime: str) -> list[str]:
    sql = (
        "SELECT id FROM workspaces WHERE runtime = ? AND status IN ('online', 'degraded', 'provisioning') "
        "AND NOT (status = 'provisioning' AND awaiting_agent) ORDER BY created_at, rowid"
    )
    return [row["id"] for row in call.db.rows(sql, runtime)]


def _recreated(call: Call, workspace_id: str) -> str:
    provision(call.instance, workspace_id)
    return f"ws-{workspace_id[:12]}"


ROUTES = [Route("POST", "/admin/workspace-images/refresh", auth.admin, refresh_workspace_images)]
