"""Turn a reference that a model may write into the secret value that only the tenant gets.

Four kinds, each with a corner that a person fills for this purpose and nothing else: `env:MOLECULE_SECRET_...`,
`file:NAME` in one folder, `keyring:molecule-secret.../NAME`, and `page:NAME`, typed on the page for one call. No
reference reaches any other variable, file or keyring entry. Every value is learned by the redactor before it is
returned. Errors say how a person puts a value there; they never hold a value, a malformed reference (it may be a
value), or the name of another secret.
Reading a file or a keyring may block. Nothing is cached: a changed value counts from the next call on.
"""

import copy
import logging
import re
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from errno import ENOENT
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from pydantic import Field

from molecule_mcp.errors import ArgumentError, StoreError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets.private import OPEN_TO_OTHERS, POSIX, UnsafeError, names, read
from molecule_mcp.secrets.typed import State, Typed
from molecule_mcp.settings import SECRET_PREFIX, unexpanded

UNTYPED = "what a person would type"
"""Stands for a value of the page in a dry run."""

KEYRING_SERVICE = "molecule-secret"
"""Keyring services with this prefix hold secrets for references."""

PATTERN = (
    rf"^(env:{SECRET_PREFIX}[A-Z0-9_]{{1,112}}"
    r"|(page|file):[A-Za-z0-9._-]{1,128}"
    rf"|keyring:{KEYRING_SERVICE}[A-Za-z0-9._-]{{0,64}}/[A-Za-z0-9._@-]{{1,128}})$"
)

SecretReference = Annotated[
    str,
    Field(
        pattern=f"^page$|{PATTERN}",
        description=(
            "Where the value is, never the value: page:NAME (a person types it; the default), "
            "env:MOLECULE_SECRET_NAME, file:NAME or keyring:molecule-secret/NAME."
        ),
    ),
]
"""The type of a tool's parameter that takes a reference."""

logger = logging.getLogger(__name__)

_GRAMMAR = re.compile(PATTERN.removesuffix("$"))


