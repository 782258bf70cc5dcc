"""get_workspace over stdio, modern era, against the same request in a bare SDK tool; medians of blocks."""

import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from statistics import median

from mcp import Client, StdioServerParameters, stdio_client

from benchmarks.canned import ID

BLOCK = 60


@contextmanager
def upstream() -> Generator[str]:
    """The canned upstream's origin."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.canned"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@asynccontextmanager
async def connected(args: list[str], env: dict[str, str]) -> AsyncGenerator[Client]:
    """A client of one server process."""
    parameters = StdioServerParameters(command=sys.executable, args=args, env=env)
    async with Client(stdio_client(parameters), mode="2026-07-28") as client:
        yield client


async def block(client: Client, arguments: dict[str, str]) -> float:
    """Median milliseconds of one block of calls."""
    took: list[float] = []
    for _ in range(BLOCK):
        began = time.perf_counter()
        result = await client.call_tool("get_workspace", arguments)
        took.append((time.perf_counter() - began) * 1000)
        assert not result.is_error, result.content
    return median(took)


async def measure(blocks: int) -> tuple[float, float]:
    """Medians in ms: ours, and the bare SDK tool."""
    given = {"workspace": ID}
    with upstream() as origin, tempfile.TemporaryDirectory() as state:
        ours = {"MOLECULE_API_URL": origin, "MOLECULE_ORG_TOKEN": "kR3x9" * 8 + "abc"}
        async with (
            connected(["-m", "molecule_mcp", "serve", "--state", state], ours) as our,
            connected(["-m", "benchmarks.bare"], {"BENCH_URL": origin}) as bare,
        ):
            await block(our, given), await block(bare, given)
            pairs = [(await block(our, given), await block(bare, given)) for _ in range(blocks)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
