"""The tenant on a socket: in this process, and as one of its own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from molecule_mcp.embedded import Options, serve
from molecule_mcp.embedded.server import family, listener

PROGRAM = """
import asyncio, sys
from pathlib import Path
from molecule_mcp.embedded import Options, serve

options = Options(admin_token="secret", db=Path(sys.argv[1]))
asyncio.run(serve(options, host="127.0.0.1", port=0, started=lambda port: print(port, flush=True)))
print("ended", flush=True)
"""
BOUND = 10.0


async def test_it_says_its_port_answers_and_ends_on_sigterm_with_the_handlers_as_before() -> None:
    former = signal.getsignal(signal.SIGTERM)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(Options(), host="127.0.0.1", port=0, started=port.set_result))
    bound = await asyncio.wait_for(port, BOUND)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bound}", trust_env=False) as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, BOUND)
    assert signal.getsignal(signal.SIGTERM) is former


async def test_an_answer_without_an_end_does_not_keep_it_from_ending() -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    options = Options(admin_token="secret")
    serving = asyncio.create_task(serve(options, host="127.0.0.1", port=0, started=port.set_result))
    address = f"http://127.0.0.1:{await asyncio.wait_for(port, BOUND)}"
    headers = {"Authorization": "Bearer secret"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        workspace = (await client.get("/workspaces")).json()[0]["id"]
        async with client.stream("GET", f"/workspaces/{workspace}/events/stream") as told:
            lines = told.aiter_lines()
            assert await anext(lines) == ": ping"
            os.kill(os.getpid(), signal.SIGTERM)
            assert [line async for line in lines if line] == []
    await asyncio.wait_for(serving, BOUND)


async def test_a_taken_port_is_an_error_before_anything_is_made(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await serve(Options(db=path), host="127.0.0.1", port=taken.getsockname()[1])
    assert path.name not in os.listdir(tmp_path)  # noqa: PTH208


def test_the_socket_names_its_protocol_so_that_answers_leave_at_once() -> None:
    """asyncio switches Nagle's algorithm off only then; an answer took 40 ms otherwise."""
    with listener("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_an_address_with_colons_is_ipv6() -> None:
    assert family("::1") == socket.AF_INET6
    assert family("127.0.0.1") == socket.AF_INET


@asynccontextmanager
async def process(db: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """A tenant process and its address; killed at the latest when the block ends."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(db), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        port = int(await asyncio.wait_for(child.stdout.readline(), BOUND))
        yield child, f"http://127.0.0.1:{port}"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_as_a_process_it_keeps_its_data_and_prints_nothing_of_its_own(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer secret"}
    async with process(tmp_path / "tenant.db") as (child, address):
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
            made = (await client.post("/workspaces", json={"name": "kept"})).json()
            assert (await client.get("/workspaces/%2e%2e")).status_code == 400
            assert (await client.delete("/settings/secrets/a%2Fb")).text == "404 page not found"
        child.terminate()
        out, err = await asyncio.wait_for(child.communicate(), BOUND)
        assert (child.returncode, out, err) == (0, b"ended\n", b"")
    assert set(os.listdir(tmp_path)) == {"tenant.db", "tenant.db.key"}, "a closed database leaves no journal"  # noqa: PTH208
    async with (
        process(tmp_path / "tenant.db") as (_, address),
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        assert (await client.get(f"/workspaces/{made['id']}")).json()["name"] == "kept"
