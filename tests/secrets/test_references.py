"""Secret references: what they reach, what they never reach, and what a person is told."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.gate import grants
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Purpose, SecretReference, Secrets, Typed, asked_by, references
from molecule_mcp.secrets import private as private_files

VALUE = "the-secret-value"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A secrets folder with one file `good`, and a private file outside of it."""
    folder = tmp_path / "state" / "secrets"
    folder.mkdir(mode=0o700, parents=True)
    private(folder / "good")
    private(tmp_path / "outside")
    return folder


def private(path: Path, content: bytes = VALUE.encode()) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def secrets(folder: Path = Path("/nowhere"), **environ: str) -> Secrets:
    return Secrets(folder, environ, Redactor())


def refused(known: Secrets, reference: str) -> str:
    with pytest.raises(ArgumentError) as error:
        known.resolve(reference)
    told = json.dumps(error.value.told())
    assert VALUE not in told
    return told


@pytest.mark.parametrize(
    "reference",
    ["", "env:", VALUE, "env:AWS_SECRET", "env:MOLECULE_ORG_TOKEN", "env:MOLECULE_SECRET_", "env:MOLECULE_SECRET_x",
     "env: MOLECULE_SECRET_X", "env:MOLECULE_SECRET_X\n", "ENV:MOLECULE_SECRET_X", "file:", "file:/etc/passwd",
     "file:../outside", "file:a/b", "file:a\\b", "file:~", "file:a b", "file:a\x00", "file:" + "a" * 129,
     "file:\u00fcber", "file:good\n", "keyring:login/me", "keyring:molecule/me", "keyring:molecule-secret",
     "keyring:molecule-secret/", "keyring:molecule-secret/a/b", "http:x", "file:good,file:other"],
)  # fmt: skip
def test_what_is_no_reference_is_refused_unread_and_never_shown(folder: Path, reference: str) -> None:
    """Ours: a malformed reference may be a secret value that a model pasted."""
    told = refused(secrets(folder, MOLECULE_SECRET_X=VALUE, AWS_SECRET=VALUE, MOLECULE_ORG_TOKEN=VALUE), reference)
    assert told == refused(secrets(folder), "nothing like it")
    assert "That is not a secret reference" in told
    with pytest.raises(ValidationError):
        TypeAdapter[str](SecretReference).validate_python(reference)


@pytest.mark.parametrize(
    "reference", ["env:MOLECULE_SECRET_X", "file:good", "page:bot.1", "keyring:molecule-secret/me@acme.test"]
)
def test_the_type_for_tools_takes_every_kind_and_says_how(reference: str) -> None:
    assert TypeAdapter[str](SecretReference).validate_python(reference) == reference
    schema = TypeAdapter[str](SecretReference).json_schema()
    assert re.search(schema["pattern"], reference)
    assert "never the value" in schema["description"]


def test_a_variable_is_read_from_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLECULE_SECRET_X", "of-the-process")
    assert secrets(MOLECULE_SECRET_X=VALUE).resolve("env:MOLECULE_SECRET_X") == VALUE
    assert "is not set" in refused(secrets(), "env:MOLECULE_SECRET_X")


@pytest.mark.parametrize(
    ("value", "why"),
    [("", "is empty"), ("${GITHUB_TOKEN}", "was not expanded"), (f"{VALUE}\udcff", "is not UTF-8")],
)
def test_a_variable_without_a_usable_value_is_refused_by_its_name(value: str, why: str) -> None:
    told = refused(secrets(MOLECULE_SECRET_X=value, MOLECULE_SECRET_OTHER=VALUE), "env:MOLECULE_SECRET_X")
    assert why in told
    assert "MOLECULE_SECRET_X" in told
    assert "OTHER" not in told
    assert "GITHUB_TOKEN" not in told


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"v", "v"),
        (b"two\nlines\n", "two\nlines"),
        (b"value\r\n", "value"),
        (b"value\n\n", "value\n"),
        (b"value\r", "value\r"),
        ("\u00e9\U0001f600".encode(), "\u00e9\U0001f600"),
        (b"x" * private_files.LARGEST, "x" * private_files.LARGEST),
    ],
)
def test_a_file_gives_its_text_without_the_last_line_end(folder: Path, content: bytes, value: str) -> None:
    private(folder / ".name-1_x", content)
    assert secrets(folder).resolve("file:.name-1_x") == value


@settings(deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=6))
def test_every_value_is_masked_before_a_caller_has_it(value: str) -> None:
    redactor = Redactor()
    known = Secrets(Path("/nowhere"), {"MOLECULE_SECRET_X": value}, redactor)
    try:
        found = known.resolve("env:MOLECULE_SECRET_X")
    except ArgumentError:
        return
    assert redactor.text(found) in {"[redacted:env:MOLECULE_SECRET_X]", "[***]"}


def test_a_file_is_read_anew_each_time(folder: Path) -> None:
    known = secrets(folder)
    assert known.resolve("file:good") == VALUE
    private(folder / "good", b"changed")
    assert known.resolve("file:good") == "changed"


