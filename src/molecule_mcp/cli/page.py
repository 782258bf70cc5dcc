"""`molecule-mcp page`: the page for people, on loopback; also beside `serve`, from the first call on that needs it."""

import hashlib
import socket
import sys
import threading
from argparse import Namespace
from pathlib import Path

import uvicorn

from molecule_mcp.cli.listening import bound
from molecule_mcp.cli.profile import state_of
from molecule_mcp.console.app import Desk, application
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.gate import grants
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Outputs, Typed
from molecule_mcp.store.sqlite import SqliteStore

HOST = "127.0.0.1"
DYNAMIC = range(49152, 65536)
"""Ports that no service is registered for (RFC 6335, 6)."""


def run(arguments: Namespace) -> int:
    """Serve until interrupted; the address goes to stdout.

    Raises: ConfigurationError when the port cannot be had.
    """
    folder = state_of(arguments)
    listener = bound(HOST, arguments.port)
    print(address(listener), flush=True)
    print("molecule-mcp: the page for people; Ctrl-C ends it", file=sys.stderr, flush=True)
    server(folder, Redactor()).run(sockets=[listener])
    return 0


def address(listener: socket.socket) -> str:
    """Where the page is found."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def desk(folder: Path, redactor: Redactor) -> Desk:
    """What people decide about: everything in one state folder."""
    return Desk(
        store=SqliteStore(folder, redact=redactor.text),
        folder=folder,
        typed=Typed(folder / "typed", grants.code),
        outputs=Outputs(folder / "outputs", redactor),
        redactor=redactor,
    )


def server(folder: Path, redactor: Redactor) -> uvicorn.Server:
    """The page's own server."""
    app = application(desk(folder, redactor))
    return uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, ws="none"))


def beside(folder: Path, redactor: Redactor) -> str:
    """Start the page in a thread of another server; it ends with the process.

    Returns: its address.
    Raises: ConfigurationError when no port can be had.
    """
    listener = bound_for(folder)
    page = server(folder, redactor)
    threading.Thread(target=page.run, args=([listener],), daemon=True, name="page").start()
    return address(listener)


def bound_for(folder: Path) -> socket.socket:
    """The socket of a page on its folder's own port, on any other while somebody has that.

    An address that a person was given stays good when a host starts its server anew.
    """
    digest = hashlib.sha256(str(folder).encode()).digest()
    try:
        return bound(HOST, DYNAMIC[int.from_bytes(digest[:4]) % len(DYNAMIC)])
    except ConfigurationError:
        return bound(HOST, 0)
