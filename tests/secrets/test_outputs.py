"""Outputs: private files, kept ones that a tool of their kind reads again, minted ones that a person sees once."""

import os
import stat
from pathlib import Path

import pytest

from molecule_mcp.errors import ArgumentError, StoreError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Outputs, private

VALUE = "sesame-0123456789"


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
    (folder / "bundle-link.export").symlink_to(token)
    os.link(token, folder / "bundle-second.export")
    (folder / "bundle-folder.export").mkdir()
    (folder / "bundle-long.export").write_text("x" * 11)
    (folder / "bundle-bytes.export").write_bytes(b"\xff")
    for name in ("link", "second", "folder", "long", "bytes", "gone"):
        with pytest.raises(ArgumentError):
            outputs.kept("bundle", f"bundle-{name}.export", largest=10)


def test_a_minted_value_is_listed_and_seen_once(outputs: Outputs, tmp_path: Path) -> None:
    name = Path(outputs.write("org-token", "k1", VALUE)).name
    assert outputs.minted() == [name]
    assert outputs.once(name) == VALUE
    assert list((tmp_path / "outputs").iterdir()) == []
    with pytest.raises(ArgumentError, match="shown already"):
        outputs.once(name)


def test_an_export_is_no_minted_value(outputs: Outputs) -> None:
    path = Path(outputs.keep("memories", "export", "long text"))
    assert outputs.minted() == []
    with pytest.raises(ArgumentError):
        outputs.once(path.name)
    assert path.exists()


@pytest.mark.parametrize("name", ["", "..", "../secret", "a/b", ".hidden", "a.b"])
def test_no_other_file_is_shown(outputs: Outputs, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(VALUE)
    (tmp_path / "outputs" / ".hidden").write_text(VALUE)
    with pytest.raises(ArgumentError):
        outputs.once(name)
    assert (tmp_path / "secret").exists()


def test_a_link_is_not_followed(outputs: Outputs, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(VALUE)
    (tmp_path / "outputs" / "key-1").symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError, match="nothing is shown"):
        outputs.once("key-1")
    assert (tmp_path / "secret").exists()
    assert outputs.minted() == ["key-1"], "what could not be shown is still there"


def test_what_was_shown_is_known_from_then_on(tmp_path: Path) -> None:
    redactor = Redactor()
    Outputs(tmp_path / "outputs", Redactor()).ready()
    path = Outputs(tmp_path / "outputs", Redactor()).write("org-token", "k1", VALUE)
    assert Outputs(tmp_path / "outputs", redactor).once(Path(path).name) == VALUE
    assert VALUE not in redactor.text(f"x {VALUE}")


def test_what_an_earlier_process_minted_is_known_from_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, redactor = tmp_path / "outputs", Redactor()
    known = Outputs(folder, redactor)
    known.learn_minted()
    known.ready()
    Outputs(folder, Redactor()).write("org-token", "k1", VALUE)
    exported = Outputs(folder, Redactor()).keep("memories", "m1", "an-export-text")
    (folder / "broken-1").write_bytes(b"\xff" * 10)
    known.learn_minted()
    assert redactor.text(f"{VALUE} an-export-text").startswith("[redacted:org-token-k1-")
    assert "an-export-text" in redactor.text(Path(exported).read_text())
    assert caplog.messages == []


def test_bytes_are_kept_as_they_are_and_for_their_user_only(outputs: Outputs) -> None:
    file = Path(outputs.keep("former", "../a b.md", b"\x00\xff"))
    assert file.read_bytes() == b"\x00\xff"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.name.startswith("former-abmd-")


def test_a_text_ends_with_a_line_break(outputs: Outputs) -> None:
    assert Path(outputs.keep("export", "x", "t\u00e9")).read_bytes() == b"t\xc3\xa9\n"


def test_a_value_whose_process_ended_while_it_was_taken_is_known_and_listed_and_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, redactor = tmp_path / "outputs", Redactor()
    dying = Outputs(folder, Redactor())
    dying.ready()
    name = Path(dying.write("org-token", "k1", VALUE)).name

    def killed(_folder: Path, _name: str) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(private, "read", killed)
        dying.once(name)
    assert not (folder / name).exists()
    outputs = Outputs(folder, redactor)
    outputs.learn_minted()
    assert redactor.text(VALUE) == f"[redacted:{name}]"
    assert outputs.minted() == [name]
    assert outputs.once(name) == VALUE
    assert list(folder.iterdir()) == []


def test_a_value_that_another_listing_put_back_first_is_still_listed(
    outputs: Outputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Path(outputs.write("org-token", "k1", VALUE)).name
    (tmp_path / "outputs" / name).rename(tmp_path / "outputs" / f".{name}.taken")
    rename = Path.rename

    def twice(path: Path, target: Path) -> Path:
        rename(path, target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", twice)
    assert outputs.minted() == [name]


def test_what_is_written_is_on_the_disk_with_its_name_before_it_is_told(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        status = os.fstat(handle)
        order.append("folder" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    outputs.write("org-token", "k1", VALUE)
    assert order == [len(VALUE) + 1, "folder"]


def test_a_rehearsal_leaves_no_file(outputs: Outputs, tmp_path: Path) -> None:
    tried = outputs.rehearsing()
    tried.ready()
    assert "former" in tried.keep("former", "x", b"1")
    assert list((tmp_path / "outputs").iterdir()) == []


def test_what_cannot_be_kept_is_said_before_anything_is_sent(outputs: Outputs, tmp_path: Path) -> None:
    (tmp_path / "outputs").rmdir()
    with pytest.raises(StoreError) as error:
        outputs.keep("former", "x", b"1")
    assert error.value.sent is False


def test_a_name_holds_nothing_of_a_known_value(tmp_path: Path) -> None:
    redactor = Redactor()
    outputs = Outputs(tmp_path / "outputs", redactor)
    outputs.ready()
    redactor.learn("sesame_0123456789", "KEY")
    assert "sesame" not in Path(outputs.keep("bundle", "sesame_0123456789", "text")).name