def linked(folder: Path) -> None:
    (folder / "bad").symlink_to(folder.parent.parent / "outside")


def linked_inside(folder: Path) -> None:
    (folder / "bad").symlink_to("good")


def hard_linked(folder: Path) -> None:
    (folder / "bad").hardlink_to(folder.parent.parent / "outside")


def a_folder(folder: Path) -> None:
    (folder / "bad").mkdir(0o700)


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "bad", 0o600)


def a_socket(folder: Path) -> None:
    # By a short relative path: the name of a socket has at most 107 bytes.
    here = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("bad")
    finally:
        os.chdir(here)


def for_the_group(folder: Path) -> None:
    private(folder / "bad").chmod(0o640)


def for_others(folder: Path) -> None:
    private(folder / "bad").chmod(0o604)


def too_large(folder: Path) -> None:
    private(folder / "bad", b"x" * (private_files.LARGEST + 1))


def not_utf8(folder: Path) -> None:
    private(folder / "bad", VALUE.encode() + b"\xff")


def empty(folder: Path) -> None:
    private(folder / "bad", b"")


def only_a_line_end(folder: Path) -> None:
    private(folder / "bad", b"\n")


def missing(folder: Path) -> None:
    """Nothing under that name."""


def in_a_folder_others_write_to(folder: Path) -> None:
    private(folder / "bad")
    folder.chmod(0o770)


def in_a_linked_folder(folder: Path) -> None:
    private(folder / "bad")
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


def in_a_pipe(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    os.mkfifo(folder, 0o700)


def in_no_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (linked, "cannot be read"),
        (linked_inside, "cannot be read"),
        (hard_linked, "second name"),
        (a_folder, "not a plain file"),
        (a_pipe, "not a plain file"),
        (a_socket, "cannot be read"),
        (for_the_group, "mode must be 600"),
        (for_others, "mode must be 600"),
        (too_large, "larger than 64 KiB"),
        (not_utf8, "is not UTF-8"),
        (empty, "is empty"),
        (only_a_line_end, "is empty"),
        (missing, "does not exist"),
        (in_a_folder_others_write_to, "others may write"),
        (in_a_linked_folder, "cannot be read"),
        (in_a_pipe, "cannot be read"),
        (in_no_folder, "does not exist"),
    ],
)
def test_only_a_plain_private_file_is_read(folder: Path, make: Callable[[Path], None], why: str) -> None:
    make(folder)
    told = refused(secrets(folder), "file:bad")
    assert why in told
    assert "good" not in told


@pytest.mark.parametrize("name", [".", ".."])
def test_the_folder_itself_and_its_parent_are_no_files(folder: Path, name: str) -> None:
    assert "names one file" in refused(secrets(folder), f"file:{name}")


@pytest.mark.parametrize("foreign", ["folder", "file"])
def test_another_users_folder_or_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, foreign: str) -> None:
    """Who runs the tests cannot always give files away, so the question who one is gets another answer."""
    me = os.getuid()
    answers = iter([me + 1] if foreign == "folder" else [me, me + 1])
    monkeypatch.setattr(os, "getuid", lambda: next(answers))
    assert "another user" in refused(secrets(folder), "file:good")


def test_without_posix_no_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "POSIX", False)
    assert "file references are off" in refused(secrets(folder), "file:good")


@pytest.mark.parametrize("before", [missing, linked, a_pipe, empty, hard_linked, in_no_folder])
def test_the_line_in_the_error_makes_the_reference_work(folder: Path, before: Callable[[Path], None]) -> None:
    odd = folder.with_name("it's a folder")
    folder.rename(odd)
    before(odd)
    advice = json.loads(refused(secrets(odd), "file:bad"))["advice"]
    line = advice.removeprefix("A person runs in a shell: ").split(" - then ")[0]
    subprocess.run(["/bin/sh", "-c", line], input=VALUE.encode() + b"\n", check=True)
    assert secrets(odd).resolve("file:bad") == VALUE
    assert (odd.parent.parent / "outside").read_bytes() == VALUE.encode()


def test_a_file_open_to_others_only_gets_its_mode_corrected(folder: Path) -> None:
    for_others(folder)
    advice = json.loads(refused(secrets(folder), "file:bad"))["advice"]
    subprocess.run(["/bin/sh", "-c", advice.removeprefix("A person runs in a shell: ")], check=True)
    assert secrets(folder).resolve("file:bad") == VALUE


def test_no_descriptor_stays_open_after_a_value_or_a_refusal(folder: Path) -> None:
    a_pipe(folder)
    before = {*Path("/dev/fd").iterdir()}
    refused(secrets(folder), "file:bad")
    secrets(folder).resolve("file:good")
    assert {*Path("/dev/fd").iterdir()} == before


def test_other_variables_are_not_even_kept() -> None:
    assert VALUE not in str(vars(secrets(MOLECULE_ORG_TOKEN=VALUE)))


