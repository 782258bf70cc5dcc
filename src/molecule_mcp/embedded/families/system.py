"""Health and metrics of the process."""

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.calls import Call, answer, plain
from molecule_mcp.embedded.routing import Route

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


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


ROUTES = [
    Route("GET", "/health", auth.anyone, get_health),
    Route("GET", "/metrics", auth.anyone, get_prometheus_metrics),
]
