"""When a person may be asked: one question of a principal at a time, and nothing that rests after two noes.

Functions of one open transaction of the store. Until a plan is granted, its `given` lists the processes whose forms ask
about it, "" for a way that outlives them.
"""

import json
from collections.abc import Callable
from sqlite3 import Connection

from molecule_mcp.store.forms import canonical, plan_from, stored
from molecule_mcp.store.records import RESTS, Hindrance, Plan

SCHEMA = """
CREATE TABLE refusals (principal TEXT NOT NULL, target TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX refusals_by_target ON refusals (principal, target, at);
"""

_ANOTHER = (
    "SELECT id, given, plan FROM plans WHERE state = 'open' AND asks AND principal = ? AND expires > ? AND binding != ?"
    " ORDER BY created"
)
_REFUSED = "SELECT at FROM refusals WHERE principal = ? AND target = ? ORDER BY at DESC LIMIT 2"


def hindrance(
    sql: Connection,
    plan: Plan,
    living: Callable[[], set[str]],
    end: Callable[[Connection, str, float], None],
) -> Hindrance | None:
    """What stands against asking about a new plan; see `records.Store.open_plan`.

    Args:
        living: Who lives.
        end: Ends a question, by its plan's id and the time, that nobody can answer any more.
    """
    return _open(sql, plan, living, end) or _resting(sql, plan)


def asked(sql: Connection, plan_id: str, by: str) -> None:
    """Note one more process that asks about an open plan, or ""."""
    row = sql.execute("SELECT given FROM plans WHERE id = ? AND state = 'open'", (plan_id,)).fetchone()
    if row is not None:
        given = canonical(sorted({by, *_ways(row[0])}))
        sql.execute("UPDATE plans SET given = ? WHERE id = ?", (given, plan_id))


def declined(sql: Connection, plan_id: str, now: float) -> None:
    """Count a person's no for every target of a plan, and drop what is too old to count."""
    sql.execute("DELETE FROM refusals WHERE at <= ?", (now - 2 * RESTS,))
    (text,) = sql.execute("SELECT plan FROM plans WHERE id = ?", (plan_id,)).fetchone()
    plan = plan_from(text)
    rows = [(plan.principal, target, now) for target in plan.question.targets]
    sql.executemany("INSERT INTO refusals VALUES (?, ?, ?)", rows)


def _open(
    sql: Connection, plan: Plan, living: Callable[[], set[str]], end: Callable[[Connection, str, float], None]
) -> Hindrance | None:
    rows = sql.execute(_ANOTHER, (plan.principal, plan.created, plan.binding)).fetchall()
    answering = {"", *living()} if rows else set[str]()
    for plan_id, given, text in rows:
        if given is None or not answering.isdisjoint(_ways(given)):
            other = plan_from(text)
            return Hindrance(other.expires, other)
        # The answer to a form comes through the process that showed it, or not at all.
        end(sql, plan_id, plan.created)
    return None


def _ways(given: str | None) -> set[str]:
    with stored():
        return set(json.loads(given or "[]"))


def _resting(sql: Connection, plan: Plan) -> Hindrance | None:
    for target in (*plan.question.targets, *plan.question.touches):
        last = [at for (at,) in sql.execute(_REFUSED, (plan.principal, target)).fetchall()]
        if len(last) == 2 and last[0] - last[1] <= RESTS and plan.created < last[0] + RESTS:
            return Hindrance(last[0] + RESTS)
    return None
