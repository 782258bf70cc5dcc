"""The audit ledger of a workspace. No route writes it: agents fill it out of band, so mostly it is empty."""

import sqlite3
from datetime import datetime
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, number_in, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, stored

BOUNDS = {"from": ("timestamp >= ?", "2026-04-17T00:00:00Z"), "to": ("timestamp < ?", "2026-04-17T23:59:59Z")}
"""Parameter -> its condition, and the example in its refusal."""
PLAIN = ("id", "agent_id", "session_id", "operation", "input_hash", "output_hash", "model_used", "prev_hmac", "hmac")


def query_audit_log(call: Call) -> Response:
    """Oldest first. The chain is never checked, as on a tenant without a ledger salt; no match is null, not []."""
    conditions, values = ["workspace_id = ?"], [call.path["id"]]
    for name in ("agent_id", "session_id"):
        if given := call.query.get(name):
            conditions.append(f"{name} = ?")
            values.append(given)
    for name, (condition, example) in BOUNDS.items():
        if given := call.query.get(name):
            conditions.append(condition)
            values.append(_instant(name, given, example))
    where = " AND ".join(conditions)
    with refusing(500, "query failed"):
        values[0] = uid(values[0])
        sql = f"SELECT * FROM audit WHERE {where} ORDER BY timestamp, rowid LIMIT ? OFFSET ?"
        offset = number_in(call.query.get("offset", ""))
        rows = call.db.rows(sql, *values, call.limit(100, 500, over=500), max(0, offset or 0))
        total = call.db.rows(f"SELECT count(*) FROM audit WHERE {where}", *values)[0][0]
    return answer({"events": [_event(row) for row in rows] or None, "total": total, "chain_valid": None})


def _instant(name: str, given: str, example: str) -> str:
    """A time of the query as rows hold it; a bare date is refused."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in given:
        raise Refusal(400, f"{name} must be RFC 3339 (e.g. {example})")
    return stored(moment)


def _event(row: sqlite3.Row) -> dict[str, Any]:
    flags = {name: bool(row[name]) for name in ("human_oversight_flag", "risk_flag")}
    told = {name: row[name] for name in PLAIN} | flags
    return told | {"workspace_id": row["workspace_id"], "timestamp": shown(row["timestamp"])}


ROUTES = [Route("GET", "/workspaces/{id}/audit", auth.workspace, query_audit_log)]
