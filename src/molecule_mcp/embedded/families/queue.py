"""The queue of messages to busy agents; here only delegations ever wait in it."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, Refusal, answer, number_in, refusing
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.routing import Route

DEFAULT_MINUTES = 60


def drop_stale_queue(call: Call) -> Response:
    """Forget what waits for too long; a delegation that waits on it reads as queued for ever."""
    given = call.query.get("max_age_minutes", "")
    minutes = number_in(given) if given else DEFAULT_MINUTES
    if minutes is None or minutes <= 0:
        raise Refusal(400, "max_age_minutes must be a positive integer")
    of_whom, values = "1", list[str]()
    if target := call.query.get("workspace_id", ""):
        with refusing(500, "failed to drop stale items"):
            of_whom, values = "target_id = ?", [uid(target)]
    age = "julianday(?) - julianday(due_at) > ? / 1440.0"
    sql = f"UPDATE handovers SET state = 'dropped', due_at = NULL WHERE state = 'queued' AND {age} AND {of_whom}"
    return answer({"dropped": call.db.run(sql, call.now, minutes, *values)})


ROUTES = [Route("POST", "/admin/a2a-queue/drop-stale", auth.admin, drop_stale_queue)]
