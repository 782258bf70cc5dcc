"""From spawn to the answer of tools/list, modern era, without any client library in the way; and the memory then."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
Sample = tuple[float, float]
"""Milliseconds to tools/list, and MiB resident then."""


def line(number: int, method: str) -> bytes:
    """One request as a line."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": META}}).encode() + b"\n"


def once(command: list[str]) -> Sample:
    """Start a server, ask for its tools, end it."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line(1, "server/discover") + line(2, "tools/list"))
        process.stdin.flush()
        while json.loads(process.stdout.readline()).get("id") != 2:
            pass
        took = (time.perf_counter() - began) * 1000
        memory = resident(process.pid)
        process.stdin.close()
        process.wait(timeout=20)
    return took, memory


def resident(pid: int) -> float:
    """MiB resident, 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(each.split()[1]) for each in lines if each.startswith("VmRSS")) / 1024


def measure(rounds: int) -> tuple[Sample, Sample]:
    """Medians: ours, and the bare one-tool server; in turn, so that both meet the same machine."""
    with tempfile.TemporaryDirectory() as state:
        ours = [sys.executable, "-m", "molecule_mcp", "serve", "--state", state]
        bare = [sys.executable, "-m", "benchmarks.bare"]
        for command in (ours, bare):
            once(command)  # warm the page cache
        pairs = [(once(ours), once(bare)) for _ in range(rounds)]
    return middle([pair[0] for pair in pairs]), middle([pair[1] for pair in pairs])


def middle(samples: list[Sample]) -> Sample:
    """Medians of both figures."""
    return median(each[0] for each in samples), median(each[1] for each in samples)
