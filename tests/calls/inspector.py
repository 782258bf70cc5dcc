"""The MCP project's own Inspector lists and calls tools, over stdio and over HTTP: `make inspector` (needs npm).

It needs a newer Node than many machines have; npm brings one along for this alone.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from molecule_mcp.prepared import entries
from tests.calls.harness import PROGRAM, http_process, tenant_process

INSPECTOR = [
    "npm", "exec", "--yes", "--package=node@22", "--package=@modelcontextprotocol/inspector@2.12.0", "--",
    "mcp-inspector", "--cli",
]  # fmt: skip


def inspected(*arguments: str) -> dict[str, Any]:
    """What the Inspector prints.

    Raises: SystemExit with its complaints.
    """
    told = subprocess.run([*INSPECTOR, *arguments], capture_output=True, text=True, check=False, timeout=300)
    if told.returncode:
        sys.exit(f"{' '.join(arguments)}\n{told.stdout[-2000:]}\n{told.stderr[-2000:]}")
    return json.loads(told.stdout)


def check(where: str, *server: str) -> None:
    """List every tool without a complaint about a schema, read with one, and see a wrong call refused.

    Raises: AssertionError.
    """
    names = {tool["name"] for tool in inspected(*server, "--method", "tools/list", "--strict")["tools"]}
    assert names == set(entries()), names ^ set(entries())
    found = called(server, "find_workspace", name="SEO Analyst")
    assert found["structuredContent"]["candidates"][0]["name"] == "SEO Analyst", found
    identifier = found["structuredContent"]["candidates"][0]["id"]
    paused = called(server, "pause_workspace", workspace_id=identifier)
    assert paused["structuredContent"]["items"][0]["status"] == "paused", paused
    print(f"{where}: {len(names)} tools listed; read and changed a workspace")


def called(server: tuple[str, ...], tool: str, **arguments: str) -> dict[str, Any]:
    """A tool's result."""
    given = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
    return inspected(*server, *given)


def main() -> None:
    """Both ways in, each with a tenant of its own."""
    with tempfile.TemporaryDirectory() as folder, tenant_process() as tenant:
        check("stdio", *PROGRAM, "serve", "--toolsets", "all", "--state", f"{folder}/stdio")
        Path(folder, "http").mkdir()
        with http_process(tenant, Path(folder, "http")) as doors:
            address = f"http://127.0.0.1:{doors.port}/mcp"
            bearer = f"Authorization: Bearer {doors.bearers['first']}"
            check("HTTP", "--transport", "http", "--server-url", address, "--header", bearer)


if __name__ == "__main__":
    main()
