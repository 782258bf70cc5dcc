"""`molecule-mcp serve`: the MCP server on stdio.

The first thing it does is to take the protocol's file descriptors away from everybody else, before the SDK and its
libraries are imported: what they, a tool or a native library print goes to stderr.
"""

import sys
from argparse import Namespace
from importlib import import_module

from molecule_mcp.transports import streams


def run(arguments: Namespace) -> int:
    """Serve until the host closes stdin.

    Returns: 2 when the settings cannot be used. A host hides stderr, so it is served the reason as every tool's
    error; a person on a terminal gets it at once.
    """
    if getattr(arguments, "http", False):
        return int(import_module("molecule_mcp.cli.http").run(arguments))
    if sys.stdin.isatty():
        print("molecule-mcp: serving MCP on stdio; a host starts this. See --help, or try: molecule-mcp demo",
              file=sys.stderr)  # fmt: skip
    private = streams.private_stdio()
    # By name, and only now: the SDK is imported once the descriptors are safe.
    return int(import_module("molecule_mcp.cli.serving").serve(arguments, private))
