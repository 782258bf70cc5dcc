"""What the tenant says of itself, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, can_ask, refused

from molecule_mcp.errors import TenantUnreadable
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.tools.admin import samples, state


async def answer(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    outcome = await rig.road().call(can_ask(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured


def always(text: str) -> Any:
    """A tenant whose every answer is this text."""

    async def before(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text)

    return before


async def test_health_and_viewport_are_told(rig: Rig) -> None:
    assert await answer(rig, "get_health") == {"status": "ok"}
    assert await answer(rig, "get_canvas_viewport") == {"x": 0, "y": 0, "zoom": 1}
    rig.app.database.execute("INSERT INTO viewport VALUES (1, -5.5, 7, 2)")
    assert await answer(rig, "get_canvas_viewport") == {"x": -5.5, "y": 7, "zoom": 2}


async def test_metrics_are_a_table_that_can_be_narrowed(rig: Rig) -> None:
    for _ in range(3):
        await answer(rig, "get_health")
    told = await answer(rig, "get_prometheus_metrics", contains="requests_total")
    assert told["rows"] == [['molecule_http_requests_total{method="GET",path="/health",status="200"}', 3]]
    told = await answer(rig, "get_prometheus_metrics", limit=1)
    assert told["rows"] == [["molecule_websocket_connections_active", 0]]
    assert told["left_out"] > 0


async def test_metrics_of_any_size_make_a_small_answer(rig: Rig) -> None:
    rig.transport.before = always("".join(f'm{{path="{"x" * 400}{place}"}} {place}\n' for place in range(5000)))
    told = await answer(rig, "get_prometheus_metrics", limit=200)
    assert len(str(told)) < 27_000
    assert told["left_out"] == 5000 - len(told["rows"])
    assert told["rows"][0][1] == 4999


def test_series_without_labels_come_first_and_values_that_are_no_numbers_stay_text() -> None:
    text = '# HELP a x\na{k="a b"} 1.5 1700000000\nb NaN\nc{q="0.5"} 2e3\nd{q="1"} +Inf\n\nd_count 7\n'
    found = [("b", "NaN"), ("d_count", 7), ('c{q="0.5"}', 2000), ('a{k="a b"}', 1.5), ('d{q="1"}', "+Inf")]
    assert samples(text) == found


@pytest.mark.parametrize("text", ["", "<html>no</html>", "a\n", "a one\n", "{} 1\n"])
def test_what_are_no_metrics_is_not_told_as_such(text: str) -> None:
    with pytest.raises(TenantUnreadable):
        samples(text)


async def test_loops_are_told_with_what_is_late_or_missing(rig: Rig) -> None:
    told = await answer(rig, "get_subsystem_liveness")
    assert {loop["name"]: loop["state"] for loop in told["loops"]} == {
        "hibernation-monitor": "ticking",
        "scheduler": "ticking",
    }
    assert told["missing"] == []
    tick = {"last_tick_at": "2026-11-23T06:54:32.467377699Z", "seconds_ago": 61}

    async def before(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"subsystems": {"scheduler": tick, "other": tick}})

    rig.transport.before = before
    told = await answer(rig, "get_subsystem_liveness")
    assert [loop["state"] for loop in told["loops"]] == ["late", "unknown"]
    assert told["missing"] == ["hibernation-monitor"]


@pytest.mark.parametrize(("seconds", "said"), [(0, "ticking"), (59, "ticking"), (60, "late")])
def test_a_loop_is_late_from_twice_its_interval(seconds: int, said: str) -> None:
    assert state("scheduler", seconds) == said


async def test_an_answer_that_is_not_the_tenants_is_no_health(rig: Rig) -> None:
    rig.transport.before = always("ok")
    assert (await refused(rig.road().call(Caller(), "get_health", {}))).kind == "unreadable_answer"
