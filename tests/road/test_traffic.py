"""What a server says when there is no road."""

import json

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.road.traffic import Broken, Caller, silent


async def test_a_broken_road_tells_why_at_every_call() -> None:
    error = ConfigurationError("MOLECULE_ORG_TOKEN is missing.", advice="Set it.")
    broken = Broken(error)
    with pytest.raises(ConfigurationError):
        await broken.call(Caller(), "list_workspaces", {})
    assert json.loads(broken.told(error)) == {
        "error": "configuration",
        "message": "MOLECULE_ORG_TOKEN is missing.",
        "sent": False,
        "advice": "Set it.",
    }
    assert broken.told(RuntimeError("anything else")) == broken.told(error)


async def test_progress_may_be_told_to_nobody() -> None:
    assert await silent(1, None, "x") is None
