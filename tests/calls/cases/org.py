"""Organization templates."""

from tests.calls.cases.case import Case, has

ORG = {"name": "Org", "workspaces": [{"name": "Boss", "role": "Leads"}]}

CASES = {
    "list_org_templates": Case({}, says="free-beats-all"),
    "import_org": Case({"template": ORG}, at="/workspaces", seen=has(name="Boss"), follows=True),
}
