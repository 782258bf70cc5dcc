"""What a server says when there is no road."""

import json

import pytest

from molecule_mcp.errors import ArgumentError, ConfigurationError
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


async def test_a_broken_road_tells_another_error_of_ours_as_that_one_in_short_json() -> None:
    broken = Broken(ConfigurationError("No key."))
    assert (
        broken.told(ArgumentError("Zoë is no id.", advice="Look."))
        == '{"error":"arguments","message":"Zoë is no id.","sent":false,"advice":"Look."}'
    )
    assert broken.told(KeyError("x")) == '{"error":"configuration","message":"No key.","sent":false}'
    assert await broken.typed("CODE", Caller()) is None


def test_who_says_nothing_of_itself_is_this_machines_user_without_a_name_or_a_form() -> None:
    caller = Caller()
    assert (caller.principal, caller.client, caller.can_ask, caller.offered) == ("local", "", False, None)
