"""Write structure events and activity rows."""

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
