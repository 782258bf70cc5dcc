"""Every success answer of the embedded tenant has the shape that the contract gives it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from molecule_mcp.embedded.routes import ROUTES
from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import ADMIN, Desk

CONTRACT: dict[str, Any] = yaml.load(
    (Path(__file__).parents[1] / "contract" / "openapi.yaml").read_text("utf-8"), yaml.CSafeLoader
)
CHIEF, REFUNDS, SUPPORT, PARTNER, PAPERS = (
    sample_id("workspaces", key) for key in ("chief", "refunds", "support", "partner", "papers")
)
TRIAGE, BOOKS, BACKEND, BENCH = (sample_id("workspaces", key) for key in ("triage", "books", "backend", "bench"))
WRITER = sample_id("workspaces", "copywriter")
UPLOAD = "POST /workspaces/{id}/chat/uploads"
MEMORY = sample_id("memories", "triage:4")
MONTH_END = "month-end-2026-10"
APPROVAL = sample_id("approvals", "refunds:refund_order")
KEY, TOKEN = sample_id("org_tokens", "1"), sample_id("workspace_tokens", "partner")
CHANNEL = sample_id("channels", "support:slack")
PLACES = {"id": CHIEF, "channelId": CHANNEL, "workspaceId": CHIEF, "key": "OPENAI_API_KEY", "approvalId": APPROVAL}
TIMED = {"id": sample_id("workspaces", "triage"), "scheduleId": sample_id("schedules", "triage:queue sweep")}
CONSOLE = "GET /workspaces/{id}/console"
"""Succeeds on hosted tenants only."""
Case = tuple[str, dict[str, str], Any]
"""Route, path parameters and body of one call that succeeds on the sample."""

CASES: tuple[Case, ...] = (
    ("GET /health", {}, None),
    ("GET /workspaces", {}, None),
    ("POST /workspaces", {}, {"name": "managed"}),
    ("POST /workspaces", {}, {"name": "awaited", "runtime": "external"}),
    ("POST /workspaces", {}, {"name": "online", "runtime": "external", "url": "http://x"}),
    ("GET /workspaces/{id}", {}, None),
    ("GET /workspaces/{id}", {"id": PARTNER}, None),
    ("PATCH /workspaces/{id}", {}, {"name": "x"}),
    ("PATCH /workspaces/{id}", {}, {"workspace_dir": "/srv/x"}),
    ("DELETE /workspaces/{id}", {"id": PARTNER}, None),
    ("GET /workspaces/{id}/state", {}, None),
    ("POST /workspaces/{id}/pause", {}, None),
    ("POST /workspaces/{id}/resume", {"id": PAPERS}, None),
    ("POST /workspaces/{id}/restart", {}, None),
    ("GET /workspaces/{id}/secrets", {}, None),
    ("POST /workspaces/{id}/secrets", {}, {"key": "K", "value": "v"}),
    ("PUT /workspaces/{id}/secrets", {}, {"key": "K", "value": "v"}),
    ("GET /workspaces/{id}/secrets/values", {}, None),
    ("DELETE /workspaces/{id}/secrets/{key}", {"id": REFUNDS, "key": "STRIPE_API_KEY"}, None),
    ("GET /settings/secrets", {}, None),
    ("PUT /settings/secrets", {}, {"key": "K", "value": "v"}),
    ("POST /settings/secrets", {}, {"key": "K", "value": "v"}),
    ("DELETE /settings/secrets/{key}", {}, None),
    ("GET /admin/secrets", {}, None),
    ("POST /admin/secrets", {}, {"key": "K", "value": "v"}),
    ("DELETE /admin/secrets/{key}", {}, None),
    ("POST /workspaces/{id}/approvals", {}, {"action": "spend"}),
    ("GET /workspaces/{id}/approvals", {"id": sample_id("workspaces", "backend")}, None),
    ("GET /approvals/pending", {}, None),
    ("POST /workspaces/{id}/approvals/{approvalId}/decide", {"id": REFUNDS}, {"decision": "approved"}),
    ("GET /events", {}, None),
    ("GET /events/{workspaceId}", {}, None),
    ("GET /workspaces/{id}/channels", {"id": SUPPORT}, None),
    ("POST /workspaces/{id}/channels", {}, {"channel_type": "discord",
                                            "config": {"webhook_url": "https://discord.com/api/webhooks/1/t"}}),
    ("GET /channels/adapters", {}, None),
    ("PATCH /workspaces/{id}/channels/{channelId}", {"id": SUPPORT}, {"enabled": False}),
    ("POST /workspaces/{id}/channels/{channelId}/send", {"id": SUPPORT}, {"text": "x"}),
    ("POST /workspaces/{id}/channels/{channelId}/test", {"id": SUPPORT}, None),
    ("DELETE /workspaces/{id}/channels/{channelId}", {"id": SUPPORT}, None),
    ("POST /channels/discover", {}, {"channel_type": "telegram", "workspace_id": CHIEF,
                                     "bot_token": "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQ"}),
    ("GET /workspaces/{id}/schedules", {}, None),
    ("POST /workspaces/{id}/schedules", {}, {"cron_expr": "0 0 31 2 *", "prompt": "p"}),
    ("PATCH /workspaces/{id}/schedules/{scheduleId}", TIMED, {"cron_expr": "0 1 * * *"}),
    ("POST /workspaces/{id}/schedules/{scheduleId}/run", TIMED, None),
    ("GET /workspaces/{id}/schedules/{scheduleId}/history", TIMED, None),
    ("DELETE /workspaces/{id}/schedules/{scheduleId}", TIMED, None),
    ("GET /admin/schedules/health", {}, None),
    ("POST /workspaces/{id}/a2a", {}, {"method": "message/send",
                                       "params": {"message": {"parts": [{"kind": "text", "text": "hello"}]}}}),
    ("GET /workspaces/{id}/tokens", {}, None),
    ("POST /workspaces/{id}/tokens", {}, None),
    ("DELETE /workspaces/{id}/tokens/{tokenId}", {"id": PARTNER, "tokenId": TOKEN}, None),
    ("GET /admin/workspaces/{id}/test-token", {}, None),
    ("GET /org/tokens", {}, None),
    ("POST /org/tokens", {}, None),
    ("POST /org/tokens", {}, {"name": "ci"}),
    ("DELETE /org/tokens/{id}", {"id": KEY}, None),
    ("GET /canvas/viewport", {}, None),
    ("PUT /canvas/viewport", {}, {"x": 1, "zoom": 1.5}),
    ("GET /workspaces/{id}/memory", {"id": sample_id("workspaces", "triage")}, None),
    ("POST /workspaces/{id}/memory", {}, {"key": "k", "value": None, "ttl_seconds": 5}),
    ("GET /workspaces/{id}/memory/{key}", {"id": sample_id("workspaces", "triage"), "key": "cursor"}, None),
    ("DELETE /workspaces/{id}/memory/{key}", {}, None),
    ("POST /workspaces/{id}/memories", {}, {"content": "x", "scope": "GLOBAL"}),
    ("GET /workspaces/{id}/memories", {}, None),
    ("DELETE /workspaces/{id}/memories/{memoryId}", {"id": TRIAGE, "memoryId": MEMORY}, None),
    ("GET /admin/memories/export", {}, None),
    ("POST /admin/memories/import", {}, [{"content": "x", "scope": "LOCAL", "workspace_name": "nobody"}]),
    ("GET /instructions", {}, None),
    ("POST /instructions", {}, {"scope": "global", "title": "t", "content": "c"}),
    ("PUT /instructions/{id}", {"id": sample_id("instructions", "Tone")}, {"priority": 5}),
    ("DELETE /instructions/{id}", {"id": sample_id("instructions", "Tone")}, None),
    ("GET /workspaces/{id}/instructions/resolve", {"id": TRIAGE}, None),
    ("POST /workspaces/{id}/checkpoints", {}, {"workflow_id": "wf", "step_name": "s"}),
    ("GET /workspaces/{id}/checkpoints/latest", {"id": BOOKS}, None),
    ("GET /workspaces/{id}/checkpoints/{wfid}", {"id": BOOKS, "wfid": MONTH_END}, None),
    ("DELETE /workspaces/{id}/checkpoints/{wfid}", {"id": BOOKS, "wfid": MONTH_END}, None),
    ("POST /workspaces/{id}/artifacts", {}, {}),
    ("GET /workspaces/{id}/artifacts", {"id": BACKEND}, None),
    ("POST /workspaces/{id}/artifacts/fork", {"id": BACKEND}, {"name": "fork1"}),
    ("POST /workspaces/{id}/artifacts/token", {"id": BACKEND}, {}),
    ("GET /workspaces/{id}/files", {"id": WRITER}, None),
    ("PUT /workspaces/{id}/files", {"id": WRITER}, {"files": {"a.md": "x"}}),
    ("GET /workspaces/{id}/files/{path}", {"id": WRITER, "path": "voice.md"}, None),
    ("PUT /workspaces/{id}/files/{path}", {"id": WRITER, "path": "notes/a.md"}, {"content": "x"}),
    ("GET /workspaces/{id}/shared-context", {"id": WRITER}, None),
    ("GET /plugins", {}, None),
    ("GET /plugins/sources", {}, None),
    ("GET /workspaces/{id}/plugins", {"id": BACKEND}, None),
    ("POST /workspaces/{id}/plugins", {}, {"source": "superpowers"}),
    ("GET /workspaces/{id}/plugins/available", {}, None),
    ("GET /workspaces/{id}/plugins/compatibility?runtime=langgraph", {"id": BACKEND}, None),
    ("DELETE /workspaces/{id}/plugins/{name}", {"id": BACKEND, "name": "superpowers"}, None),
    ("GET /orgs/{id}/plugins/allowlist", {}, None),
    ("PUT /orgs/{id}/plugins/allowlist", {}, {"plugins": ["superpowers"], "enabled_by": "me"}),
    ("PUT /orgs/{id}/plugins/allowlist", {}, {"enabled_by": "me"}),
    ("GET /templates", {}, None),
    ("POST /templates/import", {}, {"name": "SEO Agent", "files": {"skills/audit/SKILL.md": "# Audit"}}),
    ("GET /bundles/export/{id}", {}, None),
    ("POST /bundles/import", {}, {"name": "Root", "sub_workspaces": [{"name": "a\0b"}, {"name": "Child"}]}),
    ("GET /org/templates", {}, None),
    ("POST /org/import", {}, {"template": {"name": "Org", "workspaces": [{"name": "Boss"}]}}),
    ("POST /org/import", {}, {"template": {"name": "Org", "workspaces": [{"workspace_dir": "x"}]}}),
    ("GET /workspaces/{id}/activity", {}, None),
    ("GET /workspaces/{id}/activity", {"id": sample_id("workspaces", "engineering")}, None),
    ("GET /workspaces/{id}/delegations", {"id": sample_id("workspaces", "engineering")}, None),
    ("GET /workspaces/{id}/delegations", {"id": sample_id("workspaces", "marketing")}, None),
    ("GET /workspaces/{id}/budget", {}, None),
    ("GET /workspaces/{id}/budget", {"id": BOOKS}, None),
    ("PATCH /workspaces/{id}/budget", {}, {"budget_limit": 0}),
    ("PATCH /workspaces/{id}/budget", {"id": BOOKS}, {"budget_limit": None}),
    ("GET /workspaces/{id}/metrics", {}, None),
    ("POST /workspaces/{id}/delegate", {}, {"target_id": BOOKS, "task": "x", "idempotency_key": "k"}),
    ("GET /workspaces/{id}/session-search", {"id": TRIAGE}, None),
    ("GET /workspaces/{id}/traces", {}, None),
    ("POST /workspaces/{id}/notify", {}, {"message": "x"}),
    ("GET /workspaces/{id}/audit", {}, None),
    ("GET /workspaces/{id}/audit", {"id": BOOKS}, None),
    ("POST /registry/check-access", {}, {"caller_id": CHIEF, "target_id": BOOKS}),
    ("GET /admin/liveness", {}, None),
    ("POST /admin/workspace-images/refresh", {}, None),
    ("POST /admin/a2a-queue/drop-stale", {}, None),
    ("POST /workspaces/{id}/hibernate", {"id": BENCH}, None),
    ("POST /workspaces/{id}/expand", {"id": sample_id("workspaces", "research")}, None),
    ("POST /workspaces/{id}/collapse", {"id": SUPPORT}, None),
    ("POST /workspaces/{id}/agent", {"id": BENCH}, {"model": "m"}),
    ("PATCH /workspaces/{id}/agent", {}, {"model": "m"}),
    ("DELETE /workspaces/{id}/agent", {}, None),
    ("POST /workspaces/{id}/agent/move", {}, {"target_workspace_id": BENCH}),
    ("GET /workspaces/{id}/model", {}, None),
    ("GET /workspaces/{id}/model", {"id": BENCH}, None),
    ("PUT /workspaces/{id}/model", {}, {"model": "x"}),
    ("PUT /workspaces/{id}/model", {"id": BENCH}, {"model": ""}),
    ("GET /workspaces/{id}/config", {"id": BENCH}, None),
    ("PATCH /workspaces/{id}/config", {}, {"a": 1}),
)  # fmt: skip


def operation(route: str) -> dict[str, Any]:
    """What the contract says of a route; a query of the call counts for nothing, and a rest of a path is one name."""
    method, path = plain(route).split(" ")
    return CONTRACT["paths"][path][method.lower()]


def plain(route: str) -> str:
    """A route as the contract writes it."""
    return route.partition("?")[0].replace("...}", "}")


def check(route: str, status: int, body: Any) -> None:
    """The body fits the contract's schema of that status."""
    schema = operation(route)["responses"][str(status)]
    while "$ref" in schema:
        schema = CONTRACT["components"]["responses"][schema["$ref"].rsplit("/", 1)[1]]
    content = schema["content"]["application/json"]["schema"]
    rooted = {**content, "components": CONTRACT["components"]}
    validator = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    try:
        validator.validate(body)  # pyright: ignore[reportUnknownMemberType]
    except ValidationError as wrong:
        raise AssertionError(f"{list(wrong.path)}: {wrong.message}") from wrong


