"""Every tool against every way for a tenant to fail: `make faults`."""

from pathlib import Path

import pytest

from tests.calls.failing import complaints
from tests.calls.faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_tool_tells_honestly_what_was_sent(tmp_path: Path, fault: str) -> None:
    found = await complaints(fault, tmp_path)
    assert not found, "\n".join(found)
