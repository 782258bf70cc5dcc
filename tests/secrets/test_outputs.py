"""Outputs: private files, and the kept ones that a tool of their kind reads again."""

import os
from pathlib import Path

import pytest

from molecule_mcp.errors import ArgumentError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Outputs


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    """An outputs folder that is there."""
    found = Outputs(tmp_path / "outputs", Redactor())
    found.ready()
    return found


def test_a_kept_text_is_private_and_read_again_by_its_name(outputs: Outputs) -> None:
    path = Path(outputs.keep("bundle", "a/b", "text"))
    assert path.stat().st_mode & 0o077 == 0
    assert outputs.kept("bundle", path.name) == "text\n"


def test_a_minted_value_is_not_read_as_anything_else(outputs: Outputs) -> None:
    name = Path(outputs.write("org-token", "id", "value-of-a-key")).name
    for given in (name, f"../outputs/{name}", "bundle-x/../" + name, str(Path("/") / name)):
        with pytest.raises(ArgumentError, match="names no bundle"):
            outputs.kept("bundle", given)


def test_a_link_a_second_name_a_folder_and_a_long_file_are_not_read(outputs: Outputs, tmp_path: Path) -> None:
    token = Path(outputs.write("org-token", "id", "value-of-a-key"))
    folder = tmp_path / "outputs"
    (folder / "bundle-link").symlink_to(token)
    os.link(token, folder / "bundle-second")
    (folder / "bundle-folder").mkdir()
    (folder / "bundle-long").write_text("x" * 11)
    (folder / "bundle-bytes").write_bytes(b"\xff")
    for name in ("link", "second", "folder", "long", "bytes", "gone"):
        with pytest.raises(ArgumentError):
            outputs.kept("bundle", f"bundle-{name}", largest=10)
