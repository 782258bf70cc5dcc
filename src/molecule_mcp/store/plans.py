"""Plans as rows: the plan whole, as it was sealed, and each of its steps to be claimed once.

Functions of one open transaction of the store.
"""

from sqlite3 import Connection

from molecule_mcp.store.forms import canonical, plain_code, plan_fields
from molecule_mcp.store.records import Plan

SCHEMA = """
CREATE TABLE plans (id TEXT PRIMARY KEY, code TEXT NOT NULL, binding TEXT NOT NULL, digest TEXT NOT NULL,
                    principal TEXT NOT NULL, profile TEXT NOT NULL, origin TEXT NOT NULL,
                    created REAL NOT NULL, expires REAL NOT NULL, state TEXT NOT NULL,
                    given TEXT, seal TEXT, plan TEXT NOT NULL, asks INTEGER NOT NULL);
CREATE INDEX plans_by_code ON plans (code, created);
CREATE INDEX plans_by_binding ON plans (binding, created);
CREATE INDEX plans_by_state ON plans (state, expires);
CREATE TABLE steps (plan TEXT NOT NULL REFERENCES plans, answer TEXT NOT NULL, position INTEGER NOT NULL,
                    method TEXT NOT NULL, path TEXT NOT NULL, body_digest TEXT NOT NULL, state TEXT NOT NULL,
                    PRIMARY KEY (plan, answer, position)) WITHOUT ROWID;
"""


def write(sql: Connection, plan: Plan, seal: str) -> None:
    """Write a new plan, state open, and its steps, state pending."""
    found = (plan.id, plain_code(plan.code), plan.binding, plan.digest, plan.principal, plan.profile, plan.origin)
    sql.execute(
        "INSERT INTO plans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, ?, ?, ?)",
        (*found, plan.created, plan.expires, seal, canonical(plan_fields(plan)), plan.asks),
    )
    sql.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, 'pending')",
        [(plan.id, step.answer, step.index, step.method, step.path, step.body_digest) for step in plan.steps],
    )
