"""Health and metrics."""

from tests.embedded.support import Desk


async def test_health_is_static(desk: Desk) -> None:
    assert (await desk.http.get("/health")).json() == {"status": "ok"}


async def test_metrics_count_requests_by_method_route_and_status(desk: Desk) -> None:
    for _ in range(2):
        await desk.http.get("/workspaces")
    await desk.http.get("/nowhere")
    told = await desk.http.get("/metrics")
    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'molecule_http_requests_total{method="GET",path="/workspaces",status="401"} 2' in told.text
    assert 'molecule_http_requests_total{method="GET",path="",status="404"} 1' in told.text


async def test_loops_tell_their_last_tick_and_only_an_administrator(desk: Desk) -> None:
    desk.clock.advance(seconds=125)
    told = await desk.json("/admin/liveness")
    assert told == {
        "subsystems": {
            "hibernation-monitor": {"last_tick_at": "2026-11-24T09:02:00Z", "seconds_ago": 5},
            "scheduler": {"last_tick_at": "2026-11-24T09:02:00Z", "seconds_ago": 5},
        }
    }
    assert (await desk.http.get("/admin/liveness")).json() == {"error": "admin auth required"}
