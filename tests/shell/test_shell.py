"""What needs neither `expect` nor curl; `make shell` tries it all."""

from pathlib import Path

from tests.shell.__main__ import Tried, besieged


async def test_a_program_of_the_same_user_makes_no_yes_of_its_own(tmp_path: Path) -> None:
    tried: list[Tried] = []
    outside = ("the right passphrase by stdin, environment and arguments",)
    await besieged(tmp_path, tried.append, outside, ("script",), ("in a terminal",))
    assert [str(each) for each in tried if not each.held] == []
    assert len(tried) == 8
