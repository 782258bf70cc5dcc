"""A person at a terminal: questions and passphrases over /dev/tty, never over argv, the environment or stdin."""

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from molecule_mcp.errors import ConfigurationError

TTY = "/dev/tty"


def passphrase(prompt: str) -> str:
    """A passphrase typed without echo on the controlling terminal.

    Raises: ConfigurationError when there is no terminal.
    """
    return on_tty(lambda: getpass.getpass(prompt))


def answer(prompt: str) -> str:
    """A line typed on the controlling terminal."""

    def ask() -> str:
        with Path(TTY).open("w") as screen:
            screen.write(prompt)
        with Path(TTY).open() as keyboard:
            return keyboard.readline().rstrip("\n")

    return on_tty(ask)


def on_tty(ask: Callable[[], str]) -> str:
    """Ask, if the process has a terminal: getpass would fall back to stdin without one."""
    try:
        os.close(os.open(TTY, os.O_RDWR))
    except OSError:
        raise ConfigurationError(
            "There is no terminal to ask on.", advice="A person runs this in a terminal of their own."
        ) from None
    try:
        return ask()
    except EOFError:
        print(file=sys.stderr)
        return ""
