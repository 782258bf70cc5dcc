"""Messages to agents. The agents here are simulated: each says what it was told, at once, and does nothing."""

from typing import Any, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth, tokens
from molecule_mcp.embedded.agents import reply_of
from molecule_mcp.embedded.bodies import mapping, parse
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.events import log_activity, tell
from molecule_mcp.embedded.routing import Route


def send_message(call: Call) -> Response:
    """Hand a JSON-RPC message to the agent, and its answer back; who names no X-Workspace-ID needs no credential."""
    with refusing(500, "lookup failed"):
        workspace_id = uid(call.path["id"])
    _check_caller(call, workspace_id)
    with refusing(400, "invalid JSON"):
        body = mapping(parse(call.body))
    rows = call.db.rows("SELECT * FROM workspaces WHERE id = ? AND status != 'removed'", workspace_id)
    if not rows:
        raise Refusal(404, "workspace not found")
    row = rows[0]
    if row["budget_limit"] is not None and row["monthly_spend"] >= row["budget_limit"]:
        raise Refusal(402, "workspace budget limit exceeded")
    if not row["url"]:
        return answer({"error": "workspace has no URL", "status": row["status"]}, 503)
    said = _text(body)
    log_activity(
        call.instance, workspace_id, "a2a_receive", f"Message: {said[:80]}", method=str(body.get("method") or "")
    )
    reply = {
        "kind": "message",
        "role": "agent",
        "messageId": call.instance.new_id(),
        "parts": [{"kind": "text", "text": reply_of(row["name"], said)}],
    }
    tell(call.instance, "A2A_RESPONSE", workspace_id, response=reply)
    return answer({"jsonrpc": "2.0", "id": body.get("id") or call.instance.new_id(), "result": reply})


def _check_caller(call: Call, workspace_id: str) -> None:
    """Who names itself has to prove it by its own token; here a workspace messages nobody but itself."""
    caller = call.headers.get("x-workspace-id", "")
    if not caller or caller == workspace_id:
        return
    token = auth.bearer(call)
    if not token:
        raise Refusal(401, "missing caller auth token")
    if not tokens.use_workspace_token(call.instance, token, caller):
        raise Refusal(401, "invalid caller auth token")
    raise Refusal(403, "access denied: workspaces cannot communicate per hierarchy rules")


def _text(body: dict[str, Any]) -> str:
    """The text parts of a message, as far as it has any."""
    params = _within(body, "params")
    parts = cast("Any", _within(params, "message").get("parts"))
    texts = [_object(part).get("text", "") for part in cast("list[Any]", parts)] if isinstance(parts, list) else []
    return " ".join(str(each) for each in texts if each)


def _within(value: dict[str, Any], name: str) -> dict[str, Any]:
    return _object(value.get(name))


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


ROUTES = [Route("POST", "/workspaces/{id}/a2a", auth.anyone, send_message)]
