"""`molecule-mcp tenant`: the embedded tenant alone, on loopback."""

import secrets
import sys
from argparse import Namespace
from pathlib import Path

import anyio

from molecule_mcp import embedded
from molecule_mcp.errors import ConfigurationError

HOST = "127.0.0.1"


def run(arguments: Namespace) -> int:
    """Serve until interrupted; where it listens goes to stderr."""
    token = arguments.admin_token or secrets.token_urlsafe(32)
    options = embedded.Options(
        admin_token=token,
        org_id=arguments.org_id,
        db=Path(arguments.db) if arguments.db else None,
        empty=arguments.empty,
        rate_limit=rate_limit(arguments.rate_limit),
        agents=not arguments.steady,
    )

    def started(port: int) -> None:
        print(f"tenant on http://{HOST}:{port}", file=sys.stderr)
        if not arguments.admin_token:
            print(f"admin token (this run only): {token}", file=sys.stderr)
        print(
            f"mint an organization key: curl -s -X POST -H 'Authorization: Bearer ADMIN_TOKEN' "
            f"http://{HOST}:{port}/org/tokens",
            file=sys.stderr,
            flush=True,
        )

    async def serve() -> None:
        await embedded.serve(options, host=HOST, port=arguments.port, started=started)

    anyio.run(serve)
    return 0


def rate_limit(given: str) -> int | None:
    """Requests a minute, or None for off."""
    if given == "off":
        return None
    if not given.isdecimal() or int(given) == 0:
        raise ConfigurationError("--rate-limit takes a number of requests a minute, or off.")
    return int(given)
