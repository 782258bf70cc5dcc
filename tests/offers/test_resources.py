"""Which tool stands behind an address."""

import pytest

from molecule_mcp.offers.resources import RESOURCES, found, listed
from molecule_mcp.prepared import entries

ALL = {each.tool for each in RESOURCES}


@pytest.mark.parametrize(
    ("uri", "tool", "arguments"),
    [
        ("molecule://org", "get_overview", {}),
        ("molecule://workspaces/Chief%20of%20Staff", "get_workspace", {"workspace": "Chief of Staff"}),
        ("molecule://workspaces/w1/config", "get_config", {"workspace_id": "w1"}),
        ("molecule://workspaces/w1/files", "list_files", {"workspace_id": "w1"}),
        ("molecule://workspaces/w1/files/a/b.md", "read_file", {"workspace_id": "w1", "path": "a/b.md"}),
        ("molecule://workspaces/w1/memories", "search_memories", {"workspace_id": "w1"}),
    ],
)
def test_an_address_leads_to_a_tool_and_its_arguments(uri: str, tool: str, arguments: dict[str, str]) -> None:
    assert found(uri, ALL) == (tool, arguments)


@pytest.mark.parametrize(
    "uri",
    ["", "molecule://", "molecule://org/", "molecule://workspaces/", "molecule://workspaces//config", "file:///etc/x",
     "molecule://workspaces/w1/files/", "molecule://workspaces/w1/secrets", "molecule://workspaces/%ff", "MOLECULE://org"],
)  # fmt: skip
def test_any_other_address_leads_nowhere(uri: str) -> None:
    assert found(uri, ALL) is None


def test_a_resource_whose_tool_cannot_be_used_is_neither_listed_nor_found() -> None:
    assert [each.uri for each in listed({"get_overview"}, templates=False)] == ["molecule://org"]
    assert listed({"get_overview"}, templates=True) == []
    assert found("molecule://workspaces/w1", {"get_overview"}) is None


def test_every_parameter_is_one_that_its_tool_takes() -> None:
    for each in RESOURCES:
        properties = entries()[each.tool].tool["inputSchema"]["properties"]
        arguments = each.arguments(each.uri.replace("{", "").replace("}", "").replace("+", ""))
        assert arguments is not None
        assert arguments.keys() <= properties.keys()
