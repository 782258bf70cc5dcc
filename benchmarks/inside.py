"""A read of the embedded tenant in this process, against the same tenant behind a loopback socket."""

import subprocess
import sys
import time
from statistics import median

import anyio
import httpx
from anyio.streams.buffered import BufferedByteReceiveStream

from molecule_mcp import embedded
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.tenant import Permit, Tenant, Wire
from molecule_mcp.tools.workspaces import Row

BLOCK = 100
ADMIN = "admin-of-the-bench"
ID = sample_id("workspaces", "copywriter")


async def block(tenant: Tenant) -> float:
    """Median milliseconds of one block of reads."""
    took: list[float] = []
    for _ in range(BLOCK):
        began = time.perf_counter()
        await tenant.read("/workspaces/{id}", Row, id=ID)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


async def measure(blocks: int) -> tuple[float, float]:
    """Medians in ms: in process, and over loopback."""
    permit = Permit(routes=frozenset({"GET /workspaces/{id}"}))
    app = embedded.build(embedded.Options(agents=False, rate_limit=None))
    near = Wire("http://127.0.0.1", app.mint_org_key("bench"), transport=httpx.ASGITransport(app), sample=True)
    flags = ["--port", "0", "--memory", "--steady", "--rate-limit", "off", f"--admin-token={ADMIN}"]
    args = [sys.executable, "-m", "molecule_mcp", "tenant", *flags]
    process = await anyio.open_process(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = BufferedByteReceiveStream(process.stderr)
        origin = (await said.receive_until(b"\n", 200)).decode().rsplit(" ", 1)[1]
        ours, theirs = Tenant(near, permit), Tenant(Wire(origin, ADMIN), permit)
        for tenant in (ours, theirs):
            await block(tenant)  # warm
        pairs = [(await block(ours), await block(theirs)) for _ in range(blocks)]
    finally:
        process.terminate()
        await process.wait()
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
