"""The command line: the composition root. Each command's module is loaded by name when it is the one that runs.

Exit codes: 0 done; 1 the command could not do it; 2 the settings or the command line are wrong.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from molecule_mcp.cli.parsing import parsed
from molecule_mcp.errors import ConfigurationError, MoleculeError

WINDOWS = os.name == "nt"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr with what to do next."""
    arguments = parsed(argv)
    name = arguments.command or "serve"
    try:
        refuse_windows()
        return int(import_module(f"{__name__}.{name}").run(arguments))
    except MoleculeError as error:
        import_module(f"{__name__}.program").complete(error, arguments)
        print(f"molecule-mcp: {error.message}", file=sys.stderr)
        if error.advice:
            print(f"  {error.advice}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what Python still holds must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def refuse_windows() -> None:
    """Raises: ConfigurationError where files have no owner and no mode, on which every promise of privacy rests."""
    if WINDOWS:
        raise ConfigurationError(
            "This program keeps keys in files that only their owner can read, which Windows itself does not have.",
            advice="Install and start it inside of WSL.",
        )
