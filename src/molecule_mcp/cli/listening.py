"""A listening socket."""

import socket

from molecule_mcp.errors import ConfigurationError


def bound(host: str, port: int) -> socket.socket:
    """The listening socket, so that the port is known and free before anybody is told of it.

    Raises: ConfigurationError when the address cannot be had.
    """
    # With its protocol named, asyncio switches TCP_NODELAY on; without it each answer waits some 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {host}:{port}: {error.strerror}.", advice="Choose another --port."
        ) from None
    return listener
