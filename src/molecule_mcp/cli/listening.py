"""A listening socket, and how addresses name it."""

import socket

from molecule_mcp.errors import ConfigurationError


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that the port is known and free before anybody is told of it.

    Raises: ConfigurationError when the address cannot be had.
    """
    # With its protocol named, asyncio switches TCP_NODELAY on; without it each answer waits some 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # who comes before the server runs waits
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {authority(host, port)}: {error.strerror}.", advice="Choose another --port."
        ) from None
    return listener


def authority(host: str, port: int) -> str:
    """Host and port as an address has them: an IPv6 one in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
