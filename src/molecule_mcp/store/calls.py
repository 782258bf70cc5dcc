"""Changing calls as rows: found again when they are repeated, with the redacted answer they had.

Functions of one open transaction of the store. A row grants nothing: at worst, one written from outside keeps a call
from being made, or tells of one that was not.
"""

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from molecule_mcp.errors import StoreError
from molecule_mcp.store.forms import flat, object_from
from molecule_mcp.store.records import KEPT, Call, CallState, RecordedCall

SCHEMA = """
CREATE TABLE calls (id TEXT PRIMARY KEY, owner TEXT NOT NULL, scope TEXT NOT NULL, tool TEXT NOT NULL,
                    binding TEXT NOT NULL, token TEXT NOT NULL, state TEXT NOT NULL,
                    started REAL NOT NULL, ended REAL, answer TEXT);
CREATE INDEX calls_by_binding ON calls (binding, started);
CREATE INDEX calls_by_token ON calls (token, started) WHERE token != '';
CREATE INDEX calls_by_scope ON calls (scope, started);
CREATE INDEX calls_by_end ON calls (ended);
"""

_ROW = "SELECT id, binding, state, ended, answer FROM calls WHERE "
# Whoever made it: what another principal or profile did to the same tenant undoes it as well. Not so the other calls of
# the plan that asks: what one of those undoes, the plan undoes.
_FOLLOWED = (
    "EXISTS (SELECT 1 FROM calls AS later WHERE later.id != calls.id"
    " AND (later.ended IS NULL OR (later.ended, later.rowid) > (calls.ended, calls.rowid))"
    " AND json_extract(later.scope, '$[2]') = json_extract(calls.scope, '$[2]')"
    " AND json_extract(later.scope, '$[3]') IS NOT :plan)"
)
_BY_TOKEN = f"{_ROW} token = ? AND started > ? ORDER BY started LIMIT 1"
_COUNTS = "(ended > :recent OR (ended > :planned AND json_extract(scope, '$[3]') = :plan))"
_BY_BINDING = (
    f"{_ROW} binding = :binding"
    f" AND (state = 'running' OR (state = 'done' AND {_COUNTS} AND NOT (:latest AND {_FOLLOWED}))"
    " OR (state = 'unknown' AND ended > :doubtful)) ORDER BY started DESC, rowid DESC LIMIT 1"
)
_ANSWERS = (
    "SELECT ended, answer FROM calls WHERE tool = ? AND json_extract(scope, '$[2]') = ? AND ended > ?"
    " AND answer IS NOT NULL ORDER BY ended, rowid"
)
_SENT = (
    "SELECT CASE WHEN json_valid(intents.intent) THEN json_extract(intents.intent, '$.method') || ' ' ||"
    " json_extract(intents.intent, '$.path') END, state, verdict"
    " FROM intents LEFT JOIN settlements ON intents.id = settlements.intent WHERE call = ? ORDER BY intents.rowid"
)


def earlier(sql: Connection, call: Call) -> RecordedCall | None:
    """See `records.Store.earlier`."""
    if call.token:
        return _found(sql, _BY_TOKEN, (call.token, call.at - KEPT))
    return _found(sql, _BY_BINDING, flat(call))


def recorded(sql: Connection, call_id: str) -> RecordedCall | None:
    """See `records.Store.recorded`."""
    return _found(sql, f"{_ROW} id = ?", (call_id,))


def answers(sql: Connection, tool: str, origin: str, since: float) -> list[tuple[float, dict[str, Any]]]:
    """See `records.Store.answers`."""
    return [(ended, object_from(answer)) for ended, answer in sql.execute(_ANSWERS, (tool, origin, since)).fetchall()]


def begin(sql: Connection, owner: str, call: Call) -> None:
    """Write a call that runs, and drop what is too old to count."""
    sql.execute("DELETE FROM calls WHERE ended <= ?", (call.at - KEPT,))
    sql.execute(
        "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, 'running', ?, NULL, NULL)",
        (call.id, owner, call.scope, call.tool, call.binding, call.token, call.at),
    )


def forget(sql: Connection, call_id: str) -> None:
    """Drop a call that sent nothing."""
    sql.execute("DELETE FROM calls WHERE id = ?", (call_id,))


def finish(sql: Connection, call_id: str, state: CallState, at: float, answer: Mapping[str, Any] | None) -> None:
    """Write how a call ended; one without an intent sent nothing, and is dropped."""
    if sql.execute("SELECT 1 FROM intents WHERE call = ? LIMIT 1", (call_id,)).fetchone() is None:
        return forget(sql, call_id)
    # In the order that it was told in.
    text = None if answer is None else json.dumps(answer, separators=(",", ":"))
    change = sql.execute(
        "UPDATE calls SET state = ?, ended = ?, answer = ? WHERE id = ? AND state = 'running'",
        (state, at, text, call_id),
    )
    if change.rowcount != 1:
        raise StoreError("no such call is under way")
    return None


def recover(sql: Connection, living: set[str], now: float) -> None:
    """What calls of processes that are gone came to is unknown."""
    rows = sql.execute("SELECT id, owner FROM calls WHERE state = 'running'").fetchall()
    for call_id, owner in rows:
        if owner not in living:
            finish(sql, call_id, "unknown", now, None)


def settle(sql: Connection, call_id: str | None) -> None:
    """Note what is known by now of an unknown call's requests; one of which nothing happened is dropped."""
    row = sql.execute("SELECT answer FROM calls WHERE id = ? AND state = 'unknown'", (call_id,)).fetchone()
    if row is None:
        return None
    sent = [
        {"request": line or "(cannot be read)", "state": state if verdict is None else verdict}
        for line, state, verdict in sql.execute(_SENT, (call_id,)).fetchall()
    ]
    states = {each["state"] for each in sent}
    if states <= {"did_not_happen"}:
        return forget(sql, str(call_id))
    verdict = "happened" if states <= {"done", "happened"} else "cannot_be_told"
    answer = {**object_from(row[0] or "{}"), "settled": {"verdict": verdict, "requests": sent}}
    sql.execute("UPDATE calls SET answer = ? WHERE id = ?", (json.dumps(answer, separators=(",", ":")), call_id))
    return None


def _found(sql: Connection, query: str, values: Sequence[object] | Mapping[str, object]) -> RecordedCall | None:
    row = sql.execute(query, values).fetchone()
    if row is None:
        return None
    call_id, binding, state, ended, answer = row
    return RecordedCall(call_id, binding, state, ended, None if answer is None else object_from(answer))
