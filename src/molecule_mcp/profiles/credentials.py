"""Where a profile's key comes from, and getting it: a variable, a file, a keyring, or a helper of the person's own.

`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`, `command:["HELPER", "ARGUMENT"]`; with `workspace-token:` before it,
the key is the token of one workspace. Every value is learned by the redactor before it is used; no error holds one.
No key comes from a place that a tool's secret references reach: an agent could have it set as a workspace's secret.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from molecule_mcp.errors import ArgumentError, ConfigurationError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets.references import KEYRING_SERVICE, keyring_entry
from molecule_mcp.settings import SECRET_PREFIX, child_environment
from molecule_mcp.store import files

OWN_TOKEN = "workspace-token"

WAIT = 20.0
"""Seconds a helper may take."""

LARGEST = 64 * 1024
"""Bytes of the longest answer of a helper that is read."""

FORMS = (
    f'env:NAME, file:PATH, keyring:SERVICE/USER or command:["HELPER", "ARGUMENT"]; before it, {OWN_TOKEN}: or nothing'
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_ENTRY = re.compile(r"[A-Za-z0-9._-]{1,128}/[A-Za-z0-9._@-]{1,128}")


@dataclass(frozen=True)
class Source:
    """Where a key comes from.

    Args:
        kind: Which of the four ways.
        name: The variable, the absolute path, or SERVICE/USER; "" for a helper.
        command: The helper and its arguments.
        workspace_token: Whether it is the token of one workspace.
    """

    kind: Literal["env", "file", "keyring", "command"]
    name: str
    command: tuple[str, ...] = ()
    workspace_token: bool = False

    def __str__(self) -> str:
        """The source in words; a helper without its arguments, which may be private."""
        where = self.name or json.dumps(self.command[:1])
        return f"{f'{OWN_TOKEN}:' if self.workspace_token else ''}{self.kind}:{where}"


def source(text: str, place: str) -> Source:
    """Read a `credential`.

    Args:
        place: Where it stands, for the error.
    Raises: ConfigurationError; the text may be a key in the wrong place, so it is not told.
    """
    kind, _, name = text.partition(":")
    own = kind == OWN_TOKEN
    if own:
        kind, _, name = name.partition(":")
    if (kind == "env" and name.startswith(SECRET_PREFIX)) or (kind == "keyring" and name.startswith(KEYRING_SERVICE)):
        raise ConfigurationError(f"{place} is among the secrets that tools pass on.", advice="Keep the key elsewhere.")
    if kind == "env" and _NAME.fullmatch(name):
        return Source("env", name, workspace_token=own)
    if kind == "keyring" and _ENTRY.fullmatch(name):
        return Source("keyring", name, workspace_token=own)
    if kind == "file" and (name.startswith("~/") or Path(name).is_absolute()):
        return Source("file", name, workspace_token=own)
    if kind == "command" and (command := helper(name)):
        return Source("command", "", command, workspace_token=own)
    raise ConfigurationError(f"{place} says no place of a key.", advice=f"Write {FORMS}; never the key itself.")


def helper(text: str) -> tuple[str, ...]:
    """The words of a helper; none when the text is not a list of texts that begins with a program.

    A program is an absolute path or a bare name, since a host may start this process in any folder.
    """
    try:
        words: Any = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(words, list) or not words or not all(isinstance(each, str) for each in cast("list[Any]", words)):
        return ()
    program = Path(cast("list[str]", words)[0])
    fits = program.is_absolute() or program.name == cast("list[str]", words)[0] != ""
    return tuple(cast("list[str]", words)) if fits else ()


def key(where: Source, environ: Mapping[str, str], redactor: Redactor) -> str:
    """The key itself, as it is kept; whether it can be one is for `settings` to say.

    Raises: ConfigurationError when there is none. May take as long as a helper takes.
    """
    if where.kind == "env":
        value = environ.get(where.name) or ""
        advice = f"Set {where.name} where the host is started."
    elif where.kind == "file":
        value, advice = from_file(Path(where.name)), f"Write the key into {where.name}, with mode 600."
    elif where.kind == "keyring":
        value, advice = from_keyring(where.name), ""
    else:
        value, advice = answer(where.command, environ), "Run the helper in a terminal to see what it says."
    if not value:
        raise ConfigurationError(f"There is no key at {where}, which the profile names.", advice=advice or None)
    redactor.learn(value, str(where))
    return value


def from_file(path: Path) -> str:
    """A key kept in a private file, without the line's end.

    Raises: ConfigurationError when it is a link, another user's, readable by others, or no text.
    """
    try:
        data = files.read(path.expanduser())
        return "" if data is None else line(data.decode())
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The key file {path} cannot be read ({type(error).__name__}).") from None


def from_keyring(entry: str) -> str:
    """A key kept in the keyring. Raises: ConfigurationError."""
    try:
        return keyring_entry(entry)
    except ArgumentError as error:
        raise ConfigurationError(error.message, advice=error.advice) from None


def answer(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """The first line that a helper prints.

    No shell reads the command; the helper gets neither our input nor our keys, and what it says besides is dropped,
    since it may hold the key.
    Raises: ConfigurationError when it cannot be run, fails, says nothing in time, or too much.
    """
    program = shutil.which(command[0], path=environ.get("PATH"))
    try:
        ended = subprocess.run(
            [program or command[0], *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(environ),
            timeout=WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"took longer than {WAIT:.0f} s"
    except (OSError, ValueError) as error:
        why = f"cannot be run ({type(error).__name__})"
    else:
        if ended.returncode == 0 and len(ended.stdout) <= LARGEST:
            return line(ended.stdout.decode(errors="replace"))
        why = f"ended with exit code {ended.returncode}" if ended.returncode else "said too much"
    raise ConfigurationError(
        f"The credential helper {command[0]!a} {why}.", advice="Run it in a terminal to see what it says."
    )


def line(text: str) -> str:
    """A text's first line."""
    return text.split("\n", 1)[0].removesuffix("\r")
