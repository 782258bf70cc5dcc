"""Checkpoints of workflows."""

from tests.calls.cases.case import Case, has, of, under

FLOW = "month-end-2026-10"
LIST = under("books", "checkpoints", FLOW)

CASES = {
    "get_latest_checkpoint": Case(of("books"), says=FLOW),
    "list_checkpoints": Case(of("books", workflow_id=FLOW), says="collect"),
    "save_checkpoint": Case(
        of("books", workflow_id=FLOW, step_name="close", step_index=2), at=LIST, seen=has(step_name="close")
    ),
    "delete_checkpoints": Case(
        of("books", workflow_id=FLOW), at=LIST, seen=has(error="no checkpoints found for workflow")
    ),
}
