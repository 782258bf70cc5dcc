"""A host that keeps every byte: the server as its own process over stdio, each line it writes sorted by where it goes.

The protocol is spoken by hand (2025-11-25), so that nothing of what came is lost or mended on the way.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.calls import harness

LONGEST = 64 << 20
"""Bytes of the longest line."""

Line = tuple[str, str, bytes]
"""Sink, the call it belongs to, and what was written."""


@dataclass
class Host:
    """One server process and what it said.

    Args:
        lines: Everything on stdout.
        errors: The file that holds its stderr.
    """

    process: asyncio.subprocess.Process
    errors: Path
    lines: list[Line] = field(default_factory=list[Line])
    waiting: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = field(default_factory=dict[int, Any])
    last: int = 0

    async def request(self, method: str, params: dict[str, Any], by: str = "") -> dict[str, Any]:
        """One request, and the message that answers it."""
        self.last += 1
        number = self.last
        future = asyncio.get_running_loop().create_future()
        self.waiting[number] = (by or method, future)
        await self.write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return await future

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool. Returns the JSON of its answer, with `worked` beside it."""
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": f"progress of {tool}"}}
        told = await self.request("tools/call", params, tool)
        result = told["result"]
        return {"worked": not result.get("isError"), **json.loads(result["content"][0]["text"])}

    async def write(self, message: dict[str, Any]) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()

    async def read(self) -> None:
        """Keep every line until there are no more; forms are answered with exactly what they ask for."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            message = json.loads(line)
            method = message.get("method", "")
            if method == "elicitation/create":
                self.lines.append(("questions", "form", line))
                params = message["params"]
                said = harness.exactly_yes(params["message"], params["requestedSchema"])
                result = said.model_dump(mode="json", by_alias=True, exclude_none=True)
                await self.write({"jsonrpc": "2.0", "id": message["id"], "result": result})
            elif method:
                by = str(message.get("params", {}).get("progressToken", method))
                self.lines.append(("progress" if method == "notifications/progress" else "results", by, line))
            else:
                by, future = self.waiting.pop(message["id"])
                self.lines.append(("results", by, line))
                future.set_result(message)
        for _, future in self.waiting.values():
            future.set_exception(ConnectionError("the server ended"))


@asynccontextmanager
async def host(
    origin: str,
    key: str,
    state: Path,
    errors: Path,
    environ: Mapping[str, str],
    *flags: str,
    asks: bool = True,
) -> AsyncGenerator[Host]:
    """A server process, initialized.

    Args:
        errors: Where its stderr goes.
        asks: Whether the host says that it can show forms.
    """
    env = {
        **os.environ,
        "MOLECULE_MCP_TOOLSETS": "all",
        "MOLECULE_API_URL": origin,
        "MOLECULE_ORG_TOKEN": key,
        **environ,
    }
    args = [*harness.PROGRAM, "serve", "--log-level", "DEBUG", "--state", str(state), *flags]
    with errors.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *args, env=env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, limit=LONGEST
        )
    connected = Host(process, errors)
    reading = asyncio.create_task(connected.read())
    try:
        capabilities: dict[str, Any] = {"elicitation": {"form": {}}} if asks else {}
        info = {"name": "canary", "version": "1"}
        await connected.request(
            "initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": info}
        )
        await connected.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield connected
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reading
