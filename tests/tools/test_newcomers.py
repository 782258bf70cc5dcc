"""What came since a reading."""

import httpx
import pytest
from tests.road.rig import Rig

from molecule_mcp.errors import GateStop, TenantUnreachable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tenant.permit import Permit
from molecule_mcp.tools import newcomers
from molecule_mcp.tools.workspaces import Row


def row(key: str, parent: str | None = None) -> Row:
    return Row(id=key, name=key, status="online", parent_id=parent)


def test_only_new_trees_of_their_own_count_and_a_circle_ends() -> None:
    rows = [row("old"), row("a"), row("b", "a"), row("below-old", "old"), row("x", "y"), row("y", "x")]
    assert [each.id for each in newcomers.fresh({"old"}, rows)] == ["a", "b"]


class Growing:
    """A tenant whose list is one longer at each look, up to a number; reads fail while told to."""

    def __init__(self, rig: Rig, most: int) -> None:
        self.most, self.looks, self.failing = most, 0, range(0)
        rig.transport.before = self
        self.tenant = Tenant(rig.road().context.wire(), Permit(frozenset({"GET /workspaces"})))
        self.notes: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        self.looks += 1
        if self.looks in self.failing:
            return httpx.Response(500, json={"error": "x"})
        rows = [{"id": str(n), "name": "n", "status": "online"} for n in range(min(self.looks, self.most))]
        return httpx.Response(200, json=rows)

    async def progress(self, _done: float, _total: float | None, line: str) -> None:
        self.notes.append(line)

    async def follow(self, rig: Rig, expected: int) -> newcomers.Seen:
        return await newcomers.follow(self.tenant, set(), expected, self.progress, rig.clock.pass_by)


async def test_it_is_followed_until_all_are_there(rig: Rig) -> None:
    growing = Growing(rig, 4)
    seen = await growing.follow(rig, 4)
    assert (seen.state, len(seen.rows)) == ("complete", 4)
    assert growing.notes[-1] == "4 of 4 workspaces are there"


async def test_what_stops_short_is_unknown_after_a_while(rig: Rig) -> None:
    begun = rig.clock.now
    seen = await Growing(rig, 2).follow(rig, 4)
    assert (seen.state, len(seen.rows)) == ("unknown", 2)
    assert rig.clock.now - begun >= 30


async def test_what_keeps_growing_is_said_to_be_still_running(rig: Rig) -> None:
    growing = Growing(rig, 1000)
    seen = await growing.follow(rig, 1000)
    assert (seen.state, len(seen.rows)) == ("still_running", newcomers.LOOKS)


async def test_a_look_that_fails_is_told_and_another_is_taken(rig: Rig) -> None:
    growing = Growing(rig, 3)
    growing.failing = range(1, 3)
    assert (await growing.follow(rig, 3)).state == "complete"
    assert "could not be read" in growing.notes[0]


async def test_silence_names_what_is_there_and_says_never_again(rig: Rig) -> None:
    growing = Growing(rig, 2)
    lost = TenantUnreachable("Lost.", sent="unknown")
    with pytest.raises(TenantUnreachable) as caught:
        doubt = newcomers.Doubt(frozenset(), 5)
        await newcomers.after_silence(growing.tenant, "x", doubt, growing.progress, rig.clock.pass_by, lost)
    assert caught.value.sent == "unknown"
    assert caught.value.details["made"] == [["0", "n", "online"], ["1", "n", "online"]]
    assert "Never import again" in str(caught.value.advice)


async def test_a_second_is_refused_until_all_of_the_first_is_there(rig: Rig) -> None:
    growing = Growing(rig, 5)
    growing.tenant.doubts["x"] = newcomers.Doubt(frozenset(), 2)
    for there in ("1 of 2", "2 of 2"):
        with pytest.raises(GateStop) as caught:
            await newcomers.refuse_in_doubt(growing.tenant, "x")
        assert (caught.value.kind, caught.value.sent) == ("outcome_unknown", False)
        assert there in caught.value.message
    await newcomers.refuse_in_doubt(growing.tenant, "x")
