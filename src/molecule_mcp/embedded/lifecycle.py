"""Starts, restarts and the time that they take, without any container.

A start revokes every token of its workspace and issues one that nobody sees. It ends START_SECONDS later: online,
or failed when the workspace is external or the container daemon is down. Whoever awaits an outside agent is failed
after ten minutes. Nothing runs in the background: `catch_up` applies what is due, at every request.
"""

import json
import sqlite3
from datetime import timedelta
from typing import Any

from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.events import emit
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.times import moment
from molecule_mcp.embedded.tokens import mint_workspace_token, revoke_all

START_SECONDS = 1.0
AGENT_AWAITED = timedelta(minutes=10)
RESTARTED_BY_SECRETS = ("provisioning", "online", "degraded", "offline", "failed")

# The depth ends the walk of a cycle, which parent_id may close.
ABOVE = """
WITH RECURSIVE above (id, depth) AS (
    SELECT parent_id, 1 FROM workspaces WHERE id = ? AND parent_id IS NOT NULL
    UNION ALL
    SELECT w.parent_id, depth + 1 FROM workspaces w JOIN above ON w.id = above.id
    WHERE w.parent_id IS NOT NULL AND depth < 100
)
"""


def find(db: Database, workspace_id: str) -> sqlite3.Row | None:
    """A workspace's row, removed ones included."""
    return db.row("SELECT * FROM workspaces WHERE id = ?", workspace_id)


def paused_ancestor(db: Database, workspace_id: str) -> str | None:
    """The name of the nearest paused workspace above one, or None."""
    found = db.row(
        ABOVE + "SELECT w.name FROM above JOIN workspaces w ON w.id = above.id "
        "WHERE w.status = 'paused' ORDER BY depth LIMIT 1",
        workspace_id,
    )
    return None if found is None else found["name"]


def below(db: Database, workspace_id: str, *, walked: str) -> list[sqlite3.Row]:
    """The rows below a workspace, parents first; a row that fails the SQL condition `walked` ends its branch."""
    found: list[sqlite3.Row] = []
    seen = {workspace_id}
    level = [workspace_id]
    while level:
        sql = f"SELECT * FROM workspaces WHERE parent_id = ? AND {walked} ORDER BY created_at, rowid"
        rows = [row for parent in level for row in db.rows(sql, parent) if row["id"] not in seen]
        found += rows
        level = [row["id"] for row in rows]
        seen.update(level)
    return found


def provision(instance: Instance, workspace_id: str) -> None:
    """Begin a start from scratch; the count of active tasks stays as it was."""
    instance.db.run(
        "UPDATE workspaces SET status = 'provisioning', url = '', provisioning_at = ?1, awaiting_agent = 0, "
        "updated_at = ?1 WHERE id = ?2",
        instance.stamp(),
        workspace_id,
    )
    revoke_all(instance, workspace_id)
    mint_workspace_token(instance, workspace_id)
    emit(instance, "WORKSPACE_PROVISIONING", workspace_id)


def restart_after_secret(instance: Instance, workspace_id: str) -> None:
    """Restart a workspace whose secrets changed, where the contract says that it is."""
    row = find(instance.db, workspace_id)
    if row is None or instance.options.hosted or row["runtime"] == "external":
        return
    if row["status"] in RESTARTED_BY_SECRETS and paused_ancestor(instance.db, workspace_id) is None:
        provision(instance, workspace_id)


def catch_up(instance: Instance) -> None:
    """End the starts that are due by now."""
    now = instance.now()
    for row in instance.db.rows("SELECT * FROM workspaces WHERE status = 'provisioning'"):
        age = now - moment(row["provisioning_at"])
        if row["awaiting_agent"]:
            if age > AGENT_AWAITED:
                fail(instance, row["id"], "provisioning timed out")
        elif age >= timedelta(seconds=START_SECONDS):
            if instance.options.starts_fail or row["runtime"] == "external":
                fail(instance, row["id"], "workspace start failed")
            else:
                come_online(instance, row)


def fail(instance: Instance, workspace_id: str, error: str) -> None:
    """Mark a start as failed."""
    instance.db.run(
        "UPDATE workspaces SET status = 'failed', last_sample_error = ?, updated_at = ? WHERE id = ?",
        error,
        instance.stamp(),
        workspace_id,
    )
    emit(instance, "WORKSPACE_PROVISION_FAILED", workspace_id, error=error)


def come_online(instance: Instance, row: sqlite3.Row) -> None:
    """What the register call and the first heartbeat of a fresh container do."""
    url = f"http://ws-{row['id'][:12]}:8000"
    card: dict[str, Any] = {"name": row["name"], "version": "1.0.0", "url": url, "skills": []}
    instance.db.run(
        "UPDATE workspaces SET status = 'online', url = ?, agent_card = ?, active_tasks = 0, current_task = '', "
        "last_error_rate = 0, last_sample_error = '', uptime_seconds = 0, updated_at = ? WHERE id = ?",
        url,
        json.dumps(card),
        instance.stamp(),
        row["id"],
    )
    emit(instance, "WORKSPACE_ONLINE", row["id"])
