"""What every request passes before its route is looked up: CORS, the general rate limit, the tenant guard.

Each step adds its headers to the answer, and an earlier refusal lacks the headers of the later steps.
"""

from starlette.responses import Response

from molecule_mcp.embedded.calls import Call, answer

CANVAS_ORIGINS = ("http://localhost:3000", "http://localhost:3001")
EXEMPT = frozenset({"/health", "/metrics", "/registry/register", "/registry/heartbeat"})
STRICT_PREFIXES = (
    "/health", "/metrics", "/admin", "/workspaces", "/registry", "/approvals", "/events", "/ws", "/org", "/orgs",
    "/settings", "/channels", "/webhooks", "/plugins", "/templates", "/bundles",
)  # fmt: skip
STRICT_POLICY = "default-src 'self'"
LAX_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' ws: wss:; font-src 'self' data:"
)
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET,POST,PUT,PATCH,DELETE,OPTIONS",
    "Access-Control-Allow-Headers": "Origin,Content-Type,X-Workspace-Id,Authorization",
    "Access-Control-Max-Age": "43200",
}


def screen(call: Call, headers: dict[str, str]) -> Response | None:
    """The answer of the first step that stops the request, or None; `headers` gets what the steps add."""
    for step in (cors, rate, guard):
        if (stopped := step(call, headers)) is not None:
            return stopped
    path = call.raw_path
    strict = any(path == prefix or path.startswith(prefix + "/") for prefix in STRICT_PREFIXES)
    headers.update(SECURITY, **{"Content-Security-Policy": STRICT_POLICY if strict else LAX_POLICY})
    return None


def cors(call: Call, headers: dict[str, str]) -> Response | None:
    """Refuse a foreign Origin; answer a preflight."""
    origin = call.headers.get("origin")
    if origin is None or origin in own_origins(call):
        return None
    if origin not in CANVAS_ORIGINS:
        return Response(status_code=403)
    headers.update(
        {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }
    )
    return Response(status_code=204, headers=PREFLIGHT) if call.method == "OPTIONS" else None


def rate(call: Call, headers: dict[str, str]) -> Response | None:
    """Count the request of this peer; X-Forwarded-For is not looked at."""
    if call.instance.requests is None:
        headers["X-Ratelimit-Limit"] = "unlimited"
        return None
    verdict = call.instance.requests.count(call.peer, call.instance.now())
    headers.update(verdict.headers)
    return None if verdict.allowed else too_many(verdict.seconds)


def guard(call: Call, headers: dict[str, str]) -> Response | None:
    """On a hosted tenant, hide everything from requests that do not name its organization."""
    options = call.instance.options
    if options.org_id is None or call.raw_path in EXEMPT or call.raw_path.startswith("/cp/"):
        return None
    if call.headers.get("x-molecule-org-id") == options.org_id:
        return None
    replayed = call.headers.get("fly-replay-src", "").replace(",", ";").split(";")
    if f"state={options.org_id}" in (part.strip() for part in replayed):
        return None
    return None if options.canvas_proxy and same_origin(call) else Response(status_code=404)


def too_many(seconds: int) -> Response:
    """The answer to a spent budget."""
    return answer({"error": "rate limit exceeded", "retry_after": seconds}, 429)


def same_origin(call: Call) -> bool:
    """Whether a browser on the tenant's own pages sent this."""
    origins = own_origins(call)
    referer = call.headers.get("referer", "")
    return call.headers.get("origin") in origins or any(referer.startswith(f"{own}/") for own in origins)


def own_origins(call: Call) -> tuple[str, str]:
    """The origins of the host that was asked."""
    return f"http://{call.host}", f"https://{call.host}"
