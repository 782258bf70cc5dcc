"""What an operator looks at, and what reaches every workspace."""

from tests.calls.cases.case import Case

CASES = {
    "get_health": Case({}, says="ok"),
    "get_canvas_viewport": Case({}, says="zoom"),
    "get_prometheus_metrics": Case({}, says="molecule"),
    "get_subsystem_liveness": Case({}, says="scheduler"),
    "drop_stale_queue": Case({"everywhere": True, "max_age_minutes": 60}, unseen="the queue is listed nowhere"),
    "refresh_workspace_images": Case({"runtime": "langgraph"}, unseen="images are listed nowhere", blind=True),
}
