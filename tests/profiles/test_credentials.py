"""A profile's key: from a variable, a private file, a keyring or a helper, and never into an error."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.profiles import credentials
from molecule_mcp.profiles.credentials import key, source
from molecule_mcp.redaction import Redactor

KEY = "k3yOf-the_0rganization"


def had(text: str, **environ: str) -> str:
    """The key behind a credential, which must then be unshowable."""
    redactor = Redactor()
    value = key(source(text, "p.toml"), environ, redactor)
    assert value not in redactor.text(f"it is {value}")
    return value


def refused(text: str, **environ: str) -> str:
    """The error of a credential without a key."""
    with pytest.raises(ConfigurationError) as error:
        key(source(text, "p.toml"), environ, Redactor())
    assert KEY not in str(error.value.told())
    return f"{error.value.message} {error.value.advice}"


def command(code: str) -> str:
    """A helper that runs some Python."""
    return f"command:{json.dumps([sys.executable, '-c', code])}"


def test_a_variable_gives_its_value_and_must_be_set() -> None:
    assert had("env:ACME_KEY", ACME_KEY=KEY) == KEY
    assert "no key at env:ACME_KEY" in refused("env:ACME_KEY")
    assert "no key at env:ACME_KEY" in refused("env:ACME_KEY", ACME_KEY="")


def test_a_file_gives_its_first_line_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert "no key at file:" in refused(f"file:{path}")
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    assert had(f"file:{path}") == KEY
    path.chmod(0o640)
    assert "other users can reach" in refused(f"file:{path}")
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    assert "not a regular file" in refused(f"file:{tmp_path / 'link'}")
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused(f"file:{path}")


def test_a_keyring_gives_the_entry_of_service_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = ModuleType("keyring")
    entries = {("molecule", "acme"): KEY}

    def get_password(service: str, user: str) -> str | None:
        return entries.get((service, user))

    vars(keyring)["get_password"] = get_password
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert had("keyring:molecule/acme") == KEY
    assert "no usable value" in refused("keyring:molecule/other")


def test_a_keyring_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "keyring" in refused("keyring:molecule/acme")


def test_a_helper_gives_its_first_line_and_sees_no_key_of_ours() -> None:
    assert had(command(f"print('{KEY}'); print('more')")) == KEY
    told = command("import os; print(os.environ.get('MOLECULE_ORG_TOKEN', 'none') + '-' + os.environ['HELPERS_OWN'])")
    assert had(told, MOLECULE_ORG_TOKEN=KEY, HELPERS_OWN="its-own-value") == "none-its-own-value"
    assert had(command("import sys; print('input:' + sys.stdin.read())")) == "input:"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; print('x' * 30, file=sys.stderr); sys.exit(3)", "ended with exit code 3"),
        (f"print('{KEY}'); raise SystemExit(1)", "ended with exit code 1"),
        ("print('')", "no key at command:"),
        (f"print('x' * {credentials.LARGEST + 1})", "said too much"),
    ],
)
def test_a_helper_that_fails_stops_the_start(code: str, told: str) -> None:
    assert told in refused(command(code))


def test_a_helper_that_hangs_or_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be run (FileNotFoundError)" in refused('command:["no-such-helper-of-ours"]')
    monkeypatch.setattr(credentials, "WAIT", 0.05)
    assert "took longer than" in refused(command("import sys, threading; threading.Event().wait(30)"))


@pytest.mark.parametrize(
    "text",
    [
        KEY, "", "env:", "env:A B", "env:1A", "file:", "file:key", "file:../key", "keyring:molecule", "keyring:/acme",
        "command:", "command:[]", "command:helper", "command:[1]", 'command:["./helper"]', 'command:["a/b"]',
        'command:[""]', "workspace-token", "workspace-token:", "workspace-token:workspace-token:env:A", "vault:x",
    ],
)  # fmt: skip
def test_what_names_no_place_of_a_key_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="says no place of a key") as error:
        source(text, "p.toml: profile.support.credential")
    assert KEY not in str(error.value.told())


@pytest.mark.parametrize(
    "text", ["env:MOLECULE_SECRET_KEY", "keyring:molecule-secret/key", "keyring:molecule-secrets/key"]
)
def test_no_key_comes_from_where_tools_pass_secrets_on(text: str) -> None:
    with pytest.raises(ConfigurationError, match="secrets that tools pass on"):
        source(text, "p.toml")


def test_a_workspaces_own_token_comes_from_the_same_places() -> None:
    found = source("workspace-token:env:ACME_TOKEN", "p.toml")
    assert (found.kind, found.name, found.workspace_token) == ("env", "ACME_TOKEN", True)
    assert str(found) == "workspace-token:env:ACME_TOKEN"
    assert "private" not in str(source('command:["pass", "private"]', "p.toml"))
