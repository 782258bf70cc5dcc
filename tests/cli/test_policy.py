"""`molecule-mcp policy`: what it says of a file, of a call and of what is in force, and its exit codes."""

import json
import stat
import tomllib
from pathlib import Path

import pytest
from tests.cli.test_profile import config, policy, soon
from tests.profiles.making import ONE, TWO, file

from molecule_mcp.cli import main
from molecule_mcp.prepared import entries

__all__ = ["config"]

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured, *command: str, code: int = 0) -> dict[str, str]:
    """The JSON answer of an action."""
    assert main(["policy", *command, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_file_is_checked_without_being_in_force(config: Path, capsys: Captured, tmp_path: Path) -> None:
    assert main(["policy", "check"]) == 0
    assert "ORG-ADMIN with every gate on" in capsys.readouterr().out
    path = file(tmp_path / "draft", policy(soon(), f'workspaces = ["{ONE}"]'))
    assert main(["policy", "check", str(path)]) == 0
    assert capsys.readouterr().out.startswith("default: READ, 1 workspaces, ")


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [("expires = 2020-01-01T00:00:00Z", 1, "EXPIRED"), ("nonsense", 2, "no TOML"), ("rol = 1", 2, "rol is not known")],
)
def test_a_check_fails_where_a_start_would(config: Path, capsys: Captured, line: str, code: int, says: str) -> None:
    file(config, policy(line))
    assert main(["policy", "check"]) == code
    said = capsys.readouterr()
    assert says in said.out + said.err


def test_roots_that_are_not_resolved_fail_the_check(config: Path, capsys: Captured) -> None:
    file(config, policy(soon(), 'roots = ["Marketing Lead"]'))
    assert main(["policy", "check"]) == 1
    assert "UNRESOLVED" in capsys.readouterr().out
    assert main(["policy", "check", "absent.toml"]) == 2


@pytest.mark.parametrize("action", [[], ["nonsense"], ["explain"], ["check", "a", "b"]])
def test_a_wrong_command_line_is_exit_2(action: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["policy", *action])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("tool", "given", "decision", "rule", "asks"),
    [
        ("list_workspaces", None, "allowed", "it only reads", "nobody"),
        ("restart_workspace", {"workspace_id": ONE}, "asked", "risk disrupt is at or above ask_from = disrupt", "yes"),
        ("delete_workspace", {"workspace_id": ONE, "purge": True}, "asked", "risk critical", "no other way"),
        ("restart_workspace", {"workspace_id": TWO}, "refused", "outside the workspaces", None),
        ("run_plan", None, "allowed", "each call in it is decided as it would be alone", None),
        ("create_org_token", None, "refused", "changes the organization", None),
        ("list_channels", None, "refused", "`deny` of this profile", None),
    ],
)
def test_a_decision_is_explained_by_the_rule_that_makes_it(
    config: Path,
    capsys: Captured,
    tool: str,
    given: dict[str, object] | None,
    decision: str,
    rule: str,
    asks: str | None,
) -> None:
    lines = (f'workspaces = ["{ONE}"]', 'ask_from = "disrupt"', 'confirm = "strict"', 'deny = ["channels"]')
    file(config, policy(soon(), *lines, role="WORKSPACE-WRITE"))
    arguments = [] if given is None else [json.dumps(given)]
    found = told(capsys, "explain", tool, *arguments, code=1 if decision == "refused" else 0)
    assert (found["decision"], rule in found["rule"]) == (decision, True), found
    assert asks is None or asks in found["asks"]


def test_what_an_operator_allowed_beforehand_is_allowed_and_says_by_what(config: Path, capsys: Captured) -> None:
    given = {"workspace_id": ONE, "schedule_id": TWO}
    lines = [f'arguments.{name} = "{value}"' for name, value in given.items()]
    preauth = ["[[profile.default.preauth]]", 'tool = "delete_schedule"', "max_uses = 5", soon(), *lines]
    file(config, policy(soon(), *preauth, role="WORKSPACE-WRITE"))
    found = told(capsys, "explain", "delete_schedule", json.dumps(given))
    assert (found["decision"], found["asks"][:18]) == ("allowed (preauth)", "nobody for 5 uses,")
    assert "a preauth covers exactly this call" in found["rule"]
    other = told(capsys, "explain", "delete_schedule", json.dumps({**given, "schedule_id": ONE}))
    assert (other["decision"], "preauth" in other["rule"]) == ("asked", False)


