"""The page of coverage tells of every operation who sends it, or why nobody does."""

from typing import Any

from molecule_mcp.cli import coverage, generate
from molecule_mcp.tools import catalogue

OPERATIONS: dict[str, dict[str, Any]] = {
    "delete_workspace": {"route": "DELETE /workspaces/{id}", "risk": "destroy"},
    "list_all": {"route": "GET /workspaces", "risk": "read"},
    "unknown": {"route": "GET /nowhere", "risk": "read"},
    "old": {"route": "GET /old", "omitted": "alias of list_all"},
}


def test_an_operation_is_sent_by_the_tool_of_its_name_or_by_those_that_send_its_route() -> None:
    tools = {name: tool for name, tool in catalogue().items() if name in {"delete_workspace", "list_workspaces"}}
    page = coverage.page(tools.values(), OPERATIONS)
    assert "4 operations: 2 are sent by 2 tools, 1 are not sent." in page
    assert "| `delete_workspace` | `DELETE /workspaces/{id}` | `delete_workspace` | destroy |" in page
    assert "| `list_all` | `GET /workspaces` | `delete_workspace`, `list_workspaces` | read |" in page
    assert "| `unknown` | `GET /nowhere` | **none yet** | read |" in page
    assert "| `old` | `GET /old` | alias of list_all |" in page.partition("## Not sent")[2]


def test_every_operation_of_the_contract_is_on_the_page() -> None:
    page = coverage.page(catalogue().values(), stated := coverage.stated(generate.ROOT))
    assert [name for name, each in stated.items() if f"| `{name}` | `{each['route']}` |" not in page] == []
