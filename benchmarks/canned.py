"""An upstream without work of its own: one prepared answer, over keep-alive connections, in its own process."""

import asyncio
import json
import sys

ID = "28f5febc-a42c-4eb1-abd6-eb7443e25203"
DETAIL = {
    "active_tasks": 0, "agent_card": None, "collapsed": False, "id": ID, "last_error_rate": 0,
    "last_outbound_at": None, "max_concurrent_tasks": 3, "name": "Plain", "parent_id": None, "role": "Writes docs",
    "runtime": "langgraph", "status": "failed", "tier": 2, "uptime_seconds": 0, "url": "", "x": 10, "y": 20,
}  # fmt: skip


def answer(body: bytes) -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWER = answer(json.dumps(DETAIL, separators=(",", ":")).encode())


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of one connection."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()


async def main() -> None:
    """Listen on a free port and say which."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
