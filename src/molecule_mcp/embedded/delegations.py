"""Tasks that one workspace handed to another, on their way: nothing is checked before the tenant has said 202.

A task is dispatched a moment later, or fails then; an agent that cannot be reached fails after one more try; a busy one
leaves it queued until it has room, and then only the result row says completed. `step` applies what is due.
"""

import json
import sqlite3
from typing import Any

from molecule_mcp.embedded.agents import reply_of
from molecule_mcp.embedded.events import emit, log_activity
from molecule_mcp.embedded.hierarchy import may_message
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.lifecycle import find

DISPATCH_SECONDS, ANSWER_SECONDS, RETRY_SECONDS = 1.0, 2.0, 8.0
PREVIEW = 80
NOTE = {"queued": True, "message": "workspace agent busy — request queued, will dispatch when capacity available"}
"""What the target's queue said, as a queued result row holds it."""


def hand_over(instance: Instance, source_id: str, target_id: str, task: str, key: str | None) -> str:
    """Note a new delegation, to be dispatched in a moment; its id.

    Raises:
        StorageError: There is no such source workspace.
    """
    delegation_id = instance.new_id()
    log_activity(
        instance,
        source_id,
        "delegation",
        f"Delegating to {target_id}",
        source_id=source_id,
        target_id=target_id,
        method="delegate",
        status="pending",
        request_body=json.dumps({"task": task, "delegation_id": delegation_id}, ensure_ascii=False),
    )
    instance.db.insert(
        "handovers",
        delegation_id=delegation_id,
        source_id=source_id,
        target_id=target_id,
        task=task,
        idempotency_key=key,
        due_at=instance.stamp(after=DISPATCH_SECONDS),
    )
    return delegation_id


def known(instance: Instance, source_id: str, key: str) -> sqlite3.Row | None:
    """The earlier delegation of that key, with its present status; a failed one is forgotten, so that it runs anew."""
    row = instance.db.row(
        "SELECT h.*, a.id AS row_id, a.status FROM handovers h JOIN activity a ON a.workspace_id = h.source_id "
        "AND a.method = 'delegate' AND json_extract(a.request_body, '$.delegation_id') = h.delegation_id "
        "WHERE h.source_id = ? AND h.idempotency_key = ?",
        source_id,
        key,
    )
    if row is None or row["status"] != "failed":
        return row
    instance.db.run("DELETE FROM handovers WHERE delegation_id = ?", row["delegation_id"])
    instance.db.run("DELETE FROM activity WHERE id = ?", row["row_id"])
    return None


def step(instance: Instance) -> None:
    """Move on what is due by now."""
    for row in instance.db.rows("SELECT * FROM handovers WHERE due_at <= ? ORDER BY due_at, rowid", instance.stamp()):
        moves = {"pending": _dispatch, "dispatched": _answer, "retried": _give_up, "queued": _drain}
        moves[row["state"]](instance, row)


def _dispatch(instance: Instance, row: sqlite3.Row) -> None:
    target = find(instance.db, row["target_id"])
    if not may_message(instance.db, row["source_id"], row["target_id"]):
        _fail(instance, row, "access denied: workspaces cannot communicate per hierarchy rules")
    elif target is None or target["status"] == "removed":
        _fail(instance, row, "workspace not found")
    elif target["budget_limit"] is not None and target["monthly_spend"] >= target["budget_limit"]:
        _fail(instance, row, "workspace budget limit exceeded")
    elif not target["url"]:
        _move(instance, row, "retried", "dispatched", RETRY_SECONDS)
    elif target["active_tasks"] >= target["max_concurrent_tasks"]:
        _move(instance, row, "queued", "queued", 0)
        _result(instance, row, "queued", "Delegation queued", NOTE)
    else:
        _move(instance, row, "dispatched", "dispatched", ANSWER_SECONDS)
        log_activity(
            instance,
            row["target_id"],
            "a2a_receive",
            f"message/send → {row['target_id']}",
            method="message/send",
            source_id=row["source_id"],
            target_id=row["target_id"],
        )


def _answer(instance: Instance, row: sqlite3.Row) -> None:
    text = _reply(instance, row)
    _result(instance, row, "completed", f"Delegation completed ({text[:PREVIEW]})", {"text": text})
    _status(instance, row, "completed")
    _end(instance, row)
    emit(instance, "DELEGATION_COMPLETE", row["source_id"], delegation_id=row["delegation_id"], response_preview=text)


def _give_up(instance: Instance, row: sqlite3.Row) -> None:
    _fail(instance, row, "failed to reach workspace agent")


def _drain(instance: Instance, row: sqlite3.Row) -> None:
    target = find(instance.db, row["target_id"])
    if target is None or target["active_tasks"] >= target["max_concurrent_tasks"]:
        return
    text = _reply(instance, row)
    body = json.dumps({"text": text, "delegation_id": row["delegation_id"]}, ensure_ascii=False)
    instance.db.run(
        "UPDATE activity SET status = 'completed', summary = ?, response_body = ? WHERE workspace_id = ? "
        "AND method = 'delegate_result' AND json_extract(response_body, '$.delegation_id') = ?",
        f"Delegation completed ({text[:PREVIEW]})",
        body,
        row["source_id"],
        row["delegation_id"],
    )
    _end(instance, row)
    emit(instance, "DELEGATION_COMPLETE", row["source_id"], delegation_id=row["delegation_id"], response_preview=text)


def _fail(instance: Instance, row: sqlite3.Row, error: str) -> None:
    _status(instance, row, "failed", error)
    _result(instance, row, "failed", "Delegation failed", None, error)
    _end(instance, row)
    emit(instance, "DELEGATION_FAILED", row["source_id"], delegation_id=row["delegation_id"], error=error)


def _reply(instance: Instance, row: sqlite3.Row) -> str:
    target = find(instance.db, row["target_id"])
    return reply_of(target["name"] if target else "", row["task"])


def _move(instance: Instance, row: sqlite3.Row, state: str, status: str, seconds: float) -> None:
    instance.db.run(
        "UPDATE handovers SET state = ?, due_at = ? WHERE delegation_id = ?",
        state,
        instance.stamp(after=seconds),
        row["delegation_id"],
    )
    _status(instance, row, status)
    emit(instance, "DELEGATION_STATUS", row["source_id"], delegation_id=row["delegation_id"], status=status)


def _end(instance: Instance, row: sqlite3.Row) -> None:
    # The row stays: its key is answered from it for good.
    instance.db.run("UPDATE handovers SET due_at = NULL WHERE delegation_id = ?", row["delegation_id"])


def _status(instance: Instance, row: sqlite3.Row, status: str, error: str | None = None) -> None:
    instance.db.run(
        "UPDATE activity SET status = ?, error_detail = ? WHERE workspace_id = ? AND method = 'delegate' "
        "AND json_extract(request_body, '$.delegation_id') = ?",
        status,
        error,
        row["source_id"],
        row["delegation_id"],
    )


def _result(
    instance: Instance, row: sqlite3.Row, status: str, summary: str, body: dict[str, Any] | None, error: str = ""
) -> None:
    told = None if body is None else json.dumps({**body, "delegation_id": row["delegation_id"]}, ensure_ascii=False)
    log_activity(
        instance,
        row["source_id"],
        "delegation",
        summary,
        source_id=row["source_id"],
        target_id=row["target_id"],
        method="delegate_result",
        status=status,
        response_body=told,
        error_detail=error or None,
    )
