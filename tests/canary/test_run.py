"""A small run of the canaries, its control, and the search itself."""

import asyncio
from pathlib import Path

import pytest

from tests.canary.calls import CANARIES, calls
from tests.canary.rounds import SINKS, Round, Tally
from tests.canary.run import OFF
from tests.canary.tenant import Leaky
from tests.canary.values import CHANGED, ENCODERS, Canary, found, parts
from tests.explore.mutants import planted

FEW = frozenset({"list_workspaces", "list_channels", "create_channel", "set_workspace_secret", "watch_workspace"})
KEY = Canary("here", "k\"ey_of-the/0rganization+7'\u20ac")


@pytest.mark.parametrize("way", [*ENCODERS, *CHANGED])
def test_a_value_is_found_however_it_is_written(way: str) -> None:
    written = {**ENCODERS, **CHANGED}[way](KEY.value)
    assert [each.place for each in found("results", "x", f"a {written} b".encode(), [KEY])] == ["here"]


def test_a_part_of_a_value_is_found_and_another_value_is_not() -> None:
    assert list(found("results", "x", f"a {KEY.value[:25]}".encode(), [KEY]))
    assert not list(found("results", "x", b"a key of the organization", [KEY]))
    assert not list(found("results", "x", b"short", [Canary("here", "short")]))


def test_what_all_addresses_begin_with_is_no_part() -> None:
    assert parts("https://hooks.slack.com/services/T0EnvQ7/B0EnvW3/Zr8kNv5xTq2LmW9c") == ["Zr8kNv5xTq2LmW9c"[-16:]] * 2


def test_a_find_in_a_long_text_is_told_with_its_line() -> None:
    tally = Tally()
    tally.search([("logs", "x", f"one\ntwo {KEY.value}\nthree\n".encode())], [KEY])
    assert [str(each) for each in tally.finds] == [f"logs (x): here, raw: two {KEY.value}"]
    assert tally.size["logs"] > 0


def test_every_way_to_repeat_a_value_comes_up() -> None:
    place = Leaky(CANARIES)
    place.note("here", KEY.value)
    echoes = " ".join(place.echo() for _ in range(200))
    place.close()
    assert [way for way, encode in ENCODERS.items() if encode(KEY.value) not in echoes] == []


def test_references_lead_to_variables_or_to_files() -> None:
    (one, *_), (other, *_) = (list(calls(hosted=False, files=files, only=FEW)) for files in (False, True))
    assert one[0] == other[0]
    assert "file:" in str(list(calls(hosted=False, files=True, only=FEW)))
    assert "env:" not in str(list(calls(hosted=False, files=True, only=FEW)))


@pytest.mark.parametrize("name", ["good, names", "500 in HTML"])
async def test_no_value_comes_out(tmp_path: Path, name: str) -> None:
    tally = await Round(name, tmp_path / "round", FEW).run()
    assert [str(each) for each in tally.finds] == []
    assert tally.tools >= FEW
    assert tally.worked


async def test_with_nothing_redacted_values_come_out(tmp_path: Path) -> None:
    await asyncio.to_thread(planted, OFF, tmp_path / "copy")
    tally = await Round("good, everything", tmp_path / "round", FEW, tmp_path / "copy").run()
    assert {each.sink for each in tally.finds} == set(SINKS) - {"pages", "terminal"}
