"""A person who is asked about a workspace learns by which names it went lately."""

from typing import Any

import httpx
import pytest

from molecule_mcp.road.calls import Road
from molecule_mcp.road.renames import former
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store.records import KEPT
from tests.road.rig import Rig, asked, refused

HEADING = "Other names within the last 24 hours"


async def rename(road: Road, workspace: str, name: str) -> None:
    """Somebody else on this server renames a workspace, which nobody is asked about."""
    outcome = await road.call(
        Caller(principal="another"), "update_workspace", {"workspace_id": workspace, "name": name}
    )
    assert isinstance(outcome, Done)


async def shown(road: Road, tool: str, workspace: str) -> list[str]:
    """The lines of a question from the one about renames on; none without it."""
    lines = (await asked(road, tool, {"workspace_id": workspace})).plan.question.lines
    places = [place for place, line in enumerate(lines) if line.startswith(HEADING)]
    return list(lines[places[0] :]) if places else []


async def test_every_former_name_of_the_last_day_stands_first_with_its_age(rig: Rig) -> None:
    road, workspace = rig.road(), rig.named("SEO Analyst")
    await rename(road, workspace, "Old team")
    rig.clock.now += 3_600
    await road.call(Caller(), "update_workspace", {"workspace_id": workspace, "role": "Nothing."})
    await rename(road, workspace, "Scratch")
    rig.clock.now += 119
    question = (await asked(rig.road(), "delete_workspace", {"workspace_id": workspace})).plan.question
    assert question.lines[2:5] == (
        f"{HEADING}: 2",
        f'  - "SEO Analyst" until 61 min ago: {workspace}',
        f'  - "Old team" until 1 min ago: {workspace}',
    )


@pytest.mark.parametrize(("seconds", "told"), [(KEPT - 1, True), (KEPT, False)])
async def test_a_name_that_was_lost_longer_ago_is_not_told(rig: Rig, seconds: float, told: bool) -> None:
    road, workspace = rig.road(), rig.named("SEO Analyst")
    await rename(road, workspace, "Old team")
    rig.clock.now += seconds
    assert bool(await shown(road, "delete_workspace", workspace)) is told


async def test_what_goes_with_it_is_told_of_as_well_and_no_other_workspace(rig: Rig) -> None:
    road, above = rig.road(), rig.named("Marketing Lead")
    await rename(road, rig.named("SEO Analyst"), "Scratch")
    await rename(road, rig.named("Engineering Lead"), "Others")
    found = await shown(road, "delete_workspace", above)
    assert [line for line in found if " ago: " in line] == [
        f'  - "SEO Analyst" until 0 min ago: {rig.named("Scratch")}'
    ]


@pytest.mark.parametrize("broken", ["PATCH", "GET"])
async def test_a_rename_whose_end_is_unknown_or_not_read_back_is_told_too(rig: Rig, broken: str) -> None:
    workspace = rig.named("SEO Analyst")
    patched: list[str] = []

    async def fails(request: httpx.Request) -> httpx.Response | None:
        patched.extend([request.method] if request.method == "PATCH" else [])
        return httpx.Response(500) if patched and request.method == broken else None

    rig.transport.before = fails
    error = await refused(rig.road().call(Caller(), "update_workspace", {"workspace_id": workspace, "name": "Scratch"}))
    assert error.sent is not False
    rig.transport.before = None
    assert (await shown(rig.road(), "delete_workspace", workspace))[1] == (
        f'  - "SEO Analyst" until 0 min ago: {workspace}'
    )


async def test_names_on_another_tenant_are_no_business_of_this_one(rig: Rig) -> None:
    workspace = rig.named("SEO Analyst")
    await rename(rig.road(origin="https://other.example"), workspace, "Scratch")
    assert await shown(rig.road(), "delete_workspace", workspace) == []


def test_an_answer_that_knows_no_former_name_tells_none() -> None:
    cut_off: dict[str, Any] = {"settled": {"verdict": "happened", "requests": []}}
    defect: dict[str, Any] = {"failed": {"error": "internal", "message": "A defect: KeyError.", "sent": "unknown"}}
    assert [list(former(answer)) for answer in (cut_off, defect)] == [[], []]
