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
