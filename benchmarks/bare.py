"""The yardstick: a server on the SDK alone, doing the same requests and returning the dicts.

`python -m benchmarks.bare` serves one tool on stdio, `... all` two, `... PORT` two over Streamable HTTP.
"""

import os
import sys
from typing import Any

import httpx
from mcp.server import MCPServer

URL = os.environ.get("BENCH_URL", "")
server = MCPServer("bare", log_level="ERROR")
http: list[httpx.AsyncClient] = []


async def fetched(path: str) -> Any:
    """One request as a user of httpx would make it."""
    if not http:
        http.append(httpx.AsyncClient(base_url=URL, headers={"Authorization": "Bearer " + "k" * 43}))
    return (await http[0].get(path)).json()


@server.tool()
async def get_workspace(workspace: str) -> dict[str, Any]:
    """Read one workspace."""
    return await fetched(f"/workspaces/{workspace}")


async def list_workspaces(limit: int = 50) -> dict[str, Any]:
    """List all workspaces."""
    return {"workspaces": await fetched("/workspaces")}


if __name__ == "__main__":
    if sys.argv[1:]:
        server.add_tool(list_workspaces)
    if sys.argv[1:] in ([], ["all"]):
        server.run()
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
