"""Hibernation, teams, and the models noted for agents."""

from tests.calls.cases.case import Case, has, lacks, of, workspace

NOTED = "what is noted of an agent, no read shows"

CASES = {
    "hibernate_workspace": Case(of("seo"), unseen="the tenant says so and does nothing", blind=True),
    "expand_team": Case(of("research"), at="/workspaces", seen=has(name="Librarian")),
    "collapse_team": Case(of("finance"), at="/workspaces", seen=lacks(id=workspace("books"))),
    "assign_agent": Case(of("seo", model="claude-opus-4"), unseen=NOTED),
    "replace_agent": Case(of("chief", model="claude-sonnet-4"), unseen=NOTED),
    "remove_agent": Case(of("backend"), unseen=NOTED),
    "move_agent": Case(of("chief", target_workspace_id=workspace("seo")), unseen=NOTED),
}
