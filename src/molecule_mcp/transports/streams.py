"""Take the protocol's file descriptors away from everybody else in this process.

After `private_stdio` whatever prints - Python, a native library, a child, an exit handler - reaches stderr, and
whatever reads stdin finds its end. It must run before the SDK is imported, so this module imports nothing heavy.
"""

import os
from dataclasses import dataclass

from molecule_mcp.errors import ConfigurationError


@dataclass(frozen=True)
class Private:
    """The descriptors that carry the protocol."""

    stdin: int
    stdout: int


def private_stdio(stdin: int = 0, stdout: int = 1, stderr: int = 2) -> Private:
    """Move the protocol away from `stdin` and `stdout`; they then lead to the null device and to `stderr`.

    Raises:
        ConfigurationError: One of the two is closed.
    """
    try:
        private = Private(_above_standard(stdin), _above_standard(stdout))
    except OSError:
        raise ConfigurationError(
            "Standard input or standard output is closed, so there is nothing to serve on.",
            advice="Let an MCP host start this program; it connects both.",
        ) from None
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, stdin)
    try:
        os.dup2(stderr, stdout)
    except OSError:
        os.dup2(null, stdout)
    os.close(null)
    return private


def _above_standard(descriptor: int) -> int:
    """A copy that no child inherits and that does not take the place of a closed standard descriptor."""
    copy = os.dup(descriptor)
    if copy > 2:
        return copy
    try:
        return _above_standard(copy)
    finally:
        os.close(copy)
