"""What cannot be one plan: calls of which each changes what the other was shown with."""

from typing import Any

import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused

from molecule_mcp.gate.answer import FormAnswer

SECRET = {"key": "WEATHER_KEY", "value_from": "env:MOLECULE_SECRET_KEY"}


@pytest.mark.parametrize("turned", [False, True])
async def test_a_global_secret_and_a_workspaces_own_of_that_name_are_two_yeses(rig: Rig, turned: bool) -> None:
    own = {"workspace_id": rig.named("SEO Analyst"), **SECRET}
    calls: list[dict[str, Any]] = [
        {"tool": "set_global_secret", "arguments": SECRET}, {"tool": "set_workspace_secret", "arguments": own}
    ]  # fmt: skip
    given = {"calls": calls[::-1] if turned else calls}
    question = await asked(rig.road(), "run_plan", given)
    form = FormAnswer(question.plan.id, "accept", {"phrase": question.plan.question.phrase})
    error = await refused(rig.road().call(can_ask(), "run_plan", given, form))
    assert [item["state"] for item in error.details["items"]] == ["done", "not_attempted"]
    assert error.details["cause"]["error"] == "stale_plan"
    left = await asked(rig.road(), "run_plan", given)
    phrase = left.plan.question.phrase
    await answered(rig.road(), "run_plan", given, left, **({"phrase": phrase} if phrase else {"allow": True}))
    assert len(rig.transport.changes) == 2
