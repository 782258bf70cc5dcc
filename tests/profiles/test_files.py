"""The policy file on disk: only what nobody else can have written is read, and it is replaced whole."""

import os
import stat
from pathlib import Path

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.profiles import files
from tests.profiles.making import file, text


def refused(path: Path) -> ConfigurationError:
    """Expect that a file is not read."""
    with pytest.raises(ConfigurationError) as error:
        files.read(path)
    return error.value


def test_without_a_file_nothing_is_found_and_a_named_one_must_be_there(tmp_path: Path) -> None:
    assert files.found(tmp_path, None) is None
    with pytest.raises(ConfigurationError, match=r"absent.toml does not exist"):
        files.found(tmp_path, tmp_path / "absent.toml")
    path = file(tmp_path, text())
    assert files.found(tmp_path, None) == path
    assert files.found(tmp_path / "other", path) == path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_a_file_that_others_may_at_most_read_is_read(tmp_path: Path, mode: int) -> None:
    assert files.read(file(tmp_path, text(), mode)) == text().encode()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    error = refused(file(tmp_path, text(), mode))
    assert "Other users can write" in error.message
    assert "chmod go-w" in (error.advice or "")


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_file_in_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = file(tmp_path / "open", text())
    path.parent.chmod(mode)
    assert "can replace" in refused(path).message


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_is_refused_and_counts_as_there(tmp_path: Path, dangling: bool) -> None:
    target = tmp_path / "real.toml"
    if not dangling:
        target.write_text(text())
    link = tmp_path / "policy.toml"
    link.symlink_to(target)
    assert files.found(tmp_path, None) == link
    assert "is a link" in refused(link).message


def test_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a plain file" in refused(tmp_path / "folder").message
    assert "not a plain file" in refused(tmp_path / "pipe").message


def test_a_file_of_another_user_is_refused_unless_it_is_the_administrators(tmp_path: Path) -> None:
    path = file(tmp_path, text())
    own = path.stat()

    def status(user: int) -> os.stat_result:
        return os.stat_result((own.st_mode, own.st_ino, own.st_dev, 1, user, 0, 0, 0, 0, 0))

    files.refuse_unsafe(path, status(0), tmp_path.stat())
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        files.refuse_unsafe(path, status(os.getuid() + 4711), tmp_path.stat())


def test_a_file_beyond_all_reason_is_refused(tmp_path: Path) -> None:
    assert "larger than 1024 KiB" in refused(file(tmp_path, "#" * (files.LARGEST + 1))).message


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = file(tmp_path, text(), mode)
    files.replace(path, text().encode(), b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [each.name for each in tmp_path.iterdir()] == ["policy.toml"]


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    path = file(tmp_path, "changed by a person")
    with pytest.raises(ConfigurationError, match="changed meanwhile"):
        files.replace(path, b"read before", b"new")
    assert path.read_text() == "changed by a person"
    assert [each.name for each in tmp_path.iterdir()] == ["policy.toml"]