class Secrets:
    """Resolves references.

    Args:
        folder: The only folder that `file:` reads; need not exist.
        environ: The environment as it was at the start.
        redactor: Learns every variable now, and every other value before a caller sees it.
        typed: What people type on the page; None: there is no page.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], redactor: Redactor, typed: Typed | None = None
    ) -> None:
        self._folder = folder
        self._environ = {name: value for name, value in environ.items() if name.startswith(SECRET_PREFIX)}
        self._redactor = redactor
        self._typed = typed
        self._asks = True
        for name, value in self._environ.items():
            if not unexpanded(value):
                redactor.learn(value, f"env:{name}")

    def resolve(self, reference: str) -> str:
        """The value behind a reference.

        Raises:
            ArgumentError: It is no reference, or there is no acceptable value behind it.
            GateStop: `secret_required`: a person has to type it first.
        """
        if not _GRAMMAR.fullmatch(reference):
            raise ArgumentError(
                "That is not a secret reference.",
                advice=f"Give page:NAME, env:{SECRET_PREFIX}NAME, file:NAME or keyring:{KEYRING_SERVICE}/NAME, never "
                "a value.",
            )
        kind, _, name = reference.partition(":")
        if kind == "page" and not self._asks:
            return UNTYPED
        kinds = {"env": self._variable, "file": self._file, "keyring": keyring_entry, "page": self._typed_value}
        value = kinds[kind](name)
        self._redactor.learn(value, reference)
        return value

    def rehearsing(self) -> "Secrets":
        """The same for a dry run: nobody is asked, and a stand-in takes the place of what a person would type."""
        dry = copy.copy(self)
        dry._asks = False
        return dry

    def learn_files(self) -> None:
        """Have what lies in the folder masked before any call refers to it; what no reference could read is left."""
        for name in names(self._folder):
            with suppress(ArgumentError):
                self._redactor.learn(self._file(name), f"file:{name}")

    def unanswered(self, code: str, *, declined: bool) -> None:
        """End a request that its call no longer waits for, with the person's no where they said one.

        Raises: StoreError.
        """
        if self._typed and declined and (found := self._typed.wanted(code)):
            self._typed.decline(found[0])
        elif self._typed:
            self._typed.withdraw(code)

    def forget(self, binding: str) -> None:
        """Delete what a person typed for a call that was made; a fault is logged, since the call stands."""
        try:
            if self._typed:
                self._typed.forget(binding)
        except StoreError as fault:
            logger.warning("what a person typed could not be deleted at once: %s", fault.message)

    def state(self, code: str) -> State | None:
        """What became of the secret asked for under this code; None when nothing is, any more.

        Raises: StoreError.
        """
        found = self._typed.wanted(code) if self._typed else None
        return found[1] if found else None

    def _typed_value(self, name: str) -> str:
        if self._typed is None:
            raise ArgumentError("This server has no page to type a secret on.", advice="Use another kind of reference.")
        return self._typed.value(name)

    def masked(self, text: str) -> str:
        """A text with every known secret value masked; done before a text is cut, since half a value is not found."""
        return self._redactor.text(text)

    def _variable(self, name: str) -> str:
        value = self._environ.get(name)
        if value is None or not value or unexpanded(value):
            what = "is not set" if value is None else "is empty" if not value else "was not expanded by the host"
            raise ArgumentError(
                f"The variable {name} of the server {what}.",
                advice=f"A person adds {name} to the server's environment where the host starts it, and restarts it.",
            )
        if not _encodable(value):
            raise ArgumentError(f"The variable {name} of the server is not UTF-8.")
        return value

    def _file(self, name: str) -> str:
        if name in {".", ".."}:
            raise ArgumentError("A file reference names one file in the secrets folder.")
        if not POSIX:
            raise ArgumentError(
                "On this system files cannot be checked safely, so file references are off.",
                advice=f"Use env:{SECRET_PREFIX}NAME or keyring:{KEYRING_SERVICE}/NAME.",
            )
        try:
            value = read(self._folder, name).decode()
            value = value.removesuffix("\r\n" if value.endswith("\r\n") else "\n")
        except UnsafeError as unsafe:
            why = str(unsafe)
        except UnicodeDecodeError:
            why = "is not UTF-8"
        except OSError as error:
            why = "does not exist" if error.errno == ENOENT else f"cannot be read ({error.strerror})"
        else:
            if value:
                return value
            why = "is empty"
        raise ArgumentError(f"The secret file {name} {why}.", advice=self._how(name, why))

    def _how(self, name: str, why: str) -> str:
        folder, file = shlex.quote(str(self._folder)), shlex.quote(str(self._folder / name))
        if why == OPEN_TO_OTHERS:
            return f"A person runs in a shell: chmod 600 {file}"
        # What is there may be a link or a pipe: it has to go before the value is written.
        return (
            f"A person runs in a shell: (umask 077; mkdir -p {folder}; rm -f {file}; cat > {file}) - then pastes "
            "the value, and presses Enter and Ctrl-D."
        )


def keyring_entry(name: str) -> str:
    """The value of a keyring's entry, named SERVICE/USER.

    Raises: ArgumentError when no keyring is installed, it cannot be read, or has no such entry.
    """
    service, _, user = name.partition("/")
    try:
        keyring = import_module("keyring")
    except ModuleNotFoundError:
        raise ArgumentError(
            "Keyring references need the keyring package, which is not installed.",
            advice=f"A person runs: {adding('keyring')} - and restarts the server.",
        ) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - backends are plugins and raise what they like
        raise ArgumentError(f"The keyring cannot be read ({type(error).__name__}).") from None
    if not value or not _encodable(value):
        raise ArgumentError(
            f"The keyring has no usable value for {user} under {service}.",
            advice=f"A person runs: keyring set {service} {user}",
        )
    return value


def adding(package: str) -> str:
    """The command that adds a package to the interpreter that runs this; an environment that uv made has no pip."""
    if find_spec("pip"):
        return shlex.join([sys.executable, "-m", "pip", "install", package])
    return shlex.join(["uv", "pip", "install", "--python", sys.executable, package])


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
