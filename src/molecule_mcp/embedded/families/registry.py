"""What the registry tells without a credential."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import decode, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.hierarchy import may_message
from molecule_mcp.embedded.routing import Route

PAIR = {"caller_id": text, "target_id": text}


def check_access(call: Call) -> Response:
    """Whether two workspaces may message each other; unknown ones may not."""
    with refusing(400, "invalid request body"):
        given = decode(call.body, PAIR)
        if not (given.get("caller_id") and given.get("target_id")):
            raise Refusal(400, "invalid request body")
        allowed = may_message(call.db, given["caller_id"], given["target_id"])
    return answer({"allowed": allowed})


ROUTES = [Route("POST", "/registry/check-access", auth.anyone, check_access)]
