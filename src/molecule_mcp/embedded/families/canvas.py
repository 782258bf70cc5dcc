"""The one viewport of the canvas."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import decode, number
from molecule_mcp.embedded.calls import Call, answer, refusing, whole
from molecule_mcp.embedded.routing import Route


def get_canvas_viewport(call: Call) -> Response:
    """Where everybody looks."""
    saved = call.db.row("SELECT x, y, zoom FROM viewport")
    place: dict[str, float] = {"x": 0, "y": 0, "zoom": 1} if saved is None else dict(saved)
    return answer({name: whole(value) for name, value in place.items()})


def save_canvas_viewport(call: Call) -> Response:
    """Replace all three numbers; an absent one becomes 0."""
    with refusing(400, "invalid viewport data"):
        given = decode(call.body, {"x": number, "y": number, "zoom": number})
    values = [given.get(name, 0) for name in ("x", "y", "zoom")]
    call.db.run("INSERT OR REPLACE INTO viewport (one, x, y, zoom) VALUES (1, ?, ?, ?)", *values)
    return answer({"status": "saved"})


ROUTES = [
    Route("GET", "/canvas/viewport", auth.anyone, get_canvas_viewport),
    Route("PUT", "/canvas/viewport", auth.canvas, save_canvas_viewport),
]
