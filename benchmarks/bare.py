"""The yardstick: a one-tool server on the SDK alone, doing the same request and returning the dict."""

import os
from typing import Any

import httpx
from mcp.server import MCPServer

URL = os.environ.get("BENCH_URL", "")
server = MCPServer("bare", log_level="ERROR")
http: list[httpx.AsyncClient] = []


@server.tool()
async def get_workspace(workspace: str) -> dict[str, Any]:
    """Read one workspace."""
    if not http:
        http.append(httpx.AsyncClient(base_url=URL, headers={"Authorization": "Bearer " + "k" * 43}))
    return (await http[0].get(f"/workspaces/{workspace}")).json()


if __name__ == "__main__":
    server.run()
