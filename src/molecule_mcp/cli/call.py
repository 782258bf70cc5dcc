"""`molecule-mcp call TOOL JSON`: one call, like a client that cannot be asked."""

import json
import sys
from argparse import Namespace
from typing import Any, cast

import anyio

from molecule_mcp import toolsets
from molecule_mcp.cli import compose, serving
from molecule_mcp.cli.profile import in_force
from molecule_mcp.cli.usage import usage
from molecule_mcp.errors import ArgumentError, MoleculeError
from molecule_mcp.prepared import entries
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.traffic import Asked, Caller

WAITING = "waiting for a person"
"""Begins the progress that a person has to act on, wherever stderr leads."""


def run(arguments: Namespace) -> int:
    """Print the answer as JSON.

    Returns: 0, or 1 when the tool answered with an error, which is printed on stdout all the same.
    """
    if getattr(arguments, "help", False):
        return explained(arguments.tool)
    given = object_in(arguments.arguments)
    redactor = Redactor()
    found = in_force(arguments, redactor)
    serving.configure_logging(found.settings.log_level, redactor)
    road = compose.road(found, redactor)
    try:
        outcome = anyio.run(road.call, Caller(client="molecule-mcp call", progress=on_stderr), arguments.tool, given)
    except MoleculeError as error:
        print(road.told(error))
        return 1
    assert not isinstance(outcome, Asked), "a caller that cannot be asked was asked"
    print(outcome.text)
    return 0


def explained(name: str) -> int:
    """Print what a tool takes. Raises: ArgumentError when there is no such tool."""
    if name not in entries():
        raise toolsets.missing(name, entries(), entries())
    print(usage(entries()[name]))
    return 0


def object_in(text: str) -> dict[str, Any]:
    """The JSON object that a text is.

    Raises: ArgumentError when it is none.
    """
    try:
        given: Any = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ArgumentError("The arguments are not a JSON object.", advice="Write for example: '{\"limit\": 5}'")
    return cast(dict[str, Any], given)


async def on_stderr(_done: float, _total: float | None, line: str) -> None:
    """Progress for a person at a terminal; elsewhere only that somebody is waited for."""
    if sys.stderr.isatty() or line.startswith(WAITING):
        print(line, file=sys.stderr)
