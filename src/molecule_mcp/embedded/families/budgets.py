"""Budgets, and the tokens used today."""

import sqlite3
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import INT64, BadBody, mapping, number, parse
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, stored

UNKNOWN = "workspace not found"
NOT_WHOLE = "budget_limit must be an integer (USD cents) or null"
IN_PRICE, OUT_PRICE = 3, 15
"""Millionths of a dollar for a token, whatever the model."""


def get_budget(call: Call) -> Response:
    """Spend and limit of a workspace that is not removed."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    return answer(_budget(_present(call, workspace_id)))


def set_budget(call: Call) -> Response:
    """Set or clear the limit. A number too large for its column wraps around to a negative limit."""
    with refusing(400, "invalid request body"):
        given = mapping(parse(call.body))
    limit = _limit(given)
    with refusing(404, UNKNOWN):
        workspace_id = uid(call.path["id"])
    _present(call, workspace_id)
    sql = "UPDATE workspaces SET budget_limit = ?, updated_at = ? WHERE id = ?"
    call.db.run(sql, limit, call.now, workspace_id)
    return answer(_budget(_present(call, workspace_id)))


def _limit(given: dict[str, Any]) -> int | None:
    if "budget_limit" not in given:
        raise Refusal(400, "budget_limit field is required")
    if given["budget_limit"] is None:
        return None
    try:
        cents = number(given["budget_limit"])
    except BadBody as wrong:
        raise Refusal(400, NOT_WHOLE) from wrong
    if cents < 0:
        raise Refusal(400, "budget_limit must be >= 0 (USD cents)")
    return int(cents) if cents < INT64 else -INT64


def _present(call: Call, workspace_id: str) -> sqlite3.Row:
    row = find(call.db, workspace_id)
    if row is None or row["status"] == "removed":
        raise Refusal(404, UNKNOWN)
    return row


def _budget(row: sqlite3.Row) -> dict[str, Any]:
    limit, spend = row["budget_limit"], row["monthly_spend"]
    left = None if limit is None else limit - spend
    return {"budget_limit": limit, "monthly_spend": spend, "budget_remaining": left}


def get_token_usage(call: Call) -> Response:
    """What agents' answers said of tokens since midnight, UTC; removed workspaces answer as well."""
    with refusing(500, "failed to verify workspace"):
        workspace_id = uid(call.path["id"])
    if find(call.db, workspace_id) is None:
        raise Refusal(404, UNKNOWN)
    since = call.instance.now().replace(hour=0, minute=0, second=0, microsecond=0)
    sums = "count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0)"
    sql = f"SELECT {sums} FROM token_usage WHERE workspace_id = ? AND created_at >= ?"
    calls, given, got = call.db.rows(sql, workspace_id, stored(since))[0]
    millionths = given * IN_PRICE + got * OUT_PRICE
    return answer(
        {
            "input_tokens": given,
            "output_tokens": got,
            "total_calls": calls,
            "estimated_cost_usd": f"{millionths // 10**6}.{millionths % 10**6:06d}",
            "period_start": shown(stored(since)),
            "period_end": shown(stored(since + timedelta(days=1))),
        }
    )


ROUTES = [
    Route("GET", "/workspaces/{id}/budget", auth.workspace, get_budget),
    Route("PATCH", "/workspaces/{id}/budget", auth.admin, set_budget),
    Route("GET", "/workspaces/{id}/metrics", auth.workspace, get_token_usage),
]
