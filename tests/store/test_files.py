"""Private files: ours, whole, and never through a link."""

import os
import re
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
    with pytest.raises(ConfigurationError, match="other users") as refused:
        files.own_folder(tmp_path)
    assert refused.value.message == f"other users can reach {tmp_path}"
    assert refused.value.advice == f"Run: chmod 700 {tmp_path}"


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigurationError, match="another user"):
        files.own_folder(tmp_path)


def test_a_new_file_is_readable_by_us_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert files.create(path, b"secret") is True
    assert (files.read(path), mode(path)) == (b"secret", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_an_existing_file_is_not_replaced(tmp_path: Path) -> None:
    files.create(tmp_path / "key", b"first")
    assert files.create(tmp_path / "key", b"second") is False
    assert files.read(tmp_path / "key") == b"first"


def test_a_file_that_could_not_be_written_whole_is_not_there(
    tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    with full_disk(), pytest.raises(OSError, match="File too large"):
        files.create(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_cannot_be_made_is_told_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError("no new file here")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError, match="no new file here"):
        files.create(tmp_path / "key", b"secret")


def test_a_draft_stands_beside_its_file_under_a_name_of_its_own(tmp_path: Path) -> None:
    drafts = {files.beside(tmp_path / "key") for _ in range(9)}
    assert len(drafts) == 9
    assert all(re.fullmatch(r"key\.[0-9a-f]{16}\.new", each.name) and each.parent == tmp_path for each in drafts)


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    handles: list[int] = []
    fsync, link = os.fsync, os.link

    def noted(handle: int) -> None:
        status = os.fstat(handle)
        handles.append(handle)
        order.append("folder" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(handle)

    def named(draft: Path, path: Path) -> None:
        order.append(path.name)
        link(draft, path)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "link", named)
    assert files.create(tmp_path / "key", b"secret")
    assert order == [6, "key", "folder"]
    for handle in handles:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(handle)


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "key") is None


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    files.create(tmp_path / "real", b"")
    (tmp_path / "key").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        files.read(tmp_path / "key")


def test_a_link_that_is_put_there_after_the_look_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = tmp_path / "key", tmp_path / "elsewhere"
    for each in (path, elsewhere):
        files.create(each, b"")
    look = os.lstat

    def exchanged(each: Path) -> os.stat_result:
        status = look(each)
        path.unlink()
        path.symlink_to(elsewhere)
        return status

    monkeypatch.setattr(os, "lstat", exchanged)
    with pytest.raises(OSError, match="symbolic links"):
        files.read(path)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="other users") as refused:
        files.read(tmp_path / "key")
    assert refused.value.advice == f"Run: chmod 600 {tmp_path / 'key'}"
