"""Every operation that the embedded tenant answers, as one list."""

from molecule_mcp.embedded.families import (
    activity,
    approvals,
    artifacts,
    canvas,
    channels,
    checkpoints,
    events,
    global_secrets,
    instructions,
    lifecycle,
    memories,
    memory,
    org_tokens,
    schedules,
    secrets,
    system,
    workspace_tokens,
    workspaces,
)
from molecule_mcp.embedded.routing import Route

ROUTES: list[Route] = [
    *system.ROUTES,
    *workspaces.ROUTES,
    *lifecycle.ROUTES,
    *secrets.ROUTES,
    *global_secrets.ROUTES,
    *approvals.ROUTES,
    *events.ROUTES,
    *channels.ROUTES,
    *schedules.ROUTES,
    *workspace_tokens.ROUTES,
    *org_tokens.ROUTES,
    *canvas.ROUTES,
    *memory.ROUTES,
    *memories.ROUTES,
    *instructions.ROUTES,
    *checkpoints.ROUTES,
    *artifacts.ROUTES,
    *activity.ROUTES,
]
