"""Tokens of one workspace."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, number_in, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.lifecycle import find
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, shown_or_none
from molecule_mcp.embedded.tokens import live_count, mint_workspace_token

MOST_LIVE = 50
MOST_SKIPPED = 2**62


def list_workspace_tokens(call: Call) -> Response:
    """Live tokens, newest first, one page."""
    with refusing(500, "failed to list tokens"):
        workspace_id = uid(call.path["id"])
    offset = min(max(0, number_in(call.query.get("offset", "")) or 0), MOST_SKIPPED)
    rows = call.db.rows(
        "SELECT * FROM workspace_tokens WHERE workspace_id = ? AND revoked_at IS NULL "
        "ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?",
        workspace_id,
        call.limit(50, 200, over=50),
        offset,
    )
    shown_rows = [
        {
            "id": row["id"],
            "prefix": row["prefix"],
            "created_at": shown(row["created_at"]),
            "last_used_at": shown_or_none(row["last_used_at"]),
        }
        for row in rows
    ]
    return answer({"tokens": shown_rows, "count": len(shown_rows)})


def create_workspace_token(call: Call) -> Response:
    """Mint a token; the only time that it is shown."""
    with refusing(500, "failed to create token"):
        workspace_id = uid(call.path["id"])
        if live_count(call.db, workspace_id) >= MOST_LIVE:
            raise Refusal(429, f"maximum {MOST_LIVE} active tokens per workspace")
        token = mint_workspace_token(call.instance, workspace_id).plaintext
    message = "Save this token now — it cannot be retrieved again."
    return answer({"auth_token": token, "workspace_id": workspace_id, "message": message}, 201)


def revoke_workspace_token(call: Call) -> Response:
    """Turn a token off at once."""
    with refusing(500, "failed to revoke token"):
        revoked = call.db.run(
            "UPDATE workspace_tokens SET revoked_at = ? WHERE id = ? AND workspace_id = ? AND revoked_at IS NULL",
            call.now,
            uid(call.path["tokenId"]),
            uid(call.path["id"]),
        )
    if not revoked:
        raise Refusal(404, "token not found or already revoked")
    return answer({"status": "revoked"})


def mint_test_token(call: Call) -> Response:
    """Mint a token by GET, past the limit of 50."""
    with refusing(500, "lookup failed"):
        workspace_id = uid(call.path["id"])
    if find(call.db, workspace_id) is None:
        raise Refusal(404, "workspace not found")
    token = mint_workspace_token(call.instance, workspace_id).plaintext
    return answer({"auth_token": token, "workspace_id": workspace_id})


ROUTES = [
    Route("GET", "/workspaces/{id}/tokens", auth.workspace, list_workspace_tokens),
    Route("POST", "/workspaces/{id}/tokens", auth.workspace, create_workspace_token),
    Route("DELETE", "/workspaces/{id}/tokens/{tokenId}", auth.workspace, revoke_workspace_token),
    Route("GET", "/admin/workspaces/{id}/test-token", auth.operator, mint_test_token),
]
