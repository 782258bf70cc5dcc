"""A folder is put on disk where its system lets one."""

import os
from pathlib import Path

import pytest

from molecule_mcp import disk


def test_a_folder_that_cannot_be_opened_is_left_to_its_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    asked: list[object] = []

    def refused(path: Path, _: int) -> int:
        asked.append(path)
        raise PermissionError

    monkeypatch.setattr(os, "open", refused)
    disk.sync_folder(tmp_path)
    assert asked == [tmp_path]
