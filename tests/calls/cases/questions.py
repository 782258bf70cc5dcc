"""Questions over several families."""

from tests.calls.cases.case import Case, workspace

CASES = {
    "diagnose_workspace": Case({"workspace": "Newsletter Editor"}, says="OPENAI_API_KEY"),
    "find_broken_schedules": Case({}, says="monthly issue"),
    "find_idle_workspaces": Case({}, says="SEO Analyst"),
    "find_key_holders": Case({}, says="grafana"),
    "find_secret": Case({"key": "OPENAI_API_KEY"}, says="Newsletter Editor"),
    "find_workspace": Case({"name": "seo"}, says=workspace("seo")),
    "get_impact": Case({"of": "delete_workspace", "workspace_id": workspace("support")}, says="Ticket Triage"),
    "get_overview": Case({}, says="Engineering Lead"),
    "get_spend": Case({}, says="Bookkeeper"),
}
