"""Write structure events and activity rows, and tell whoever follows their workspace."""

import json
from typing import Any

from molecule_mcp.embedded.instance import Instance


def emit(instance: Instance, kind: str, workspace_id: str, **payload: Any) -> None:
    """Add an event to /events; it outlives its workspace."""
    instance.db.insert(
        "events",
        id=instance.new_id(),
        event_type=kind,
        workspace_id=workspace_id,
        payload=json.dumps(payload),
        created_at=instance.stamp(),
    )
    tell(instance, kind, workspace_id, **payload)


def tell(instance: Instance, kind: str, workspace_id: str, **data: Any) -> None:
    """Tell an event to those who follow the workspace just now, and to nobody else."""
    instance.hub.publish(workspace_id, kind, round(instance.now().timestamp() * 1000), data)


def log_activity(instance: Instance, workspace_id: str, kind: str, summary: str, **more: Any) -> None:
    """Add an activity row; `more` are further columns, JSON ones as text."""
    row = {"status": "ok", "created_at": instance.stamp(), **more}
    instance.db.insert(
        "activity",
        id=instance.new_id(),
        workspace_id=workspace_id,
        activity_type=kind,
        summary=summary,
        **row,
    )
    shown = {name: row.get(name) for name in ("status", "method", "source_id", "target_id")}
    tell(instance, "ACTIVITY_LOGGED", workspace_id, activity_type=kind, summary=summary, **shown)
