"""Files that only this user may read: made whole or not at all, never through a link, never another user's.

On Windows, where files have no owner bits of this kind, only the "never through a link" half holds.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from molecule_mcp.disk import sync_folder
from molecule_mcp.errors import ConfigurationError

_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_OTHERS_READ = 0o077 if os.name == "posix" else 0
_OTHERS_WRITE = 0o022 if os.name == "posix" else 0


def own_folder(folder: Path) -> Path:
    """Make a folder of mode 0700, or accept one that is ours and that nobody else may write.

    Raises: ConfigurationError when it is a link, not a folder, another user's, or writable by others.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigurationError(f"{folder} is a link or a file, not a folder", advice="Name a real folder.")
    _ours(folder, status, _OTHERS_WRITE, "chmod 700")
    return folder


def own_file(path: Path) -> os.stat_result | None:
    """The status of a private file, None when there is none.

    Raises: ConfigurationError when it is a link, no regular file, another user's, or readable by others.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is not a regular file", advice="Move it away.")
    _ours(path, status, _OTHERS_READ, "chmod 600")
    return status


def _ours(path: Path, status: os.stat_result, refused: int, cure: str) -> None:
    if status.st_uid != getattr(os, "getuid", lambda: status.st_uid)():
        raise ConfigurationError(f"{path} belongs to another user", advice="Name a folder of your own.")
    if status.st_mode & refused:
        raise ConfigurationError(f"other users can reach {path}", advice=f"Run: {cure} {path}")


def read(path: Path) -> bytes | None:
    """All of a private file, None when there is none. Raises ConfigurationError like `own_file`, else OSError."""
    if own_file(path) is None:
        return None
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK), "rb") as file:
        return file.read()


def create(path: Path, data: bytes) -> bool:
    """Write a new private file, durably. False when there is one already: nothing was changed.

    Whoever sees the file sees all of it: it gets its name only when it is complete.
    """
    draft = beside(path)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return publish(draft, path)
    finally:
        draft.unlink()


def beside(path: Path) -> Path:
    """A name for a draft of `path`, in the same folder, that nobody else uses."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")


def publish(draft: Path, path: Path) -> bool:
    """Give a complete draft its name, unless the name is taken; the draft keeps its own name too."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True
