"""What requests pass before their route is looked up."""

from collections.abc import Callable

import pytest

from tests.embedded.support import Clock, Desk

HOSTED = "11111111-2222-4333-8444-555555555555"


async def test_a_foreign_origin_is_refused_even_with_a_valid_key(desk: Desk) -> None:
    answer = await desk.org.get("/workspaces", headers={"Origin": "http://elsewhere.example"})
    assert (answer.status_code, answer.content) == (403, b"")
    assert "x-ratelimit-limit" not in answer.headers


async def test_the_canvas_origin_is_told_that_it_is_welcome(desk: Desk) -> None:
    answer = await desk.org.get("/workspaces", headers={"Origin": "http://localhost:3001"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3001"


async def test_a_preflight_ends_at_once_and_costs_nothing(desks: Callable[..., Desk]) -> None:
    desk = desks(rate_limit=1)
    for _ in range(2):
        answer = await desk.http.options("/workspaces", headers={"Origin": "http://localhost:3000"})
        assert answer.status_code == 204
        assert "DELETE" in answer.headers["access-control-allow-methods"]


async def test_options_of_the_own_host_is_an_unknown_route(desk: Desk) -> None:
    answer = await desk.http.options("/workspaces", headers={"Origin": "https://tenant"})
    assert (answer.status_code, answer.text) == (404, "404 page not found")


async def test_the_limit_counts_every_request_and_comes_back_with_the_next_window(
    desks: Callable[..., Desk], clock: Clock
) -> None:
    desk = desks(rate_limit=2)
    first = await desk.http.get("/health")
    assert [first.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")] == ["2", "1", "60"]
    clock.advance(seconds=12.5)
    assert (await desk.http.get("/nowhere")).status_code == 404
    spent = await desk.org.get("/health", headers={"X-Forwarded-For": "10.0.0.1"})
    assert (spent.status_code, spent.json()) == (429, {"error": "rate limit exceeded", "retry_after": 48})
    assert spent.headers["retry-after"] == "48"
    assert "x-frame-options" not in spent.headers
    clock.advance(seconds=48)
    assert (await desk.http.get("/health")).status_code == 200


async def test_a_tenant_without_limit_says_so(desk: Desk) -> None:
    assert (await desk.http.get("/health")).headers["x-ratelimit-limit"] == "unlimited"


@pytest.mark.parametrize("headers", [{}, {"X-Molecule-Org-Id": "other"}, {"Fly-Replay-Src": "state=other"}])
async def test_a_hosted_tenant_hides_from_requests_that_do_not_name_it(
    desks: Callable[..., Desk], headers: dict[str, str]
) -> None:
    answer = await desks(org_id=HOSTED).org.get("/workspaces", headers=headers)
    assert (answer.status_code, answer.content) == (404, b"")
    assert "content-type" not in answer.headers
    assert "x-frame-options" not in answer.headers
    assert answer.headers["x-ratelimit-limit"]


@pytest.mark.parametrize("headers", [{"X-Molecule-Org-Id": HOSTED}, {"Fly-Replay-Src": f"instance=a;state={HOSTED}"}])
async def test_a_hosted_tenant_answers_who_names_it(desks: Callable[..., Desk], headers: dict[str, str]) -> None:
    desk = desks(org_id=HOSTED)
    assert (await desk.org.get("/workspaces", headers=headers)).status_code == 200
    assert (await desk.http.get("/workspaces", headers=headers)).status_code == 401


async def test_health_and_metrics_of_a_hosted_tenant_need_no_header(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id=HOSTED)
    assert (await desk.http.get("/health")).status_code == 200
    assert (await desk.http.get("/metrics")).status_code == 200
    assert (await desk.http.get("/cp/anything")).text == "404 page not found"


async def test_the_canvas_of_a_hosted_tenant_needs_no_header(desks: Callable[..., Desk]) -> None:
    desk = desks(org_id=HOSTED, canvas_proxy=True)
    assert (await desk.org.get("/workspaces", headers={"Referer": "https://tenant/"})).status_code == 200
    assert (await desk.org.get("/workspaces")).status_code == 404


async def test_pages_outside_the_api_have_a_laxer_content_policy(desk: Desk) -> None:
    assert (await desk.http.get("/health")).headers["content-security-policy"] == "default-src 'self'"
    for path in ("/nowhere", "/canvas/viewport", "/workspacesx"):
        assert "unsafe-inline" in (await desk.http.get(path)).headers["content-security-policy"]
