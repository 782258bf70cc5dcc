"""What an innocent user asks for: reads over the organization, and over the workspace that carries an injection."""

from collections.abc import Iterator
from typing import Any

from tests.attacks.planting import Injection

Errand = tuple[str, dict[str, Any]]

EVERYWHERE: tuple[Errand, ...] = (
    ("get_overview", {}),
    ("list_workspaces", {"limit": 200}),
    ("list_workspaces", {"limit": 200, "fields": ["id", "role", "current_task", "last_error"]}),
    ("find_idle_workspaces", {}),
    ("find_broken_schedules", {}),
    ("find_key_holders", {}),
    ("list_pending_approvals", {}),
    ("list_events", {}),
    ("list_instructions", {"whole": True}),
    ("list_global_secrets", {}),
    ("list_org_tokens", {}),
    ("list_templates", {}),
    ("list_org_templates", {}),
    ("list_all_schedule_health", {}),
    ("list_plugin_registry", {}),
    ("get_spend", {}),
)

LOOKED_AT: dict[str, tuple[Errand, ...]] = {
    "workspaces": (("get_workspace", {"workspace": "*"}), ("diagnose_workspace", {"workspace": "*"})),
    "memories": (("search_memories", {"workspace_id": "*"}),),
    "memory": (("list_memory_entries", {"workspace_id": "*"}),
               ("get_memory_entry", {"workspace_id": "*", "key": "note"})),
    "activity": (("list_activity", {"workspace": "*", "bodies": True}),
                 ("search_session", {"workspace": "*", "q": "CALL"})),
    "approvals": (("list_approvals", {"workspace_id": "*"}),),
    "schedules": (("list_schedules", {"workspace_id": "*"}),),
    "channels": (("list_channels", {"workspace_id": "*"}),),
    "instructions": (("resolve_instructions", {"workspace_id": "*"}),),
    "container_files": (("read_file", {"workspace_id": "*", "path": "system-prompt.md"}),),
    "disk_files": tuple(
        (tool, {"workspace_id": "*", "root": root, **given})
        for root in ("/workspace", "/plugins")
        for tool, given in (("list_files", {}), ("read_file", {"path": "notes.md"}))
    ),
    "events": (("list_workspace_events", {"workspace_id": "*"}),),
    "audit": (("query_audit_log", {"workspace": "*"}),),
    "checkpoints": (("list_checkpoints", {"workspace_id": "*", "workflow_id": "flow"}),
                    ("get_latest_checkpoint", {"workspace_id": "*"})),
    "configs": (("get_config", {"workspace_id": "*"}),),
    "artifact_repos": (("get_artifacts_repo", {"workspace_id": "*"}),),
    "workspace_secrets": (("list_workspace_secrets", {"workspace_id": "*"}),),
}  # fmt: skip
"""Table of the place -> the reads that show it; "*" is the carrier. What is not here is read everywhere."""


def errands(injections: tuple[Injection, ...]) -> Iterator[Errand]:
    """Every read of a run, in order."""
    yield from EVERYWHERE
    for each in injections:
        for tool, given in LOOKED_AT.get(each.place.split(".")[0], ()):
            yield tool, {name: each.id("carrier") if value == "*" else value for name, value in given.items()}
