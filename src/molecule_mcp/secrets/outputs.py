"""Minted values and exports go out here: one private file each, with a name this program chooses; the model learns
only where.

No reference reads this folder, so a minted key cannot be sent on through a tool; `kept` reads only what `keep` wrote
under a kind that the tool itself names.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from molecule_mcp.disk import sync_folder
from molecule_mcp.errors import ArgumentError, StoreError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import private

LARGEST = 16 << 20
"""Bytes of the largest kept text that is read again."""
UNFIT = re.compile(r"[^A-Za-z0-9-]")
MINTED = re.compile(r"[A-Za-z0-9-]{1,200}")
"""Names of files with a minted value; exports end in `EXPORT`."""
EXPORT = ".export"
TAKEN = re.compile(r"\.([A-Za-z0-9-]{1,200})\.taken")
"""Names of files with a minted value that is about to be shown: the name that it has otherwise."""


class Outputs:
    """The outputs folder of one process.

    Args:
        folder: Made with mode 0700 when missing.
        redactor: Learns each value before it is written.
        clock: Seconds since the epoch; part of the file's name.
    """

    def __init__(self, folder: Path, redactor: Redactor, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._redactor = redactor
        self._clock = clock

    def ready(self) -> None:
        """Make sure that a value could be written; called before the value is asked for.

        Raises: StoreError when the folder cannot be made, is a link, or is open to others.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self._folder.lstat()
        except OSError as error:
            raise StoreError(f"The outputs folder cannot be used: {error.strerror}; nothing was sent.") from None
        if not self._folder.is_dir() or self._folder.is_symlink() or status.st_mode & 0o077:
            raise StoreError(
                "The outputs folder is a link or open to others; nothing was sent.",
                advice=f"Run: chmod 700 {self._folder}",
            )

    def write(self, kind: str, identifier: str, value: str) -> str:
        """Write a value, durably. Returns the path.

        Raises: StoreError with `sent` true: the value was minted and could not be kept.
        """
        self._redactor.learn(value, kind)
        try:
            return self._put(kind, identifier, value)
        except OSError as error:
            raise StoreError(
                f"The value was made, and writing it failed: {error.strerror}. It cannot be shown again.",
                sent=True,
                advice="Revoke what was made, mend the folder, and make it anew.",
            ) from None

    def keep(self, kind: str, identifier: str, content: str | bytes) -> str:
        """Write what is too long to show, such as an export, or a file that is overwritten. Returns the path.

        Bytes are written as they are, a text with a line break at its end.

        Raises: StoreError with `sent` false.
        """
        try:
            return self._put(kind, identifier, content, EXPORT)
        except OSError as error:
            raise StoreError(f"Writing to the outputs folder failed: {error.strerror}.") from None

    def kept(self, kind: str, name: str, largest: int = LARGEST) -> str:
        """A text that `keep` wrote as this kind, by the name of its file.

        Args:
            kind: The tool's own; a file of any other kind, such as a minted key, is not read.
            largest: Bytes at most.
        Raises: ArgumentError when there is no such file, or it is not a plain private one.
        """
        if not re.fullmatch(rf"{re.escape(kind)}-[A-Za-z0-9-]+{re.escape(EXPORT)}", name):
            raise ArgumentError(f"That names no {kind} file in the outputs folder.")
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with os.fdopen(os.open(self._folder / name, flags), "rb") as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size > largest:
                    raise ArgumentError(f"That {kind} file is no plain file, or larger than {largest >> 20} MiB.")
                return file.read(largest).decode()
        except OSError as error:
            raise ArgumentError(f"That {kind} file cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise ArgumentError(f"That {kind} file is not UTF-8.") from None

    def minted(self) -> list[str]:
        """Names of the files that hold minted values, in order.

        Raises: StoreError when the folder is not ours alone.
        """
        self.ready()
        for name in private.names(self._folder):
            if found := TAKEN.fullmatch(name):  # its process ended, or its value is not shown
                with suppress(FileNotFoundError):
                    (self._folder / name).rename(self._folder / found[1])
        return sorted(each.name for each in self._folder.iterdir() if MINTED.fullmatch(each.name))

    def learn_minted(self) -> None:
        """Have values masked that earlier processes minted and that still lie here; what is no plain file is left."""
        for name in private.names(self._folder):
            if MINTED.fullmatch(name) or TAKEN.fullmatch(name):
                with suppress(OSError, ValueError, private.UnsafeError):
                    value = private.read(self._folder, name).decode().removesuffix("\n")
                    self._redactor.learn(value, name.removeprefix(".").removesuffix(".taken"))

    def once(self, name: str) -> str:
        """A minted value, for a person's eyes; its file is gone before this returns.

        Raises: ArgumentError when there is none of that name; StoreError.
        """
        if name not in self.minted():
            raise ArgumentError("There is no such value, or it was shown already.")
        taken = f".{name}.taken"
        try:
            (self._folder / name).rename(self._folder / taken)  # of two who look at once, one gets it
            value = private.read(self._folder, taken).decode().removesuffix("\n")
            (self._folder / taken).unlink()
        except (OSError, ValueError, private.UnsafeError):
            with suppress(OSError):
                (self._folder / taken).rename(self._folder / name)
            raise StoreError("The value could not be read and deleted; nothing is shown.") from None
        self._redactor.learn(value, name)
        return value

    def rehearsing(self) -> "Outputs":
        """The same folder for a call that is only tried: whatever is kept or written goes nowhere."""
        return _Rehearsing(self._folder, self._redactor, self._clock)

    def _put(self, kind: str, identifier: str, content: str | bytes, suffix: str = "") -> str:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        # Masked before it is made to fit: what is left of a value would be found by nobody.
        fit = UNFIT.sub("", self._redactor.text(identifier))[:36]
        path = self._folder / f"{kind}-{fit}-{stamp}-{secrets.token_hex(4)}{suffix}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        data = content if isinstance(content, bytes) else f"{content}\n".encode()
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._folder)
        return str(path)


class _Rehearsing(Outputs):
    def _put(self, kind: str, identifier: str, content: str | bytes, suffix: str = "") -> str:
        return f"a file {kind}-...{suffix} in {self._folder}"
