"""What a program of the same user writes into the store's own file, with the chain's key or without."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from molecule_mcp.gate import grants
from molecule_mcp.store import approver, chain
from molecule_mcp.store.chain import Key
from molecule_mcp.store.forms import canonical, fingerprint, flat, plan_fields, plan_from
from molecule_mcp.store.records import Grant, Plan
from tests.shell.outside import Waiting


@contextmanager
def rows(at: Waiting) -> Generator[sqlite3.Connection]:
    """The store's file, written from outside."""
    with closing(sqlite3.connect(at.state / "state.db", timeout=30)) as sql, sql:
        yield sql


def plan_of(sql: sqlite3.Connection, code: str) -> Plan:
    """The plan under a code, as it stands there."""
    return plan_from(sql.execute("SELECT plan FROM plans WHERE code = ?", (code.replace("-", ""),)).fetchone()[0])


def yeses(at: Waiting, plan: Plan) -> list[Grant]:
    """Everything that could pass for a yes without the approver's key."""
    own = Ed25519PrivateKey.generate()
    mine = fingerprint(own.public_key().public_bytes_raw())
    known = approver.public(at.state)
    assert known is not None
    signature = own.sign(grants.message(plan.digest, "allow", plan.created)).hex()
    return [
        *(Grant(kind, "allow", plan.created) for kind in ("client_attested", "operator", "none", "human")),
        Grant("human", "allow", plan.created, signature, mine),
        Grant("human", "allow", plan.created, signature, known.fingerprint),
        Grant("human", "allow", plan.created, "00" * 64, known.fingerprint),
        Grant("operator", "allow", plan.created, counted_under="0" * 64),
    ]


def granted_rows(at: Waiting, *, sealed: bool) -> Generator[None]:
    """The row of the plan says that it is granted, in one way after the other.

    Args:
        sealed: Whether the chain's key is read, so that every MAC fits, and the chain tells of the yes too.
    """
    with rows(at) as sql:
        plan = plan_of(sql, at.code)
        before = sql.execute("SELECT state, given, seal FROM plans WHERE id = ?", (plan.id,)).fetchone()
    for grant in yeses(at, plan):
        given, seal = canonical(flat(grant)), "0" * 64
        with rows(at) as sql:
            if sealed:
                key = Key.load(at.state / "chain.key")
                seal = key.mac("grant", plan.id.encode(), plan.digest.encode(), given.encode())
                told = canonical({"plan": plan.id, "digest": plan.digest, **flat(grant)})
                chain.append(sql, key, grant.at, "granted", told)
            change = "UPDATE plans SET state = 'granted', given = ?, seal = ? WHERE id = ?"
            sql.execute(change, (given, seal, plan.id))
        yield
    with rows(at) as sql:
        sql.execute("UPDATE plans SET state = ?, given = ?, seal = ? WHERE id = ?", (*before, plan.id))


def taken_away(at: Waiting) -> Plan:
    """The plan, which is in the store no more."""
    with rows(at) as sql:
        plan = plan_of(sql, at.code)
        sql.execute("DELETE FROM steps WHERE plan = ?", (plan.id,))
        sql.execute("DELETE FROM plans WHERE id = ?", (plan.id,))
    return plan


def exchanged(at: Waiting, wanted: Plan, *, sealed: bool) -> None:
    """Under this code stands another plan: all of it but id and code, with a digest that fits.

    Args:
        sealed: Whether the chain's key is read, so that the row's MAC fits too.
    """
    with rows(at) as sql:
        shown = plan_of(sql, at.code)
        plan = replace(wanted, id=shown.id, code=shown.code, created=shown.created, expires=shown.expires)
        plan = replace(plan, digest=grants.digest(plan))
        seal = "0" * 64
        if sealed:
            seal = Key.load(at.state / "chain.key").mac("plan", plan.id.encode(), plan.digest.encode())
        sql.execute(
            "UPDATE plans SET binding = ?, digest = ?, plan = ?, seal = ? WHERE id = ?",
            (plan.binding, plan.digest, canonical(plan_fields(plan)), seal, plan.id),
        )
        sql.execute("DELETE FROM steps WHERE plan = ?", (plan.id,))
        sql.executemany(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, 'pending')",
            [(plan.id, each.answer, each.index, each.method, each.path, each.body_digest) for each in plan.steps],
        )


def set_back(at: Waiting) -> None:
    """A yes that was used looks unused: plan, steps, intents and the call's own row."""
    with rows(at) as sql:
        plan = plan_of(sql, at.code)
        sql.execute("UPDATE plans SET state = 'granted' WHERE id = ?", (plan.id,))
        sql.execute("UPDATE steps SET state = 'pending' WHERE plan = ?", (plan.id,))
        sql.execute("DELETE FROM intents WHERE plan = ?", (plan.id,))
        sql.execute("DELETE FROM calls")
