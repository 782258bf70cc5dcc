"""What was allowed beforehand allows exactly that call, and is counted as what it is."""

from dataclasses import replace
from typing import Any

import pytest

from molecule_mcp.gate.ahead import Ahead, matching
from molecule_mcp.store.forms import canonical

RESTART = Ahead("restart_workspace", canonical({"workspace_id": "a", "reset": False}), 3, 1000.0)


@pytest.mark.parametrize(
    ("tool", "arguments", "now", "found"),
    [
        ("restart_workspace", {"reset": False, "workspace_id": "a"}, 999.0, True),
        ("restart_workspace", {"reset": True, "workspace_id": "a"}, 999.0, False),
        ("restart_workspace", {"reset": False, "workspace_id": "b"}, 999.0, False),
        ("restart_workspace", {"reset": False, "workspace_id": "a", "more": 1}, 999.0, False),
        ("restart_workspace", {"workspace_id": "a"}, 999.0, False),
        ("delete_workspace", {"reset": False, "workspace_id": "a"}, 999.0, False),
        ("restart_workspace", {"reset": False, "workspace_id": "a"}, 1000.0, False),
    ],
)
def test_only_the_exact_call_in_its_time_is_covered(
    tool: str, arguments: dict[str, Any], now: float, found: bool
) -> None:
    assert matching([RESTART], tool, arguments, now) == (RESTART if found else None)


def test_more_uses_go_on_counting_and_another_date_counts_anew() -> None:
    counter = RESTART.counter("support", "https://acme.example")
    assert counter == (
        '["preauth","support","https://acme.example","restart_workspace",'
        '"{\\"reset\\":false,\\"workspace_id\\":\\"a\\"}",1000.0]'
    )  # Uses of earlier versions stand in stores under this text.
    assert replace(RESTART, max_uses=9).counter("support", "https://acme.example") == counter
    others = {
        replace(RESTART, expires=2000.0).counter("support", "https://acme.example"),
        RESTART.counter("other", "https://acme.example"),
        RESTART.counter("support", "https://other.example"),
        replace(RESTART, arguments="{}").counter("support", "https://acme.example"),
    }
    assert len(others | {counter}) == 5
