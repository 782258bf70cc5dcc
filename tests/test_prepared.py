"""The shipped catalogue: every tool as data, read without loading a tool."""

import subprocess
import sys

import pytest

from molecule_mcp import prepared
from molecule_mcp.capability import Risk
from molecule_mcp.gate.policy import Ability

ROW = {
    "family": "workspaces",
    "risk": "destroy",
    "raised_by": {"purge": "critical"},
    "raised_by_fact": {},
    "sends": ["DELETE /workspaces/{id}", "GET /workspaces"],
    "tool": {"name": "delete_workspace", "title": "Delete a workspace"},
}


def test_a_row_is_read_as_what_policy_and_hosts_need() -> None:
    entry = prepared.entry(ROW)
    sends = frozenset({"DELETE /workspaces/{id}", "GET /workspaces"})
    assert entry.ability == Ability("delete_workspace", Risk.DESTROY, sends)
    assert (entry.family, entry.tool) == ("workspaces", ROW["tool"])
    assert entry.facts == {name: ROW[name] for name in ("risk", "raised_by", "raised_by_fact", "sends")}


@pytest.mark.parametrize("missing", sorted(ROW))
def test_a_row_that_lacks_something_stops_the_start(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        prepared.entry({name: value for name, value in ROW.items() if name != missing})


def test_every_tool_is_shipped_under_its_own_name_in_one_order() -> None:
    names = [*prepared.entries()]
    assert names == sorted(names)
    assert [entry.ability.name for entry in prepared.entries().values()] == names
    assert "list_workspaces" in names


def test_reading_the_catalogue_loads_no_tool_no_schema_library_and_no_http_client() -> None:
    heavy = ("pydantic", "httpx", "mcp", "molecule_mcp.tools", "molecule_mcp.tenant", "sqlite3", "cryptography")
    program = (
        "import sys; from molecule_mcp import prepared; prepared.entries();"
        f"print([name for name in sys.modules if name in {heavy!r}])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
