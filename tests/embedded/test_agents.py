"""Simulated agents."""

from collections.abc import Callable
from itertools import pairwise

from tests.embedded.support import Clock, Desk


def load(desk: Desk) -> list[tuple[str, int, str]]:
    """Who does what, in the database."""
    sql = "SELECT name, active_tasks, current_task FROM workspaces ORDER BY created_at, rowid"
    return [tuple(row) for row in desk.app.database.execute(sql)]


async def test_agents_turn_busy_and_idle_as_time_passes_and_the_same_clock_tells_the_same_story(
    desks: Callable[..., Desk], clock: Clock
) -> None:
    one, other = (desks(empty=False, agents=True) for _ in range(2))
    seen = [load(one)]
    for _ in range(40):
        clock.advance(seconds=5)
        await one.http.get("/health")
        await other.http.get("/health")
        seen.append(load(one))
    assert load(one) == load(other)
    changes = [(was[1], now[1]) for a, b in pairwise(seen) for was, now in zip(a, b, strict=True)]
    assert any(now > was for was, now in changes)
    assert any(now < was for was, now in changes)
    assert one.cell("SELECT count(*) FROM activity WHERE summary LIKE 'Done: %'") > 0


async def test_agents_never_exceed_their_capacity_and_an_idle_one_has_no_task(
    desks: Callable[..., Desk], clock: Clock
) -> None:
    desk = desks(empty=False, agents=True)
    for _ in range(200):
        clock.advance(seconds=60)
        await desk.http.get("/health")
    working = "FROM workspaces WHERE status IN ('online', 'degraded')"
    assert desk.cell(f"SELECT count(*) {working} AND active_tasks > max_concurrent_tasks") == 0
    assert desk.cell(f"SELECT count(*) {working} AND active_tasks = 0 AND current_task != ''") == 0


async def test_whoever_is_paused_or_outside_stays_as_it_is(desks: Callable[..., Desk], clock: Clock) -> None:
    desk = desks(empty=False, agents=True)
    still = "SELECT group_concat(active_tasks) FROM workspaces WHERE status = 'paused' OR runtime = 'external'"
    before = desk.cell(still)
    clock.advance(hours=5)
    await desk.http.get("/health")
    assert desk.cell(still) == before


async def test_without_agents_nothing_moves(sample: Desk, clock: Clock) -> None:
    before = load(sample)
    clock.advance(hours=5)
    await sample.http.get("/health")
    assert load(sample) == before


async def test_activity_older_than_a_week_goes(desks: Callable[..., Desk], clock: Clock) -> None:
    desk = desks(empty=False, agents=True)
    clock.advance(days=8)
    for _ in range(20):
        clock.advance(minutes=1)
        await desk.http.get("/health")
    assert desk.cell("SELECT min(created_at) FROM activity") > "2026-12-02"
