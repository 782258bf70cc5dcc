"""What makes a change of a folder outlive a power loss."""

import os
from contextlib import suppress
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Put a folder's names on disk."""
    # A new name survives a power loss only when its folder is on disk; Windows cannot open one and does not need to.
    with suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
