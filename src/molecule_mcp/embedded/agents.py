"""Agents that seem to work: their heartbeats, without agents.

Time goes in ticks of TICK. Each tick draws from a generator seeded with its number, so the same clock gives the same
history. One agent in a few turns busy or idle per tick; whoever ends a task logs it. Ticks that nobody waited for
are caught up, at most MOST_TICKS of them. Starts that end are `lifecycle`'s business.
"""

import random
import sqlite3
from datetime import UTC, datetime, timedelta

from molecule_mcp.embedded.events import log_activity, tell
from molecule_mcp.embedded.instance import Instance

TICK = timedelta(seconds=5)
MOST_TICKS = 12
ECHOED = 500
CHANCE = 0.08
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=7)
TASKS = (
    "Answering a question of the lead",
    "Reading the documents of the week",
    "Writing a short report",
    "Checking the numbers of yesterday",
    "Cleaning up old notes",
    "Preparing the next step",
)
WORKING = (
    "SELECT * FROM workspaces WHERE status IN ('online', 'degraded') AND runtime != 'external' "
    "ORDER BY created_at, rowid"
)


class Agents:
    """The agents of one instance.

    Args:
        instance: Where they live.
        seed: Another seed gives another history.
    """

    def __init__(self, instance: Instance, seed: int = 7) -> None:
        self._instance, self._seed = instance, seed
        self._tick = _number(instance.now())

    def step(self, now: datetime) -> None:
        """Catch up to now."""
        latest = _number(now)
        for tick in range(max(self._tick + 1, latest - MOST_TICKS + 1), latest + 1):
            self._beat(random.Random(f"{self._seed}:{tick}"))
        self._tick = max(self._tick, latest)

    def _beat(self, draw: random.Random) -> None:
        for row in self._instance.db.rows(WORKING):
            if draw.random() >= CHANCE:
                continue
            if row["active_tasks"] and draw.random() < 0.6:
                self._end_task(row)
            elif row["active_tasks"] < row["max_concurrent_tasks"]:
                self._report(row, row["active_tasks"] + 1, draw.choice(TASKS))

    def _end_task(self, row: sqlite3.Row) -> None:
        left = row["active_tasks"] - 1
        self._report(row, left, row["current_task"] if left else "")
        log_activity(self._instance, row["id"], "task_update", f"Done: {row['current_task']}", source_id=row["id"])
        oldest = self._instance.stamp(after=-KEPT.total_seconds())
        self._instance.db.run("DELETE FROM activity WHERE created_at < ?", oldest)

    def _report(self, row: sqlite3.Row, active: int, task: str) -> None:
        sql = (
            "UPDATE workspaces SET active_tasks = ?, current_task = ?, uptime_seconds = uptime_seconds + 5 WHERE id = ?"
        )
        self._instance.db.run(sql, active, task, row["id"])
        tell(self._instance, "TASK_UPDATED", row["id"], active_tasks=active, current_task=task)


def reply_of(name: str, said: str) -> str:
    """What an agent answers: what it was told, and that it is none."""
    return f"{name} (simulated) was told: {said[:ECHOED]}"


def _number(now: datetime) -> int:
    return (now - EPOCH) // TICK