class Keyring(ModuleType):
    """A keyring with one usable entry."""

    def get_password(self, service: str, user: str) -> str | None:
        if user == "locked":
            raise OSError(VALUE)
        return {"me": VALUE, "empty": "", "odd": f"{VALUE}\udcff"}.get(user) if service == "molecule-secret-a" else None


def test_a_keyring_entry_is_found_by_service_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    assert secrets().resolve("keyring:molecule-secret-a/me") == VALUE


@pytest.mark.parametrize("user", ["nobody", "empty", "odd"])
def test_a_keyring_without_a_usable_entry_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    told = refused(secrets(), f"keyring:molecule-secret-a/{user}")
    assert f"keyring set molecule-secret-a {user}" in told


def test_whatever_a_keyring_raises_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    assert "OSError" in refused(secrets(), "keyring:molecule-secret/locked")


def test_without_the_keyring_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    told = refused(secrets(), "keyring:molecule-secret/me")
    assert f"A person runs: {references.adding('keyring')} - and restarts the server." in told


@pytest.mark.parametrize(
    ("pip", "line"),
    [(True, [sys.executable, "-m", "pip"]), (False, ["uv", "pip", "install", "--python", sys.executable])],
)
def test_a_package_is_added_to_the_interpreter_that_runs_this(
    pip: bool, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ModuleType("pip")
    known.__spec__ = ModuleSpec("pip", None)
    monkeypatch.setitem(sys.modules, "pip", known if pip else None)
    told = shlex.split(references.adding("keyring"))
    assert (told[: len(line)], told[-1]) == (line, "keyring")


def test_what_is_typed_on_the_page_is_learned_and_forgotten_with_its_call(tmp_path: Path) -> None:
    redactor = Redactor()
    typed = Typed(tmp_path / "typed", grants.code)
    known = Secrets(Path("/nowhere"), {}, redactor, typed)
    with asked_by(Purpose(lambda: "b1", "t", "local", "default", "x")):
        with pytest.raises(GateStop) as stop:
            known.resolve("page:KEY")
        code = stop.value.details["code"]
        assert known.state(code) == "open"
        found = typed.wanted(code)
        assert found
        typed.fill(found[0], VALUE)
        assert known.state(code) == "filled"
        assert known.resolve("page:KEY") == VALUE
    assert redactor.text(VALUE) == "[redacted:page:KEY]"
    known.forget("b1")
    assert known.state(code) is None


def test_without_a_page_nothing_can_be_typed() -> None:
    known = secrets()
    assert "no page to type" in refused(known, "page:KEY")
    assert known.state("7F3K-92QD") is None
    known.unanswered("7F3K-92QD", declined=True)
    known.forget("b1")


def test_what_cannot_be_deleted_is_logged_and_the_call_stands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "typed").mkdir(mode=0o700)
    (tmp_path / "typed" / "A.value").mkdir()
    Secrets(tmp_path, {}, Redactor(), Typed(tmp_path / "typed", grants.code)).forget("b1")
    assert "could not be deleted at once" in caplog.text


def asked(tmp_path: Path) -> tuple[Secrets, str]:
    """Secrets that wait for a person, and the code."""
    known = Secrets(Path("/nowhere"), {}, Redactor(), Typed(tmp_path / "typed", grants.code))
    with asked_by(Purpose(lambda: "b1", "t", "local", "default", "x")), pytest.raises(GateStop) as stop:
        known.resolve("page:KEY")
    return known, stop.value.details["code"]


def test_a_no_is_kept_and_a_page_that_was_only_closed_is_forgotten(tmp_path: Path) -> None:
    known, code = asked(tmp_path / "no")
    known.unanswered(code, declined=True)
    assert known.state(code) == "declined"
    known, code = asked(tmp_path / "closed")
    known.unanswered(code, declined=False)
    assert known.state(code) is None


def test_in_a_dry_run_nobody_is_asked_and_nothing_is_learned_or_written(tmp_path: Path) -> None:
    redactor = Redactor()
    known = Secrets(Path("/nowhere"), {}, redactor, Typed(tmp_path / "typed", grants.code)).rehearsing()
    with asked_by(Purpose(lambda: "b1", "t", "local", "default", "x")):
        stands = known.resolve("page:KEY")
    assert redactor.text(stands) is stands
    assert list(tmp_path.iterdir()) == []
    assert "is not set" in refused(known, "env:MOLECULE_SECRET_NONE")


def test_what_lies_in_the_folder_is_masked_before_any_call_refers_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, redactor = tmp_path / "secrets", Redactor()
    known = Secrets(folder, {}, redactor)
    known.learn_files()
    folder.mkdir(mode=0o700)
    (folder / "open-to-all").write_text("not-a-secret-1")
    (folder / "TOKEN").touch(mode=0o600)
    (folder / "TOKEN").write_text(f"{VALUE}\n")
    known.learn_files()
    assert redactor.text(f"{VALUE} not-a-secret-1") == "[redacted:file:TOKEN] not-a-secret-1"
    assert caplog.messages == []