def errors() -> Iterator[tuple[str, dict[str, str], Any, int]]:
    """Some documented refusals, with their status."""
    yield "DELETE /workspaces/{id}", {}, None, 409
    yield "GET /workspaces/{id}/state", {"id": sample_id("workspaces", "old-planner")}, None, 404
    yield "POST /workspaces/{id}/memory", {}, {"key": "k", "value": 1, "if_match_version": 4}, 409
    yield "GET /workspaces/{id}/activity", {"id": "x"}, None, 500
    yield "POST /workspaces", {}, {}, 400
    yield "POST /org/import", {}, {"dir": "support-desk"}, 412
    yield "POST /templates/import", {}, {"name": "langgraph", "files": {"a": "b"}}, 409
    yield "PATCH /workspaces/{id}/budget", {}, {}, 400
    yield CONSOLE, {}, None, 501
    yield "POST /workspaces/{id}/hibernate", {}, None, 409
    yield "POST /workspaces/{id}/expand", {"id": BENCH}, None, 400
    yield "POST /workspaces/{id}/agent", {}, {"model": "m"}, 409
    yield "PUT /workspaces/{id}/model", {"id": "x"}, {}, 400
    yield "GET /workspaces/{id}/budget", {"id": sample_id("workspaces", "old-planner")}, None, 404


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
async def test_a_success_has_the_documented_status_and_shape(sample: Desk, case: Case) -> None:
    route, places, body = case
    method, template = route.split(" ")
    path = template.format(**{**PLACES, **places})
    client = (
        await own(sample, places.get("id", CHIEF)) if route.endswith(("/state", "/values")) else sample.client(ADMIN)
    )
    told = await client.request(method, path, json=body)
    assert 200 <= told.status_code < 300, told.text
    check(route, told.status_code, told.json())