def test_what_is_permitted_and_not_offered_is_told_with_what_offers_it(
    config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(config, policy(soon(), 'allow = ["list_schedules", "delete_schedule"]', role="WORKSPACE-WRITE"))
    both = f"2 of {len(entries())} tools"
    assert main(["policy", "check"]) == 0
    said = capsys.readouterr().out
    assert f"permits {both}, 1 of them offered by default; --toolsets all adds delete_schedule\n" in said
    assert told(capsys, "show")["permits"] == f"{both}, 1 of them offered here; --toolsets all adds delete_schedule"
    assert told(capsys, "show", "--toolsets", "all")["permits"] == f"{both}, 2 of them offered here"
    assert told(capsys, "show", "--exclude-tools", "delete_schedule")["permits"] == f"{both}, 1 of them offered here"
    monkeypatch.setenv("MOLECULE_MCP_TOOLSETS", "default")
    assert "; MOLECULE_MCP_TOOLSETS=all adds delete_schedule" in told(capsys, "show")["permits"]


def test_what_may_raise_the_risk_is_told(config: Path, capsys: Captured) -> None:
    found = told(capsys, "explain", "pause_workspace")
    assert (found["decision"], found["rule"]) == ("allowed", "risk disrupt is below ask_from = destroy")
    assert found["risk"] == "disrupt; destroy when descendants (read at the call)"
    found = told(capsys, "explain", "delete_workspace")
    assert found["risk"].startswith("destroy; critical when descendants (read at the call)")
    assert "critical when purge" in found["risk"]
    found = told(capsys, "explain", "delete_workspace", json.dumps({"workspace_id": ONE}))
    assert "purge" not in found["risk"]


def test_a_tool_that_no_toolset_offers_is_explained_as_such(config: Path, capsys: Captured) -> None:
    found = told(capsys, "explain", "list_channels", "--toolsets", "secrets", code=1)
    assert "no toolset or tool that was asked for" in found["rule"]


def test_a_tool_or_argument_that_does_not_exist_is_an_error(config: Path, capsys: Captured) -> None:
    assert main(["policy", "explain", "restart_workspaces"]) == 1
    assert "restart_workspace" in capsys.readouterr().err
    assert main(["policy", "explain", "restart_workspace", '{"id": 1}']) == 1
    assert "known are" in capsys.readouterr().err


def test_what_is_in_force_is_shown_without_fetching_a_key(config: Path, capsys: Captured) -> None:
    lines = (soon(), f'workspaces = ["{TWO}", "{ONE}"]', 'origin = "https://acme.example"', 'credential = "env:NO_KEY"')
    file(config, policy(*lines, role="WORKSPACE-WRITE"))
    found = told(capsys, "show", "--workspace", ONE, "--toolsets", "secrets")
    assert (found["role"], found["workspaces"], found["credential"]) == ("WORKSPACE-WRITE", [ONE], "env:NO_KEY")
    assert "set_workspace_secret" in found["tools"] and "set_global_secret" not in found["tools"]
    assert main(["policy", "show"]) == 0
    assert "origin      https://acme.example" in capsys.readouterr().out


def test_roots_are_resolved_to_ids_and_the_file_keeps_the_rest(config: Path, capsys: Captured) -> None:
    path = file(config, "# ours\n" + policy(soon(), 'roots = ["Marketing Lead"]', role="WORKSPACE-WRITE"), 0o640)
    assert main(["policy", "refresh", "--dry-run"]) == 1
    assert "workspaces =" not in path.read_text()
    assert main(["policy", "refresh"]) == 0
    said = capsys.readouterr().out
    ids = tomllib.loads(path.read_text())["profile"]["default"]["workspaces"]
    assert len(ids) == 5 and all(f"+ {each}" in said for each in ids)
    assert path.read_text().startswith("# ours\n")
    assert '# "SEO Analyst"' in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert main(["policy", "refresh", "--dry-run"]) == 0
    assert main(["policy", "check"]) == 0
    capsys.readouterr()
    assert main(["call", "list_workspaces", '{"fields": ["id"]}']) == 0
    assert {row[0] for row in json.loads(capsys.readouterr().out)["rows"]} == set(ids)


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        (('roots = ["Nobody"]',), 1, "is the id or exact name of no workspace"),
        ((f'roots = ["{ONE}"]',), 1, "no workspace"),
        ((), 2, "no profile with `roots`"),
    ],
)
def test_a_root_that_is_not_one_workspace_leaves_the_file(
    config: Path, capsys: Captured, lines: tuple[str, ...], code: int, says: str
) -> None:
    path = file(config, policy(soon(), *lines))
    before = path.read_text()
    assert main(["policy", "refresh"]) == code
    assert says in capsys.readouterr().err
    assert path.read_text() == before


def test_without_a_file_there_is_nothing_to_resolve(config: Path, capsys: Captured) -> None:
    assert main(["policy", "refresh"]) == 2
    assert "no policy file" in capsys.readouterr().err
