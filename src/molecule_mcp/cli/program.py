"""How a person types this program: what an answer tells them to run must be runnable where they are."""

import os
import re
import shlex
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from molecule_mcp.errors import ConfigurationError, MoleculeError
from molecule_mcp.settings import Settings, folders

NAME = "molecule-mcp"

COMMAND = re.compile(
    r"(?<![\w/])molecule-mcp "
    r"((?:approver|audit|policy) (?:init|show|verify|check|refresh)|allow|call|doctor|page|tools)\b(?! --state)"
)
"""A command as rooms that know neither program nor folder write it into their advice."""


def line(what: str, state: Path) -> str:
    """The command a person runs, as a shell takes it, with the folder when it is not the usual one.

    Args:
        what: A command and its arguments, "approver init".
        state: The folder of everything durable that the command must find.
    """
    usual = Settings.load({}).state
    return f"{program()} {what}" + ("" if state == usual else f" --state {shlex.quote(str(state))}")


def runnable(text: str, state: Path) -> str:
    """A text with every command of this program in it as `line` gives it."""
    return COMMAND.sub(lambda found: line(found[1], state), text)


def complete(error: MoleculeError, arguments: Namespace) -> None:
    """Let what an error advises be runnable by the person who gave this command line."""
    try:
        state, _ = folders(os.environ, vars(arguments).get("state"))
    except ConfigurationError:
        return  # the folder is what is wrong: nothing would find it
    if error.advice:
        error.advice = runnable(error.advice, state)


def program() -> str:
    """This program: by its name alone where PATH leads to it, else by its path, else by its interpreter's."""
    ours = script()
    if ours is None:
        return shlex.join([sys.executable, "-m", "molecule_mcp"])
    found = shutil.which(NAME)
    return NAME if found and Path(found).samefile(ours) else shlex.quote(str(ours))


def script() -> Path | None:
    """The file that starts this program: the one that was run, or the one beside the interpreter; None without any."""
    for path in (Path(sys.argv[0]).absolute(), Path(sys.executable).with_name(NAME)):
        if path.name == NAME and path.is_file() and os.access(path, os.X_OK):
            return path
    return None
