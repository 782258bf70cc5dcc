"""`molecule-mcp serve --http`: both HTTP doors, on loopback unless named hosts and bearers are given."""

import sys
from argparse import Namespace
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvicorn

from molecule_mcp.cli import page, serving
from molecule_mcp.cli.listening import authority, bound
from molecule_mcp.cli.profile import chosen, in_force
from molecule_mcp.console import app as console
from molecule_mcp.console.guard import LOOPBACK
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.underway import LAST
from molecule_mcp.settings import Settings
from molecule_mcp.transports import bearers
from molecule_mcp.transports.ending import Server
from molecule_mcp.transports.http import PAGE, Doors, application


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises: ConfigurationError for half a configuration, or an open bind without named hosts and bearers.
    """
    redactor = Redactor()
    found = in_force(arguments, redactor)
    settings = found.settings
    serving.configure_logging(settings.log_level, redactor)
    doors = doors_of(arguments, settings)
    listener = bound(arguments.host, arguments.port)
    port = listener.getsockname()[1]
    server = serving.server_of(found, redactor, lambda: page_address(arguments, port))
    desk = replace(page.desk(settings.state, redactor), bearer=doors.bearers.name, hosts=doors.hosts)
    serving_http = Server(
        uvicorn.Config(
            application(server, doors, console.application(desk)),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=LAST,
            ws="none",
        ),
        server.under_way,
        lambda: print(
            f"molecule-mcp: http://{authority(arguments.host, port)}/mcp and /sse; "
            f"people use {page_address(arguments, port)}/",
            file=sys.stderr,
            flush=True,
        ),
    )
    serving_http.run(sockets=[listener])
    return 0 if serving_http.started else 1


def page_address(arguments: Namespace, port: int) -> str:
    """Where people find the page: on this machine, or under the first host that is named, whose TLS is not ours."""
    named: list[str] = arguments.allowed_host or []
    return f"https://{named[0]}{PAGE}" if named else f"http://{authority(arguments.host, port)}{PAGE}"


def doors_of(arguments: Namespace, settings: Settings) -> Doors:
    """Who may come in, from where; the first start writes a bearer of its own.

    Raises: ConfigurationError for a bind beyond this machine without named hosts or without a bearer file.
    """
    given: str | None = arguments.bearer_file
    hosts: tuple[str, ...] = tuple(arguments.allowed_host or ())
    if arguments.host not in {"127.0.0.1", "localhost", "::1"} and not (hosts and given):
        raise ConfigurationError(
            f"Binding to {arguments.host} opens this server beyond this machine.",
            advice="Name the hosts it answers to (--allowed-host NAME) and give its bearers (--bearer-file FILE).",
        )
    path = Path(given) if given else settings.state / "http.bearer"
    if given is None and bearers.first_start(path):
        print(f"molecule-mcp: wrote a bearer to {path}", file=sys.stderr)
    print(f"molecule-mcp: bearers are in {path}", file=sys.stderr)
    return Doors(hosts=(*LOOPBACK, *hosts), bearers=bearers.load(path), choose=partial(chosen, settings))
