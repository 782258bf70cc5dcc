"""Calls against the same request in a bare SDK tool, modern era; medians of blocks, in turn, in one run."""

import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import create_server
from statistics import median
from typing import Any, Literal

import anyio
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.canned import ID

BLOCK = 40
KEY = "kR3x9" * 8 + "abc"
BEARER = "bench-bearer-of-at-least-32-characters"
Door = Literal["stdio", "http"]
MODE = "2026-07-28"


@contextmanager
def upstream(rows: int) -> Generator[str]:
    """The canned upstream's origin."""
    args = [sys.executable, "-m", "benchmarks.canned", str(rows)]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@asynccontextmanager
async def over_stdio(args: list[str], env: dict[str, str]) -> AsyncGenerator[Client]:
    """A client of one server process."""
    parameters = StdioServerParameters(command=sys.executable, args=args, env=env)
    async with Client(stdio_client(parameters), mode=MODE) as client:
        yield client


@asynccontextmanager
async def over_http(args: list[str], env: dict[str, str], port: int) -> AsyncGenerator[Client]:
    """A client of one server process behind HTTP."""
    process = await anyio.open_process([sys.executable, *args], env=env, stdout=None, stderr=subprocess.DEVNULL)
    try:
        headers = {"Authorization": f"Bearer {BEARER}"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
            await listening(port)
            async with Client(
                streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http), mode=MODE
            ) as it:
                yield it
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Wait until somebody answers on a port."""
    with anyio.fail_after(20):
        while True:
            try:
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
            except OSError:
                await anyio.sleep(0.05)
            else:
                return


def free_port() -> int:
    """A port that was free just now."""
    with create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@asynccontextmanager
async def both(door: Door, origin: str, state: str) -> AsyncGenerator[tuple[Client, Client]]:
    """Clients of our server and of the bare one."""
    ours = {"MOLECULE_API_URL": origin, "MOLECULE_ORG_TOKEN": KEY}
    serve = ["-m", "molecule_mcp", "serve", "--state", state]
    if door == "stdio":
        async with (
            over_stdio(serve, ours) as our,
            over_stdio(["-m", "benchmarks.bare", "all"], {"BENCH_URL": origin}) as bare,
        ):
            yield our, bare
        return
    bearers = Path(state) / "bearers"
    bearers.touch(mode=0o600)
    bearers.write_text(f"bench {BEARER}\n")
    port, other = free_port(), free_port()
    flags = ["--http", "--port", str(port), "--bearer-file", str(bearers)]
    async with (
        over_http([*serve, *flags], ours, port) as our,
        over_http(["-m", "benchmarks.bare", str(other)], {"BENCH_URL": origin}, other) as bare,
    ):
        yield our, bare


async def block(client: Client, tool: str, given: dict[str, Any]) -> float:
    """Median milliseconds of one block of calls."""
    took: list[float] = []
    for _ in range(BLOCK):
        began = time.perf_counter()
        result = await client.call_tool(tool, given)
        took.append((time.perf_counter() - began) * 1000)
        assert not result.is_error, result.content
    return median(took)


async def measure(door: Door, tool: str, given: dict[str, Any], rows: int, blocks: int) -> tuple[float, float]:
    """Medians in ms: ours, and the bare SDK tool."""
    with upstream(rows) as origin, tempfile.TemporaryDirectory() as state:
        async with both(door, origin, state) as (our, bare):
            for client in (our, bare):
                await block(client, tool, given)  # warm
            pairs = [(await block(our, tool, given), await block(bare, tool, given)) for _ in range(blocks)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


async def rate(client: Client, flight: int) -> float:
    """Calls a second with that many under way."""
    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(flight):
            group.start_soon(several, client, 8)
    return flight * 8 / (time.perf_counter() - began)


async def several(client: Client, number: int) -> None:
    """Calls one after the other."""
    for _ in range(number):
        await client.call_tool("get_workspace", {"workspace": ID})


async def together(flight: int, blocks: int) -> tuple[float, float]:
    """Medians in calls a second over stdio: ours, and the bare SDK tool."""
    with upstream(1) as origin, tempfile.TemporaryDirectory() as state:
        async with both("stdio", origin, state) as (our, bare):
            for client in (our, bare):
                await rate(client, flight)  # warm
            pairs = [(await rate(our, flight), await rate(bare, flight)) for _ in range(blocks)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
