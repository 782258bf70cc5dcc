"""Workspaces and their life."""

from tests.calls.cases.case import Case, has, lacks, of, under, workspace

SEO, PAPERS = under("seo"), under("papers")

CASES = {
    "list_workspaces": Case({}, says="SEO Analyst"),
    "get_workspace": Case({"workspace": "SEO Analyst"}, says=workspace("seo")),
    "create_workspace": Case({"name": "Night Watch"}, at="/workspaces", seen=has(name="Night Watch")),
    "update_workspace": Case(of("seo", role="Reads"), at=SEO, seen=has(role="Reads")),
    "pause_workspace": Case(of("seo"), at=SEO, seen=has(status="paused")),
    "resume_workspace": Case(of("papers"), at=PAPERS, seen=lambda row: row["status"] != "paused"),
    "restart_workspace": Case(of("seo"), at=SEO, seen=has(status="provisioning")),
    "delete_workspace": Case(of("seo"), at="/workspaces", seen=lacks(id=workspace("seo"))),
}
