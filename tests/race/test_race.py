"""A few uses, births and kills; `make race` makes them all."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.race.births import born
from tests.race.kills import Killing, audited
from tests.race.place import Place, tenant
from tests.race.uses import attested, signed


@pytest.fixture
async def place() -> AsyncGenerator[Place]:
    """A tenant of one test."""
    async with tenant() as started:
        yield started


async def test_one_send_arrives_of_many_uses_that_only_the_claim_tells_apart(place: Place, tmp_path: Path) -> None:
    used = await signed(place, tmp_path, 2, 10, tokens=True)
    assert used.holds, used


async def test_one_send_arrives_of_a_form_s_answer_that_is_replayed_everywhere(place: Place, tmp_path: Path) -> None:
    used = await attested(place, tmp_path, 2, 10)
    assert used.holds, used


@pytest.mark.parametrize(
    ("way", "when"),
    [
        ("form legacy", "after the yes, before it is read again"),
        ("form 2026-07-28", "below the top, when its delete has arrived"),
    ],
)
async def test_a_child_that_nobody_was_shown_stops_the_run(place: Place, tmp_path: Path, way: str, when: str) -> None:
    assert (await born(place, tmp_path, way, when)).wrong == []


async def test_a_killed_process_leaves_nothing_open_and_nothing_is_done_twice(place: Place, tmp_path: Path) -> None:
    found = await Killing(place, tmp_path, tmp_path / "die").run(1, ("claim within", "send after", "outcome within"))
    assert found.wrong == []
    assert found.kills.total() == 3
    assert audited(tmp_path)[0]
