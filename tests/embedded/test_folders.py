"""Folders of templates and files of containers."""

from molecule_mcp.embedded import folders
from tests.embedded.support import Desk


def test_a_template_stands_for_a_workspace_by_its_folder_or_by_its_config(sample: Desk) -> None:
    db = sample.app.instance.db
    assert folders.namesake(db, "Paper Scout") == "paper-scout"
    assert folders.namesake(db, "langgraph") == "langgraph"
    assert folders.namesake(db, "Nobody") is None


async def test_the_files_of_a_container_go_with_their_workspace(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    db = desk.app.instance.db
    folders.write_container(db, workspace_id, "a.md", "x")
    folders.write_container(db, workspace_id, "a.md", "y")
    row = db.rows("SELECT * FROM workspaces")[0]
    assert folders.container_files(db, row)["a.md"] == "y"
    await desk.org.delete(f"/workspaces/{workspace_id}", params={"purge": "true"})
    assert desk.cell("SELECT count(*) FROM container_files") == 0


def test_only_what_is_online_and_ours_runs(sample: Desk) -> None:
    rows = {row["name"]: row for row in sample.app.instance.db.rows("SELECT * FROM workspaces")}
    running = ("SEO Analyst", "Paper Scout", "Partner Bot", "Benchmark Runner")
    assert [folders.runs(rows[name]) for name in running] == [True, False, False, True]
