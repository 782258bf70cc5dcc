"""Private files: written whole, never through a link, never into a folder that others can reach."""

import os
import re
from pathlib import Path

import pytest

from molecule_mcp.secrets import private


def test_what_is_written_is_read_and_is_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "value"
    assert private.create(path, b"first")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert private.read(path.parent, "value") == b"first"
    assert [each.name for each in path.parent.iterdir()] == ["value"]


def test_a_name_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "value"
    private.create(path, b"first")
    assert not private.create(path, b"second")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert not private.create(path, b"second")
    assert not (tmp_path / "elsewhere").exists()
    assert [each.name for each in path.parent.iterdir()] == ["value"]


def test_what_is_not_written_whole_has_a_name_that_tells_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(draft: Path, _path: Path) -> None:
        assert re.fullmatch(r"\.[0-9a-f]{16}\.draft", draft.name)
        assert draft.read_bytes() == b"first"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(KeyboardInterrupt):
        private.create(tmp_path / "folder" / "value", b"first")
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize("mode", [0o750, 0o701])
def test_a_folder_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(mode)
    with pytest.raises(private.UnsafeError, match="open to others"):
        private.create(tmp_path / "folder" / "value", b"x")


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    with pytest.raises(private.UnsafeError, match="a link"):
        private.create(tmp_path / "folder" / "value", b"x")


def test_names_are_listed_in_order_and_none_where_there_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").touch()
    assert private.names(tmp_path) == ["a", "b"]
    assert private.names(tmp_path / "none") == []


def test_a_folder_that_cannot_be_listed_is_logged_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(_folder: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert private.names(tmp_path) == []
    assert caplog.messages == [f"the {tmp_path.name} folder cannot be listed: Permission denied"]
