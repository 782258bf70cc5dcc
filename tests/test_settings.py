"""Settings: what each variable and flag sets, and everything that stops the start."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from platformdirs import user_config_path, user_state_path

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.settings import OWN, ROLES, TOKEN, Selection, Settings, child_environment, unexpanded

KEY = "k3yOf-the_0rganization"
TENANT = {"MOLECULE_API_URL": "https://acme.test", "MOLECULE_ORG_TOKEN": KEY}
ONE, TWO = "6f0c1e0e-0000-4000-8000-000000000001", "6f0c1e0e-0000-4000-8000-000000000002"


def refused(environ: dict[str, str], **flags: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        Settings.load(environ, **flags)  # pyright: ignore[reportArgumentType]
    return error.value


def origin(url: str) -> str | None:
    return Settings.load({**TENANT, "MOLECULE_API_URL": url}).api_url


def test_nothing_configured_means_the_sample_with_every_gate_on() -> None:
    settings = Settings.load({"PATH": "/bin", "MOLECULE_SECRET_X": "value"})
    assert settings.sample
    assert settings == Settings(user_state_path("molecule-mcp"), user_config_path("molecule-mcp"))
    assert (settings.role, settings.read_only, settings.workspaces) == (None, False, None)
    assert (settings.allow_wait, settings.log_level, settings.profile) == (45.0, "WARNING", "default")


def test_url_and_key_make_it_that_tenant() -> None:
    settings = Settings.load({**TENANT, "MOLECULE_ORG_ID": "org_7"})
    assert not settings.sample
    assert (settings.api_url, settings.org_token, settings.org_id) == ("https://acme.test", KEY, "org_7")


def test_settings_cannot_be_changed_and_never_show_the_key() -> None:
    settings = Settings.load(TENANT)
    assert KEY not in repr(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.role = "READ"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("given_", "missing"),
    [
        ({"MOLECULE_API_URL": "https://acme.test"}, "MOLECULE_ORG_TOKEN"),
        ({"MOLECULE_ORG_TOKEN": KEY}, "MOLECULE_API_URL"),
        ({"MOLECULE_ORG_ID": "org_7"}, "MOLECULE_API_URL and MOLECULE_ORG_TOKEN"),
    ],
)
def test_half_a_configuration_names_the_missing_half(given_: dict[str, str], missing: str) -> None:
    error = refused(given_)
    assert error.message.endswith(f"without {missing}.")
    assert missing in str(error.advice)


@pytest.mark.parametrize("name", [*TENANT, "MOLECULE_ORG_ID", *OWN])
@pytest.mark.parametrize("value", ["${THE_VALUE}", "${input:key}", "$THE_VALUE", "%VALUE%", "{{ v }}"])
def test_an_unexpanded_value_stops_the_start_wherever_it_stands(name: str, value: str) -> None:
    error = refused({**TENANT, name: value})
    assert error.message.startswith(f"{name} holds the name of a variable instead of its value")
    assert "THE_VALUE" not in str(error.told())


@pytest.mark.parametrize("name", [*TENANT, "MOLECULE_ORG_ID", *OWN])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_stops_the_start_wherever_it_stands(name: str, value: str) -> None:
    assert refused({**TENANT, name: value}).message == f"{name} is empty."


@pytest.mark.parametrize("name", list(TENANT))
@pytest.mark.parametrize("odd", ["{}\n", " {}", "{}\x00", "\ufeff{}", "\t{}"])
def test_control_characters_and_outer_spaces_are_refused(name: str, odd: str) -> None:
    error = refused({**TENANT, name: odd.format(TENANT[name])})
    assert error.message == f"{name} holds control characters, or white space at an end."
    assert TENANT[name] not in str(error.told())


@pytest.mark.parametrize(
    "token",
    ["<token>", "changeme", "CHANGE_ME_PLEASE", "your-org-token", "your_token_here", "xxxxxxxxxxxx", "[org token]",
     "abc...xyz", "insert-key-here", "token", "todo", "placeholder-key", "short", f"Bearer {KEY}",
     "schl\u00fcssel-key"],
)  # fmt: skip
def test_a_token_that_cannot_be_a_key_is_refused_without_being_shown(token: str) -> None:
    told = refused({**TENANT, TOKEN: token}).told()
    assert told["message"].startswith(TOKEN)
    assert token == "token" or token not in str(told)


@examples(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True))
def test_a_key_as_the_tenant_mints_it_is_accepted(token: str) -> None:
    """Tenant-defined: 43 characters of base64url."""
    if len(set(token)) > 3:
        assert Settings.load({**TENANT, TOKEN: token}).org_token == token


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://acme.test/", "https://acme.test"),
        ("HTTPS://Acme.TEST:443", "https://acme.test"),
        ("https://acme.test:8443", "https://acme.test:8443"),
        ("https://[2001:DB8:0::1]:444", "https://[2001:db8::1]:444"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.9:80/", "http://127.0.0.9"),
        ("http://[::1]", "http://[::1]"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://a_b.xn--bcher-kva.test", "https://a_b.xn--bcher-kva.test"),
    ],
)
def test_a_url_becomes_its_origin(url: str, normal: str) -> None:
    assert origin(url) == normal


@pytest.mark.parametrize(
    "url",
    ["acme.test", "//acme.test", "ftp://acme.test", "https://", "https:acme.test", "https://acme.test/api",
     "https://u:p4ssword@acme.test", "https://@acme.test", "https://acme.test?", "https://acme.test#",
     "https://acme.test/?x", "https://acme.test//", "https://acme.test:0", "https://acme.test:65536",
     "https://acme.test:x", "https://acme.test:", "https://acme.test\\@evil.test", "https://ac me.test",
     "https://-acme.test", "https://acme..test", "https://acme.test.", "https://[1.2.3.4]", "https://[::g]",
     "https://[fe80::1%25eth0]", "https://\u212aelvin.test", "https://b\u00fccher.test", "https://your-tenant.test",
     "https://" + "a" * 64 + ".test", "https://" + ".".join(["abcdefg"] * 40), "https://acme.test%2f.evil.test"],
)  # fmt: skip
def test_what_is_more_or_less_than_an_origin_is_refused(url: str) -> None:
    error = refused({**TENANT, "MOLECULE_API_URL": url})
    assert "MOLECULE_API_URL" in error.message
    assert "evil" not in str(error.told())
    assert "p4ssword" not in str(error.told())


@pytest.mark.parametrize("host", ["acme.test", "10.0.0.1", "localhost.acme.test", "[2001:db8::1]", "127.1"])
def test_plain_http_is_only_for_this_machine(host: str) -> None:
    assert "http:// is only for" in refused({**TENANT, "MOLECULE_API_URL": f"http://{host}"}).message
    assert origin(f"https://{host}") is not None


@pytest.mark.parametrize("org_id", ["your-org-id", "org 7", "org/7", "xy" * 64 + "x", "org\u00e9"])
def test_an_organization_id_goes_into_a_header_so_it_is_checked(org_id: str) -> None:
    assert "MOLECULE_ORG_ID" in refused({**TENANT, "MOLECULE_ORG_ID": org_id}).message


@pytest.mark.parametrize("name", ["MOLECULE_MCP_READONLY", "MOLECULE_MCP_", "molecule_mcp_read_only"])
def test_a_misspelt_setting_stops_the_start_with_the_list_of_right_ones(name: str) -> None:
    error = refused({name: "1"})
    assert name in error.message
    assert all(each in str(error.advice) for each in OWN)


def test_the_name_of_an_unknown_setting_cannot_inject_lines() -> None:
    assert "\n" not in refused({"MOLECULE_MCP_\nX" + "y" * 500: "1"}).message


@pytest.mark.parametrize(("text", "on"), [("1", True), ("TRUE", True), ("yes", True), ("off", False), ("0", False)])
def test_read_only_is_switched_by_the_usual_words(text: str, on: bool) -> None:
    assert Settings.load({"MOLECULE_MCP_READ_ONLY": text}).read_only is on


def test_read_only_by_another_word_is_refused() -> None:
    assert "MOLECULE_MCP_READ_ONLY" in refused({"MOLECULE_MCP_READ_ONLY": "maybe"}).message


def test_the_read_only_flag_switches_on_and_never_off() -> None:
    assert Settings.load({}, read_only=True).read_only
    assert Settings.load({"MOLECULE_MCP_READ_ONLY": "true"}, read_only=False).read_only


@pytest.mark.parametrize("widest", [None, *ROLES])
@pytest.mark.parametrize("asked", [None, *ROLES])
def test_the_role_in_force_is_never_above_the_environments(widest: str | None, asked: str | None) -> None:
    environ = {} if widest is None else {"MOLECULE_MCP_ROLE": widest}
    ceiling = ROLES.index(widest or "ORG-ADMIN")  # pyright: ignore[reportArgumentType]
    if asked is not None and ROLES.index(asked) > ceiling:  # pyright: ignore[reportArgumentType]
        assert "--role asks for more than MOLECULE_MCP_ROLE allows" in refused(environ, role=asked).message
    else:
        assert Settings.load(environ, role=asked).role == (asked or widest)


@pytest.mark.parametrize("role", ["ADMIN", "read", "ORG_ADMIN", ""])
def test_an_unknown_role_is_refused_with_the_known_ones(role: str) -> None:
    assert "MOLECULE_MCP_ROLE" in refused({"MOLECULE_MCP_ROLE": role}).message
    assert "--role" in refused({}, role=role).message
    assert all(each in str(refused({}, role="ADMIN").advice) for each in ROLES)


def test_workspaces_are_bound_by_id_in_lower_case() -> None:
    settings = Settings.load({"MOLECULE_MCP_WORKSPACES": f"{ONE.upper()}, {TWO},"})
    assert settings.workspaces == {ONE, TWO}
    assert Settings.load({}, workspaces=ONE).workspaces == {ONE}


def test_a_flag_binds_fewer_workspaces_never_others() -> None:
    assert Settings.load({"MOLECULE_MCP_WORKSPACES": f"{ONE} {TWO}"}, workspaces=TWO).workspaces == {TWO}
    assert "--workspace asks" in refused({"MOLECULE_MCP_WORKSPACES": ONE}, workspaces=f"{ONE},{TWO}").message


@pytest.mark.parametrize("text", ["lab-notes", ONE[:-1], f"{{{ONE}}}", ONE.replace("-", ""), ",", f"{ONE},x", ""])
def test_what_is_not_a_workspace_id_is_refused(text: str) -> None:
    error = refused({}, workspaces=text)
    assert error.message.startswith("--workspace ")
    assert "--workspace" in str(error.advice)
    assert "lab-notes" not in str(error.told())


def test_the_tools_asked_for_are_kept_in_order_and_apart_by_who_asked() -> None:
    settings = Settings.load(
        {"MOLECULE_MCP_TOOLSETS": "files, workspaces,files", "MOLECULE_MCP_EXCLUDE_TOOLS": "read_file"},
        toolsets="workspaces",
        tools="list_files",
    )
    assert settings.environment == Selection(("files", "workspaces"), (), ("read_file",))
    assert settings.flags == Selection(("workspaces",), ("list_files",))
    assert not Settings.load({}).environment.said
    assert Settings.load({}, tools="list_files").flags.said
    assert "--toolsets" in refused({}, toolsets="Files!").message
    assert "MOLECULE_MCP_TOOLS" in refused({"MOLECULE_MCP_TOOLS": "a b;c"}).message


def test_the_wait_for_a_yes_is_between_nothing_and_ten_minutes() -> None:
    assert Settings.load({"MOLECULE_MCP_ALLOW_WAIT": "0"}).allow_wait == 0
    assert Settings.load({"MOLECULE_MCP_ALLOW_WAIT": "10"}, allow_wait="600").allow_wait == 600
    assert Settings.load({}, allow_wait=2.5).allow_wait == 2.5
    for text in ("-1", "601", "nan", "inf", "soon"):
        assert "MOLECULE_MCP_ALLOW_WAIT" in refused({"MOLECULE_MCP_ALLOW_WAIT": text}).message
        assert "--allow-wait" in refused({}, allow_wait=text).message


def test_a_deadline_is_a_number_of_seconds_that_only_tightens() -> None:
    assert Settings.load({}).deadline is None
    assert Settings.load({"MOLECULE_MCP_DEADLINE": "2.5"}).deadline == 2.5
    for text in ("0", "301", "soon", "nan"):
        assert "from 1 to 300" in refused({"MOLECULE_MCP_DEADLINE": text}).message


def test_the_log_level_is_taken_in_any_case() -> None:
    assert Settings.load({"MOLECULE_MCP_LOG_LEVEL": "debug"}).log_level == "DEBUG"
    assert Settings.load({"MOLECULE_MCP_LOG_LEVEL": "DEBUG"}, log_level="error").log_level == "ERROR"
    assert "--log-level" in refused({}, log_level="loud").message


def test_a_moved_state_takes_the_configuration_along(tmp_path: Path) -> None:
    settings = Settings.load({"MOLECULE_MCP_STATE": str(tmp_path)})
    assert (settings.state, settings.config) == (tmp_path, tmp_path / "config")
    assert Settings.load({"MOLECULE_MCP_STATE": "/elsewhere"}, state=tmp_path).state == tmp_path


def test_a_relative_state_is_taken_from_a_person_but_not_from_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}, state="here").state == tmp_path / "here"
    assert "MOLECULE_MCP_STATE" in refused({"MOLECULE_MCP_STATE": "here"}).message


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.load({"MOLECULE_MCP_STATE": "~/state"}).state == tmp_path / "state"
    assert "home folder" in refused({"MOLECULE_MCP_STATE": "~nobody-of-that-name/state"}).message


def test_a_child_gets_neither_the_key_nor_the_secrets() -> None:
    environ = {**TENANT, "MOLECULE_SECRET_GITHUB": "value", "PATH": "/bin"}
    assert child_environment(environ) == {"MOLECULE_API_URL": "https://acme.test", "PATH": "/bin"}


def test_values_with_a_dollar_inside_are_values() -> None:
    assert not unexpanded("pa$word")
    assert not unexpanded("100%")
    assert unexpanded("${X}")


def test_a_policy_file_and_a_profile_are_named_by_variable_or_flag_and_a_flag_names_no_other(tmp_path: Path) -> None:
    environ = {"MOLECULE_MCP_POLICY": str(tmp_path / "p.toml"), "MOLECULE_MCP_PROFILE": "support"}
    settings = Settings.load(environ)
    assert (settings.policy, settings.profile) == (tmp_path / "p.toml", "support")
    assert Settings.load(environ, policy=str(tmp_path / "p.toml"), profile="support") == settings
    assert Settings.load({}, policy="p.toml", profile="x").policy == Path("p.toml").absolute()
    assert "--profile asks for more than MOLECULE_MCP_PROFILE allows" in refused(environ, profile="admin").message
    assert "--policy asks for more than MOLECULE_MCP_POLICY allows" in refused(environ, policy="other.toml").message
    assert "not an absolute path" in refused({"MOLECULE_MCP_POLICY": "p.toml"}).message


def test_a_wrong_workspace_id_is_answered_with_the_flag_as_it_is_written() -> None:
    assert "--workspace once for each" in str(refused({}, workspaces="x").advice)
    assert "--workspace" not in str(refused({"MOLECULE_MCP_WORKSPACES": "x"}).advice)
