"""The rest of `serve`, loaded once the descriptors are safe: settings, logging, the server, its end."""

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pathlib import Path

import anyio

from molecule_mcp.capability import Risk
from molecule_mcp.cli import program
from molecule_mcp.cli.profile import InForce, chosen, in_force, offered
from molecule_mcp.errors import ConfigurationError, MoleculeError
from molecule_mcp.gate import policy
from molecule_mcp.gate.policy import Profile
from molecule_mcp.offers.instructions import instructions as told
from molecule_mcp.prepared import entries
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.traffic import Broken, Calls
from molecule_mcp.server import MoleculeServer
from molecule_mcp.transports import stdio
from molecule_mcp.transports.streams import Private


def serve(arguments: Namespace, private: Private) -> int:
    """Serve on stdio until the host closes it.

    Returns: 0, or 2 when the settings cannot be used; then every tool answers why.
    """
    redactor = Redactor()
    configure_logging(str(arguments.log_level or "WARNING").upper(), redactor)
    try:
        found = in_force(arguments, redactor)
    except ConfigurationError as error:
        program.complete(error, arguments)
        print(f"molecule-mcp: {error.message} {error.advice or ''}", file=sys.stderr)
        if os.isatty(private.stdin):
            return 2
        broken = Broken(error)
        server = MoleculeServer(entries=entries(), profile=Profile(), road=lambda: broken, instructions=error.message)
        anyio.run(stdio.serve_stdio, server, private)
        return 2
    logging.getLogger().setLevel(found.settings.log_level)
    server = server_of(found, redactor, cache(partial(page_beside, found.settings.state, redactor)))
    anyio.run(partial(stdio.serve_stdio, server, private, calls=server.under_way))
    return 0


def page_beside(folder: Path, redactor: Redactor) -> str | None:
    """Start the page for people in this process. Returns: its address, None when it could not be started."""
    try:
        return import_module("molecule_mcp.cli.page").beside(folder, redactor)
    except ConfigurationError as error:
        logging.getLogger(__name__).warning("no page for people: %s", error.message)
        return None


def server_of(found: InForce, redactor: Redactor, page: Callable[[], str | None]) -> MoleculeServer:
    """The server of what is in force; its road is made at the first call.

    Args:
        page: Address of the page for people, asked for when somebody needs it.
    """
    return MoleculeServer(
        entries=offered(found.settings),
        profile=found.profile,
        road=partial(made, found, redactor, page),
        instructions=instructions(found),
        choose=partial(chosen, found.settings),
    )


def made(found: InForce, redactor: Redactor, page: Callable[[], str | None]) -> Calls:
    """The road, or one that tells why there is none."""
    try:
        return import_module("molecule_mcp.cli.compose").road(found, redactor, page)
    except MoleculeError as error:
        return Broken(error)
    except Exception:
        logging.getLogger(__name__).exception("the road could not be built")
        return Broken(MoleculeError("A defect: the program could not be put together; its log on stderr says why."))


def configure_logging(level: str, redactor: Redactor) -> None:
    """One plain handler on stderr, redacted; set before the SDK, whose own set-up then does nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(redactor.logging_filter())
    known = level if level in logging.getLevelNamesMapping() else "WARNING"
    logging.basicConfig(level=known, handlers=[handler])


def instructions(found: InForce) -> str:
    """What a model is told at the start, by the tools that it is offered."""
    usable = {
        name: entry
        for name, entry in offered(found.settings).items()
        if policy.refusal(found.profile, entry.ability) is None
    }
    return told(
        sample=found.settings.sample,
        tools=usable,
        changing=any(entry.ability.risk is not Risk.READ for entry in usable.values()),
        secrets=any(
            name.endswith("_from") for entry in usable.values() for name in entry.tool["inputSchema"]["properties"]
        ),
    )
