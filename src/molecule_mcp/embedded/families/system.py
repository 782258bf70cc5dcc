"""Health and metrics of the process, and when its background loops last ticked."""

from datetime import timedelta

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, answer, plain
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown, stored

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

LOOPS = {"hibernation-monitor": timedelta(seconds=120), "scheduler": timedelta(seconds=30)}
"""Loops that report their ticks, and how far these are apart."""


def get_health(call: Call) -> Response:
    """Says that the process answers; looks at nothing."""
    return answer({"status": "ok"})


def get_prometheus_metrics(call: Call) -> Response:
    """Requests and their time by method, route and status."""
    counts: list[str] = []
    seconds: list[str] = []
    for (method, pattern, status), (count, total) in call.instance.counted.items():
        labels = f'{{method="{method}",path="{pattern}",status="{status}"}}'
        counts.append(f"molecule_http_requests_total{labels} {count}")
        seconds.append(f"molecule_http_request_duration_seconds_total{labels} {total:g}")
    lines = [
        "# HELP molecule_http_requests_total Total HTTP requests by method, path and status.",
        "# TYPE molecule_http_requests_total counter",
        *counts,
        "# HELP molecule_http_request_duration_seconds_total Cumulative HTTP request duration.",
        "# TYPE molecule_http_request_duration_seconds_total counter",
        *seconds,
        "# HELP molecule_websocket_connections_active Open WebSocket connections.",
        "# TYPE molecule_websocket_connections_active gauge",
        "molecule_websocket_connections_active 0",
    ]
    return plain("\n".join(lines) + "\n", media_type=PROMETHEUS)


def get_subsystem_liveness(call: Call) -> Response:
    """The last tick of each loop, reckoned from the start of the process: nothing ticks here."""
    age = call.instance.now() - call.instance.started
    since = {name: age % interval for name, interval in LOOPS.items()}
    return answer(
        {
            "subsystems": {
                name: {
                    "last_tick_at": shown(stored(call.instance.now() - passed)),
                    "seconds_ago": int(passed.total_seconds()),
                }
                for name, passed in since.items()
            }
        }
    )


ROUTES = [
    Route("GET", "/health", auth.anyone, get_health),
    Route("GET", "/metrics", auth.anyone, get_prometheus_metrics),
    Route("GET", "/admin/liveness", auth.admin, get_subsystem_liveness),
]
