"""Files that hold one value each: opened so that no link, device or pipe stands in, written whole or not at all."""

import logging
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of the largest file that is read."""
DRAFT = ".draft"
"""Ending of a file that is not written whole yet; its process ended, where it is older than a minute."""
OPEN_TO_OTHERS = "can be used by other users; its mode must be 600"
POSIX = hasattr(os, "O_NOFOLLOW") and os.open in os.supports_dir_fd


class UnsafeError(Exception):
    """A file or folder that is there but must not be trusted; the text says why."""


def read(folder: Path, name: str) -> bytes:
    """The bytes of a plain private file in a folder that is ours.

    Raises: UnsafeError for anything else; OSError.
    """
    with _opened(folder, os.O_DIRECTORY) as parent:
        found = os.fstat(parent)
        if found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise UnsafeError("lies in a folder that belongs to another user, or that others may write to")
        # Not blocking: opening a pipe would wait for its writer.
        with _opened(name, os.O_NONBLOCK | os.O_NOCTTY, parent) as file:
            _refuse_unsafe(os.fstat(file))
            with open(file, "rb", closefd=False) as content:
                data = content.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UnsafeError(f"is larger than {LARGEST // 1024} KiB")
    return data


def names(folder: Path) -> list[str]:
    """The names in a folder, in order; none where it is missing, or cannot be listed, which is logged."""
    try:
        return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        logger.warning("the %s folder cannot be listed: %s", folder.name, error.strerror)
        return []


def create(path: Path, data: bytes) -> bool:
    """Write a new file of mode 0600 in a folder of mode 0700. False when the name is taken: nothing was changed.

    Raises: OSError; UnsafeError when the folder is a link, another user's, or open to others.
    """
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.getuid():
        raise UnsafeError("lies in a folder that is a link, another user's, or open to others")
    draft = path.with_name(f".{secrets.token_hex(8)}{DRAFT}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


@contextmanager
def _opened(path: Path | str, flags: int, folder: int | None = None) -> Generator[int]:
    descriptor = os.open(path, flags | os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_unsafe(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeError("is not a plain file")
    if found.st_uid != os.getuid():
        raise UnsafeError("belongs to another user")
    if found.st_mode & 0o077:
        raise UnsafeError(OPEN_TO_OTHERS)
    if found.st_nlink != 1:
        raise UnsafeError("has a second name (a hard link)")
