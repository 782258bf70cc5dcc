"""Every tool told that the tenant fails, in the ways that are quick to see; `make faults` goes through all of them."""

from pathlib import Path

import pytest

from tests.calls.failing import complaints, unread


@pytest.mark.parametrize("fault", ["404", "500 in HTML", "half a JSON"])
async def test_every_tool_tells_honestly_what_was_sent(tmp_path: Path, fault: str) -> None:
    found = await complaints(fault, tmp_path, quick=True)
    assert not found, "\n".join(found)


async def test_a_change_whose_outcome_cannot_be_read_is_no_failed_change(tmp_path: Path) -> None:
    found = await unread("500 in HTML", tmp_path)
    assert not found, "\n".join(found)
