"""Templates."""

from tests.calls.cases.case import Case, has

CASES = {
    "list_templates": Case({}, says="langgraph"),
    "import_template": Case(
        {"name": "Night agent", "files": {"config.yaml": "name: Night agent\ntier: 2\n"}},
        at="/templates",
        seen=has(id="night-agent"),
        doubt=True,
    ),
}
