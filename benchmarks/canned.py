"""An upstream without work of its own: prepared answers over keep-alive connections, in its own process.

`python -m benchmarks.canned ROWS`: GET /workspaces answers that many rows, any other path one workspace.
"""

import asyncio
import json
import sys
from uuid import UUID

ID = "28f5febc-a42c-4eb1-abd6-eb7443e25203"
DETAIL = {
    "active_tasks": 0, "agent_card": None, "collapsed": False, "id": ID, "last_error_rate": 0,
    "last_outbound_at": None, "max_concurrent_tasks": 3, "name": "Plain", "parent_id": None, "role": "Writes docs",
    "runtime": "langgraph", "status": "failed", "tier": 2, "uptime_seconds": 0, "url": "", "x": 10, "y": 20,
}  # fmt: skip
CARD = {"name": "Ext A", "version": "0.1.0", "skills": [{"id": f"s{each}", "name": "Summarise"} for each in range(6)]}
LISTED = {
    **DETAIL, "agent_card": CARD, "budget_limit": 5000, "current_task": "", "monthly_spend": 0,
    "last_sample_error": "workspace start failed", "workspace_dir": None,
}  # fmt: skip


def answer(value: object) -> bytes:
    """A whole HTTP answer."""
    body = json.dumps(value, separators=(",", ":")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def main(rows: int) -> None:
    """Listen on a free port and say which."""
    one = answer(DETAIL)
    page = answer([{**LISTED, "id": str(UUID(int=each)), "name": f"Workspace {each}"} for each in range(rows)])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(page if head.startswith(b"GET /workspaces ") else one)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
