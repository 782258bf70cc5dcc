"""Images pulled and containers recreated, over the embedded tenant."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Clock, Counted, Rig, answered, asked, refused

from molecule_mcp import embedded
from molecule_mcp.road.calls import Road

TOOL = "refresh_workspace_images"


@pytest.fixture
def undocked(tmp_path: Path) -> Iterator[Rig]:
    """A tenant whose container daemon is down."""
    app = embedded.build(embedded.Options(agents=False, rate_limit=None, docker=False))
    yield Rig(tmp_path, app, Counted(app), Clock())
    app.close()


async def done(road: Road, **given: Any) -> dict[str, Any]:
    """Ask, type the phrase, and return the item."""
    question = await asked(road, TOOL, given)
    assert question.plan.risk == "critical"
    outcome = await answered(road, TOOL, given, question, phrase=question.plan.question.phrase)
    return outcome.structured["items"][0]


async def test_a_pull_alone_touches_nothing_that_runs(rig: Rig) -> None:
    before = rig.statuses()
    told = await done(rig.road())
    assert (len(told["pulled"]), told["recreated"]) == (8, [])
    assert rig.transport.changes == ["POST /admin/workspace-images/refresh?recreate=false"]
    assert rig.statuses() == before


async def test_who_is_killed_is_shown_before_and_then_is(rig: Rig) -> None:
    given = {"runtime": "langgraph", "recreate": True}
    text = "\n".join((await asked(rig.road(), TOOL, given)).plan.question.lines)
    assert "kill 1 running workspace" in text
    assert rig.named("Benchmark Runner") in text
    assert "work in progress" in text
    told = await done(rig.road(), **given)
    assert told["recreated"] == [f"ws-{rig.named('Benchmark Runner')[:12]}"]
    assert rig.statuses()[rig.named("Benchmark Runner")] == "provisioning"


async def test_success_with_everything_failed_is_no_success(undocked: Rig) -> None:
    road, given = undocked.road(), {"runtime": "langgraph"}
    question = await asked(road, TOOL, given)
    error = await refused(answered(road, TOOL, given, question, phrase=question.plan.question.phrase))
    assert "could pull no image" in error.message
    assert (error.sent, error.told()["failed"]) == (True, ["langgraph"])


async def test_a_failure_on_the_way_tells_what_was_done_before_it(undocked: Rig) -> None:
    road, given = undocked.road(), {"runtime": "langgraph", "recreate": True}
    question = await asked(road, TOOL, given)
    error = await refused(answered(road, TOOL, given, question, phrase=question.plan.question.phrase))
    assert (error.sent, error.told()["partial_result"]["failed"]) == ("unknown", ["langgraph"])


async def test_part_of_a_pull_is_told_as_part(rig: Rig) -> None:
    async def half(request: httpx.Request) -> httpx.Response | None:
        told: dict[str, list[str]] = {"pulled": ["crewai"], "failed": ["hermes"], "recreated": []}
        return httpx.Response(200, json=told) if request.method == "POST" else None

    rig.transport.before = half
    assert (await done(rig.road()))["note"] == "1 image could not be pulled."


async def test_a_hosted_tenant_is_said_to_have_no_images(hosted: Road) -> None:
    question = await asked(hosted, TOOL, {})
    error = await refused(answered(hosted, TOOL, {}, question, phrase=question.plan.question.phrase))
    assert (error.sent, "no local containers" in error.message) == (True, True)
