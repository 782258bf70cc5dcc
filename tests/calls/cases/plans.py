"""Several changing calls under one yes."""

from tests.calls.cases.case import Case, has, of, under

CASES = {
    "run_plan": Case(
        {"calls": [{"tool": "pause_workspace", "arguments": of("market")}]},
        at=under("market"),
        seen=has(status="paused"),
    ),
}
