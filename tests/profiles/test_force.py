"""What is in force: the profile that was named, and nothing wider whatever is said besides."""

from pathlib import Path

import pytest

from molecule_mcp.capability import Risk
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import force
from molecule_mcp.profiles.forms import Written
from molecule_mcp.redaction import Redactor
from molecule_mcp.settings import Settings
from tests.profiles.making import NOW, ONE, TWO, file, text

KEY = "k3yOf-the_0rganization"
ACME = ('origin = "https://acme.example"', 'credential = "env:ACME_KEY"')


def written(folder: Path, content: str, name: str = "support", now: float = NOW) -> Written:
    """The profile of that name, from a file."""
    chosen = force.chosen(file(folder, content), name, entries(), now)
    assert chosen is not None
    return chosen.written


def refused(folder: Path, content: str, name: str = "support", now: float = NOW) -> str:
    """The error of a profile that cannot be used."""
    with pytest.raises(ConfigurationError) as error:
        written(folder, content, name, now)
    return f"{error.value.message} {error.value.advice}"


def completed(folder: Path, content: str, redactor: Redactor | None = None, **environ: str) -> dict[str, str]:
    """The environment as a profile completes it."""
    return force.completed(written(folder, content), environ, folder / "secrets", redactor or Redactor())


def stopped(folder: Path, content: str, **environ: str) -> str:
    """The error of an environment that does not go with a profile."""
    with pytest.raises(ConfigurationError) as error:
        completed(folder, content, None, **environ)
    assert KEY not in str(error.value.told())
    return error.value.message


def test_without_a_file_the_usual_profile_is_an_administrator_with_every_gate_on() -> None:
    assert force.chosen(None, "default", entries(), NOW) is None
    profile = force.in_force(None, Settings.load({}), entries())
    assert profile == Profile()
    assert (profile.role, profile.asks(Risk.DESTROY), profile.asks(Risk.CRITICAL)) == ("ORG-ADMIN", True, True)


def test_a_profile_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no policy file, so there is no profile 'support'"):
        force.chosen(None, "support", entries(), NOW)
    assert "has no profile 'admin'" in refused(tmp_path, text(), "admin")
    assert "support" in refused(tmp_path, text(), "default")


def test_an_expired_profile_stops_the_start_and_others_do_not(tmp_path: Path) -> None:
    both = text() + text(name="old", expires="2020-01-01T00:00:00Z").removeprefix("version = 1\n")
    assert "Profile 'old'" in refused(tmp_path, both, "old")
    assert written(tmp_path, both).name == "support"
    assert "has expired" in refused(tmp_path, text(), now=1_801_440_000.0)


def test_roots_without_workspaces_stop_the_start_with_the_command_that_resolves_them(tmp_path: Path) -> None:
    assert "policy refresh --profile support" in refused(tmp_path, text('roots = ["Marketing Lead"]'))


def test_the_profile_is_in_force_as_it_is_written(tmp_path: Path) -> None:
    lines = (f'workspaces = ["{ONE}"]', 'allow = ["list_workspaces"]', 'ask_from = "write"', 'confirm = "strict"')
    profile = force.in_force(written(tmp_path, text(*lines)), Settings.load({}), entries())
    assert profile == Profile(
        "support",
        "WORKSPACE-WRITE",
        frozenset({ONE}),
        allow=frozenset({"list_workspaces"}),
        ask_from=Risk.WRITE,
        strict=True,
        expires=1_801_440_000.0,
    )


def test_flags_and_variables_narrow_a_profile(tmp_path: Path) -> None:
    wide = written(tmp_path, text(f'workspaces = ["{ONE}", "{TWO}"]'))
    narrow = force.in_force(wide, Settings.load({"MOLECULE_MCP_ROLE": "READ"}, workspaces=TWO), entries())
    assert (narrow.role, narrow.bound) == ("READ", {TWO})
    assert force.in_force(wide, Settings.load({}, read_only=True), entries()).role == "READ"
    unbound = written(tmp_path, text())
    assert force.in_force(unbound, Settings.load({}, workspaces=ONE), entries()).bound == {ONE}


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MOLECULE_MCP_ROLE": "ORG-ADMIN"}, "asks for the role ORG-ADMIN"),
        ({"MOLECULE_MCP_WORKSPACES": TWO}, "asks for a workspace"),
        ({"MOLECULE_MCP_WORKSPACES": f"{ONE},{TWO}"}, "asks for a workspace"),
    ],
)
def test_what_would_widen_a_profile_stops_the_start(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    profile = written(tmp_path, text(f'workspaces = ["{ONE}"]'))
    with pytest.raises(ConfigurationError, match=told):
        force.in_force(profile, Settings.load(environ), entries())


def test_a_profile_brings_its_tenant_and_its_key(tmp_path: Path) -> None:
    redactor = Redactor()
    found = completed(tmp_path, text(*ACME), redactor, ACME_KEY=KEY)
    settings = Settings.load(found)
    assert (settings.api_url, settings.org_token) == ("https://acme.example", KEY)
    assert KEY not in redactor.text(KEY)


def test_without_need_for_the_tenant_the_key_is_not_fetched(tmp_path: Path) -> None:
    profile = written(tmp_path, text(*ACME))
    environ = {"MOLECULE_API_URL": "https://acme.example", "MOLECULE_ORG_ID": "org"}
    assert Settings.load(force.completed(profile, environ, tmp_path, None)).sample


def test_a_key_goes_to_the_profiles_origin_and_to_no_other(tmp_path: Path) -> None:
    only = text('origin = "https://acme.example"')
    assert completed(tmp_path, only, MOLECULE_API_URL="https://ACME.example:443/")["MOLECULE_API_URL"]
    for content in (only, text(*ACME)):
        assert "goes to no other" in stopped(tmp_path, content, MOLECULE_API_URL="https://evil.example", ACME_KEY=KEY)


def test_two_keys_stop_the_start(tmp_path: Path) -> None:
    assert "Two keys" in stopped(tmp_path, text(*ACME), MOLECULE_ORG_TOKEN=KEY, ACME_KEY=KEY)
    same = text(ACME[0], 'credential = "env:MOLECULE_ORG_TOKEN"')
    assert completed(tmp_path, same, MOLECULE_ORG_TOKEN=KEY)["MOLECULE_ORG_TOKEN"] == KEY


def test_a_key_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    assert "no key at env:ACME_KEY" in stopped(tmp_path, text(*ACME))


def test_no_key_is_taken_from_the_folder_that_tools_pass_secrets_on_from(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "secrets")
    for folder in ("secrets", "link", "link/../secrets"):
        lines = (ACME[0], f'credential = "file:{tmp_path}/{folder}/key"')
        assert "from where tools pass secrets on" in stopped(tmp_path, text(*lines))


def test_a_workspaces_own_token_bounds_the_profile(tmp_path: Path) -> None:
    lines = (ACME[0], 'credential = "workspace-token:env:ACME_KEY"', f'workspaces = ["{ONE}"]')
    profile = force.in_force(written(tmp_path, text(*lines)), Settings.load({}), entries())
    assert (profile.workspace_token, profile.bound) == (True, {ONE})
