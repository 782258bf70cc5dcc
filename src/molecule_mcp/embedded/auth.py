"""Who may call a route: one guard per tier of the contract's authentication matrix.

The order inside each guard is visible from outside: it decides which of the two 401 texts a caller reads, and
which deployments are open until the first workspace token exists.
"""

import hmac

from molecule_mcp.embedded import tokens
from molecule_mcp.embedded.calls import Call, Refusal
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.screen import CANVAS_ORIGINS, same_origin

ADMIN_MISSING = "admin auth required"
ADMIN_INVALID = "invalid admin auth token"
WORKSPACE_MISSING = "missing workspace auth token"
WORKSPACE_INVALID = "invalid workspace auth token"


def bearer(call: Call) -> str:
    """The bearer of a request, or ""; the scheme's case matters, blanks around the token do not."""
    header = call.headers.get("authorization", "")
    return header[len("Bearer ") :].strip() if header.startswith("Bearer ") else ""


def anyone(call: Call) -> None:
    """No check."""
    call.actor = "anyone"


def admin(call: Call) -> None:
    """The admin secret or an organization key; without an admin secret also any workspace token, or everybody
    until the first one exists."""
    token = bearer(call)
    secret = call.instance.options.admin_token
    if secret is None and not tokens.any_live(call.db):
        call.actor = "admin-token"
    elif not token:
        raise Refusal(401, ADMIN_MISSING)
    elif not (_is_org_key(call, token) or _is_secret(call, token)) and (
        secret is not None or not tokens.use_workspace_token(call.instance, token)
    ):
        raise Refusal(401, ADMIN_INVALID)
    if call.headers.get("cookie"):
        call.actor = "session"


def workspace(call: Call) -> None:
    """The admin secret, an organization key or a token of the workspace in the path; never fails open."""
    token = bearer(call)
    if not token:
        if call.instance.options.canvas_proxy and same_origin(call):
            call.actor = "canvas"
            return
        raise Refusal(401, WORKSPACE_MISSING)
    if _is_org_key(call, token) or _is_secret(call, token):
        return
    call.actor = "workspace"
    if not tokens.use_workspace_token(call.instance, token, call.path["id"].lower()):
        raise Refusal(401, WORKSPACE_INVALID)


def own_token(call: Call) -> None:
    """The second check of /state and /secrets/values: while the workspace has a live token, only its own will do.

    Raises:
        StorageError: The id is no UUID.
    """
    workspace_id = uid(call.path["id"])
    if not tokens.live_count(call.db, workspace_id):
        return
    token = bearer(call)
    if not token:
        raise Refusal(401, WORKSPACE_MISSING)
    if not tokens.use_workspace_token(call.instance, token, workspace_id):
        raise Refusal(401, WORKSPACE_INVALID)


def canvas(call: Call) -> None:
    """The admin secret, any workspace token or the canvas itself, never an organization key; everybody until the
    first workspace token exists."""
    if not tokens.any_live(call.db):
        return
    token = bearer(call)
    if token:
        if not (_is_secret(call, token) or tokens.use_workspace_token(call.instance, token)):
            raise Refusal(401, ADMIN_INVALID)
    elif call.headers.get("origin") not in CANVAS_ORIGINS and not (
        call.instance.options.canvas_proxy and same_origin(call)
    ):
        raise Refusal(401, ADMIN_MISSING)


def operator(call: Call) -> None:
    """The admin secret alone, with or without the word Bearer; everybody when none is set."""
    secret = call.instance.options.admin_token
    given = call.headers.get("authorization", "").removeprefix("Bearer ")
    if secret is not None and not hmac.compare_digest(tokens.digest(given), tokens.digest(secret)):
        raise Refusal(401, ADMIN_MISSING)


def _is_org_key(call: Call, token: str) -> bool:
    key = tokens.use_org_key(call.instance, token)
    if key is None:
        return False
    call.actor, call.key_org = f"org-token:{key['prefix']}", key["org_id"]
    return True


def _is_secret(call: Call, token: str) -> bool:
    call.actor = "admin-token"
    secret = call.instance.options.admin_token
    return secret is not None and hmac.compare_digest(tokens.digest(token), tokens.digest(secret))
