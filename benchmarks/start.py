"""From spawn to the answer of tools/list, modern era, without any client library in the way."""

import json
import subprocess
import sys
import tempfile
import time
from statistics import median

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


def line(number: int, method: str) -> bytes:
    """One request as a line."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": META}}).encode() + b"\n"


def once(command: list[str]) -> float:
    """Milliseconds from spawn to tools/list."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line(1, "server/discover") + line(2, "tools/list"))
        process.stdin.flush()
        while json.loads(process.stdout.readline()).get("id") != 2:
            pass
        took = (time.perf_counter() - began) * 1000
        process.stdin.close()
        process.wait(timeout=20)
    return took


def measure(rounds: int) -> tuple[float, float]:
    """Medians in ms: ours, and the bare one-tool server; in turn, so that both meet the same machine."""
    with tempfile.TemporaryDirectory() as state:
        ours = [sys.executable, "-m", "molecule_mcp", "serve", "--state", state]
        bare = [sys.executable, "-m", "benchmarks.bare"]
        for command in (ours, bare):
            once(command)  # warm the page cache
        pairs = [(once(ours), once(bare)) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
