"""The page of roles says what policy decides, for every tool and every place of a workspace's id."""

from molecule_mcp import tools
from molecule_mcp.cli.matrix import page, row


def test_every_tool_has_its_row() -> None:
    catalogue = tools.catalogue()
    lines = page(catalogue.values()).splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(catalogue)
    assert all(line.count("|") == 7 for line in rows)


def test_a_row_tells_what_each_role_may_do() -> None:
    known = tools.catalogue()
    assert row(known["list_workspaces"]) == ["`list_workspaces`", "read", "goes", "goes", "", "goes"]
    assert row(known["create_org_token"]) == ["`create_org_token`", "critical", "-", "-", "", "phrase"]
    assert row(known["list_pending_approvals"])[2:4] == ["goes, refused", "goes, refused"]
    assert row(known["delete_workspace"])[1:4] == ["destroy to critical", "-", "asks, phrase"]
    assert row(known["delete_workspace"])[4:] == ["`workspace_id` refused", "asks, phrase"]
    assert row(known["get_workspace"])[4] == "`workspace` not found"
    assert row(known["delegate_task"])[4] == "`target_id` refused; `workspace_id` refused"
