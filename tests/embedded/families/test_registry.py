"""Who may message whom."""

from typing import Any

import pytest

from molecule_mcp.embedded.sample import sample_id
from tests.embedded.support import UNKNOWN, Desk


def of(key: str) -> str:
    return sample_id("workspaces", key)


@pytest.mark.parametrize(
    ("caller", "target", "allowed"),
    [
        (UNKNOWN, UNKNOWN, True),
        (UNKNOWN, of("chief"), False),
        (of("backend"), of("frontend"), True),
        (of("chief"), of("old-planner"), True),
        (of("chief"), of("backend"), True),
        (of("backend"), of("chief"), True),
        (of("backend"), of("copywriter"), False),
        ("x", of("chief"), False),
    ],
)
async def test_siblings_and_lines_of_descent_may_message_each_other_and_nobody_else(
    sample: Desk, caller: str, target: str, allowed: bool
) -> None:
    told = await sample.http.post("/registry/check-access", json={"caller_id": caller, "target_id": target})
    assert told.json() == {"allowed": allowed}


@pytest.mark.parametrize("body", [{}, {"caller_id": "x"}, {"caller_id": 1, "target_id": "x"}, {"caller_id": "\0"}])
async def test_both_ids_are_needed(sample: Desk, body: Any) -> None:
    told = await sample.http.post("/registry/check-access", json=body)
    assert (told.status_code, told.json()) == (400, {"error": "invalid request body"})
