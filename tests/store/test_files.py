"""Private files: ours, whole, and never through a link."""

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.store import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_folder_is_made_for_us_alone(tmp_path: Path) -> None:
    made = files.own_folder(tmp_path / "a" / "state")
    assert mode(made) == 0o700


def test_a_folder_of_ours_is_taken_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert files.own_folder(tmp_path) == tmp_path
    assert mode(tmp_path) == 0o755


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigurationError, match="link"):
        files.own_folder(tmp_path / "link")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(ConfigurationError, match="not a folder"):
        files.own_folder(tmp_path / "state")


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    with pytest.raises(ConfigurationError, match="other users"):
        files.own_folder(tmp_path)


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigurationError, match="another user"):
        files.own_folder(tmp_path)


def test_a_new_file_is_readable_by_us_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert files.create(path, b"secret")
    assert (files.read(path), mode(path)) == (b"secret", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_an_existing_file_is_not_replaced(tmp_path: Path) -> None:
    files.create(tmp_path / "key", b"first")
    assert not files.create(tmp_path / "key", b"second")
    assert files.read(tmp_path / "key") == b"first"


def test_a_file_that_could_not_be_written_whole_is_not_there(
    tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    with full_disk(), pytest.raises(OSError, match="File too large"):
        files.create(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "key") is None


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    files.create(tmp_path / "real", b"")
    (tmp_path / "key").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        files.read(tmp_path / "key")


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="other users") as refused:
        files.read(tmp_path / "key")
    assert refused.value.advice == f"Run: chmod 600 {tmp_path / 'key'}"