async def own(desk: Desk, workspace_id: str) -> Any:
    """A client with the workspace's own token, which alone opens some routes."""
    return desk.client(await desk.token(workspace_id))


@pytest.mark.parametrize("case", list(errors()), ids=lambda case: f"{case[0]} {case[3]}")
async def test_a_refusal_has_the_documented_shape(sample: Desk, case: tuple[str, dict[str, str], Any, int]) -> None:
    route, places, body, status = case
    method, template = route.split(" ")
    told = await sample.org.request(method, template.format(**{**PLACES, **places}), json=body)
    assert told.status_code == status
    check(route, status, told.json())


@pytest.mark.parametrize("unknown", ["1", "not json at all"])
def test_the_check_itself_can_fail(unknown: str) -> None:
    with pytest.raises(AssertionError):
        check("GET /health", 200, {"status": unknown})


def test_every_route_is_an_operation_of_the_contract_and_none_is_there_twice() -> None:
    names = [f"{route.method} {route.template}" for route in ROUTES]
    assert len(names) == len(set(names))
    assert all(operation(name) for name in names)


def test_every_json_route_is_tried() -> None:
    tried = {plain(case[0]) for case in CASES}
    assert {plain(f"{route.method} {route.template}") for route in ROUTES} - tried == {
        "GET /metrics",
        "GET /workspaces/{id}/events/stream",
        CONSOLE,
        UPLOAD,
        "GET /workspaces/{id}/chat/download",  # answers the file itself
        "DELETE /workspaces/{id}/files/{path}",  # never succeeds
    }


async def test_an_upload_has_the_documented_shape(sample: Desk) -> None:
    form = {"files": ("a b.txt", b"x", "text/plain")}
    told = await sample.org.post(UPLOAD.split(" ")[1].format(id=BACKEND), files=form)
    check(UPLOAD, told.status_code, told.json())


async def test_the_console_of_a_hosted_tenant_has_the_documented_shape(desks: Callable[..., Desk]) -> None:
    told = (
        await desks(empty=False, org_id="o")
        .client(ADMIN, **{"X-Molecule-Org-Id": "o"})
        .get(CONSOLE.split(" ")[1].format(id=CHIEF))
    )
    check(CONSOLE, told.status_code, told.json())
