"""The policy file on disk: found, read only when nobody else can write it, and replaced whole.

Others may read it, since it holds no secret.
"""

import os
import stat
from pathlib import Path

from molecule_mcp.disk import sync_folder
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.settings import POLICY
from molecule_mcp.store import files

NAME = "policy.toml"
"""The file's name in the configuration folder."""

LARGEST = 1 << 20
"""Bytes of the largest file that is read."""

_OTHERS_WRITE = 0o022
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def found(config: Path, named: Path | None) -> Path | None:
    """The file to read: the one that is named, else the usual one if there is one.

    Raises: ConfigurationError when a named one does not exist.
    """
    path = named or config / NAME
    if os.path.lexists(path):
        return path
    if named is None:
        return None
    raise ConfigurationError(
        f"The policy file {named} does not exist.", advice=f"Write it, or do not name it (--policy, {POLICY})."
    )


def read(path: Path) -> bytes:
    """All of a policy file.

    Raises: ConfigurationError when it is a link, no plain file, another user's, writable by others (its folder, too),
    too large or unreadable.
    """
    try:
        folder = path.parent.stat()
        if not path.is_symlink():
            # Before it is opened: a folder cannot be, and a pipe would wait.
            refuse_unsafe(path, path.lstat(), folder)
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK), "rb") as file:
            refuse_unsafe(path, os.fstat(file.fileno()), folder)
            data = file.read(LARGEST + 1)
    except OSError as error:
        link = path.is_symlink()
        why = "is a link" if link else f"cannot be read ({error.strerror})"
        raise ConfigurationError(f"The policy file {path} {why}.", advice="Name the real file.") from None
    if len(data) > LARGEST:
        raise ConfigurationError(f"The policy file {path} is larger than {LARGEST >> 10} KiB.")
    return data


def refuse_unsafe(path: Path, status: os.stat_result, folder: os.stat_result) -> None:
    """Raises: ConfigurationError when somebody else could have written what is read."""
    own = os.getuid()
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"The policy file {path} is not a plain file.", advice="Name the real file.")
    if status.st_uid not in {own, 0}:
        raise ConfigurationError(f"The policy file {path} belongs to another user.", advice="Keep one of your own.")
    if status.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(f"Other users can write {path}.", advice=f"Run: chmod go-w {path}")
    # A folder in which everybody may write but only an owner may rename (/tmp) is as safe as the file.
    if folder.st_uid not in {own, 0} or (folder.st_mode & _OTHERS_WRITE and not folder.st_mode & stat.S_ISVTX):
        raise ConfigurationError(
            f"Other users can replace {path}: they can write its folder.", advice=f"Run: chmod go-w {path.parent}"
        )


def replace(path: Path, before: bytes, after: bytes) -> None:
    """Put new content in a policy file's place, whole, with the mode it had.

    Raises: ConfigurationError when it is no longer what was read, or cannot be written; it is then as it was.
    """
    draft = files.beside(path)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600), "wb") as file:
            file.write(after)
            file.flush()
            draft.chmod(mode)
            os.fsync(file.fileno())
        if read(path) != before:
            raise ConfigurationError(f"{path} was changed meanwhile; it was left as it is.", advice="Run it again.")
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)
