"""A server whose tools do everything a tool must not do to stdout; started as a process by test_stdio."""
# ruff: noqa: E402 - the descriptors come first, as in `molecule-mcp serve`

from molecule_mcp.transports.streams import private_stdio

PRIVATE = private_stdio()

import atexit
import ctypes
import os
import subprocess
import sys
import warnings

import anyio
from mcp.server import MCPServer

from molecule_mcp.transports.stdio import serve_stdio

server = MCPServer("noisy")
atexit.register(print, "NOISE at exit")
print("NOISE before serving")


@server.tool()
def shout() -> str:
    """Print in every way there is."""
    print("NOISE printed", flush=True)
    sys.stdout.write("NOISE without a line end")
    os.write(1, b"NOISE written to descriptor 1\n")
    libc = ctypes.CDLL(None)
    libc.puts(b"NOISE from C")
    libc.fflush(None)
    subprocess.run(["/bin/sh", "-c", "echo NOISE from a child; cat"], check=True)
    warnings.warn("NOISE warned", stacklevel=1)
    return f"read {sys.stdin.read()!r}"


@server.tool()
def fail() -> str:
    """Raise."""
    raise RuntimeError("NOISE raised")


@server.tool()
def echo(text: str) -> int:
    """The length of a text."""
    return len(text)


@server.tool()
def large(size: int) -> str:
    """A long answer."""
    return "x" * size


anyio.run(serve_stdio, server, PRIVATE)
