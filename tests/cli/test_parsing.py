"""The command line: flags count wherever they stand, and never silently against each other."""

import pytest

from molecule_mcp.cli.flags import SHARED
from molecule_mcp.cli.parsing import parsed

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        (["--workspace", "a", "serve", "--workspace", "b"], "--workspace"),
        (["--state", "a", "audit", "verify", "--state", "b"], "--state"),
        (["--policy", "a", "policy", "check", "--policy", "b"], "--policy"),
        (["--role", "READ", "tools", "--role", "READ"], "--role"),
        (["--read-only", "serve", "--read-only"], "--read-only"),
        (["--exclude-tools", "a", "call", "x", "--exclude-tools", "b"], "--exclude-tools"),
    ],
)
def test_a_flag_on_both_sides_of_the_command_is_exit_2(given: list[str], flag: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(given)
    assert ended.value.code == 2
    assert f"{flag} stands before the command and after it" in capsys.readouterr().err


def test_a_flag_is_found_under_its_own_name_wherever_it_stands() -> None:
    for given in (["--workspace", "a", "--workspace", "b", "serve"], ["serve", "--workspace", "a", "--workspace", "b"]):
        assert parsed(given).workspace == ["a", "b"]
    for given in (["--read-only"], ["--read-only", "serve"], ["serve", "--read-only"]):
        assert parsed(given).read_only is True
    assert parsed(["--state", "x", "audit", "show"]).state == parsed(["audit", "show", "--state", "x"]).state == "x"


@pytest.mark.parametrize("given", [[], ["serve"], ["audit", "show"], ["policy", "check"], ["demo"]])
def test_a_flag_that_is_not_given_is_none(given: list[str]) -> None:
    found = vars(parsed(given))
    assert {name: found[name] for name in SHARED} == dict.fromkeys(SHARED)
    assert not [name for name in found if name.startswith("before_")]


def test_a_tool_s_argument_as_a_flag_is_answered_with_how_arguments_are_given(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(["call", "list_workspaces", "--limit", "1"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told == "molecule-mcp call: --limit: a tool's arguments are one JSON object: '{\"limit\": 5}'\n"
    with pytest.raises(SystemExit):
        parsed(["tools", "--limit", "1"])
    assert "unrecognized arguments: --limit 1" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--port", "--host", "--bearer-file", "--allowed-host"])
def test_a_flag_of_the_http_doors_without_them_is_exit_2(flag: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(["serve", flag, "99"])
    assert ended.value.code == 2
    assert f"{flag} needs --http" in capsys.readouterr().err


def test_the_http_doors_have_an_address_that_flags_change() -> None:
    usual, other = parsed(["serve", "--http"]), parsed(["serve", "--http", "--port", "0", "--allowed-host", "a"])
    assert (usual.host, usual.port, usual.allowed_host) == ("127.0.0.1", 8765, None)
    assert (other.host, other.port, other.allowed_host) == ("127.0.0.1", 0, ["a"])
