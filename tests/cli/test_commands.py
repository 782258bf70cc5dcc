"""The commands in this process: what they print, and their exit codes."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.calls.harness import tenant_process
from tests.calls.terminal import allow, on_terminal
from tests.cli.test_profile import policy, soon
from tests.profiles.making import file
from tests.store import making

from molecule_mcp import __version__, cli
from molecule_mcp.cli import main, serving
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.settings import OWN, TOKEN, URL
from molecule_mcp.store import approver
from molecule_mcp.store.records import Settlement
from molecule_mcp.store.sqlite import SqliteStore

PASSPHRASE = "correct horse battery"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing configured, and a state folder of this test's own."""
    for name in (URL, TOKEN, *OWN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOLECULE_MCP_STATE", str(tmp_path / "state"))

    def untouched(*_: Any) -> None:
        """Logging stays pytest's."""

    monkeypatch.setattr(serving, "configure_logging", untouched)
    return tmp_path / "state"


def test_the_version_is_told(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"molecule-mcp {__version__}\n"


@pytest.mark.parametrize(
    "wrong", [["nonsense"], ["call"], ["audit"], ["approver", "steal"], ["tools", "--jso"], ["tenant", "--port", "x"]]
)
def test_a_wrong_command_line_is_exit_2(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2


def test_on_windows_nothing_starts_and_a_person_is_told_of_wsl(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, environment: Path
) -> None:
    with monkeypatch.context() as there:
        there.setattr(cli, "WINDOWS", True)
        status = main(["approver", "show"])
    assert (status, environment.exists()) == (2, False)
    assert "WSL" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["tools"], ["call", "list_workspaces"], ["doctor"], ["audit", "show"]])
def test_half_a_configuration_is_exit_2_with_the_reason(
    command: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "a-key-without-an-address-0123456789")
    assert main(command) == 2
    said = capsys.readouterr()
    assert (said.out, URL in said.err) == ("", True)
    assert "without-an-address" not in said.err


def test_a_setting_that_does_not_exist_is_exit_2(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLECULE_MCP_READONLY", "true")
    assert main(["tools"]) == 2
    assert "MOLECULE_MCP_READ_ONLY" in capsys.readouterr().err


def test_tools_are_listed_with_their_risk_as_the_profile_has_them(capsys: Captured) -> None:
    assert main(["tools"]) == 0
    assert "delete_workspace             destroy" in capsys.readouterr().out
    assert main(["tools", "--read-only"]) == 0
    assert "delete_workspace " not in capsys.readouterr().out
    assert main(["tools", "--toolsets", "nothing"]) == 2
    assert "Toolsets are: all, default, access" in capsys.readouterr().err


def test_a_flag_before_the_command_counts_as_after_it(capsys: Captured, tmp_path: Path) -> None:
    pause = ["call", "pause_workspace", '{"workspace_id": "c5c11989-0aca-57f0-a435-fced1a30a95b"}']
    assert main(["--read-only", *pause]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "forbidden_by_policy"
    assert main(["--role", "READ", *pause]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "forbidden_by_policy"
    for wrong in (["--role", "NOPE"], ["--profile", "nope"], ["--tools", "nope"], ["--workspace", "no id"]):
        assert main([*wrong, "tools"]) == 2
    assert main(["--policy", str(tmp_path / "nowhere.toml"), "policy", "check"]) == 2
    assert main(["--state", str(tmp_path / "other"), "audit", "verify"]) == 0
    assert main(["--state", str(tmp_path / "other"), *pause]) == 1
    assert (tmp_path / "other").is_dir()


def test_tools_as_json_hold_everything_a_reviewer_wants(capsys: Captured) -> None:
    assert main(["tools", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    wanted = {
        "name", "family", "risk", "raised_by", "raised_by_fact", "sends", "annotations", "input_schema", "output_schema"
    }  # fmt: skip
    assert all(wanted <= row.keys() for row in rows)
    assert next(row for row in rows if row["name"] == "delete_workspace")["raised_by"] == {"purge": "critical"}


def test_a_call_prints_the_answer_of_the_sample_organization(capsys: Captured) -> None:
    assert main(["call", "list_workspaces", '{"limit": 2}']) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["tenant"], len(answer["rows"])) == ("sample", 2)


def test_the_same_key_serves_every_start_on_the_sample(capsys: Captured) -> None:
    found: list[list[str]] = []
    for _ in range(2):
        assert main(["call", "list_org_tokens"]) == 0
        found.append([key["id"] for key in json.loads(capsys.readouterr().out)["tokens"]])
    assert found[0] == found[1]


@pytest.mark.parametrize("text", ["[]", "{", "1", '"x"'])
def test_arguments_that_are_no_object_are_refused(text: str, capsys: Captured) -> None:
    assert main(["call", "list_workspaces", text]) == 1
    assert "JSON object" in capsys.readouterr().err


def test_a_gated_call_waits_under_a_code_that_allow_lists(capsys: Captured, environment: Path) -> None:
    approver.init(environment, PASSPHRASE)
    main(["call", "list_workspaces", '{"fields": ["id"], "limit": 1, "name_contains": "SEO"}'])
    workspace = json.loads(capsys.readouterr().out)["rows"][0][0]
    given = json.dumps({"workspace_id": workspace})
    assert main(["call", "delete_workspace", given, "--allow-wait", "0"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["sent"], told["tenant"]) == ("allow_required", False, "sample")
    assert main(["allow"]) == 0
    assert told["code"] in capsys.readouterr().out
    assert main(["allow", "0000-0000"]) == 1
    assert main(["audit", "verify"]) == 0
    assert "1 records good, the chain is whole" in capsys.readouterr().out
    assert main(["audit", "show"]) == 0
    assert "open" in capsys.readouterr().out
    assert main(["audit", "export"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "open"


def test_progress_is_printed_on_a_terminal_only_and_that_a_person_is_awaited_anywhere(
    capsys: Captured, environment: Path
) -> None:
    approver.init(environment, PASSPHRASE)
    assert main(["call", "find_secret", '{"key": "OPENAI_API_KEY"}']) == 0
    assert capsys.readouterr().err == ""
    code, shown = on_terminal(["call", "find_secret", '{"key": "OPENAI_API_KEY"}'])
    assert code == 0 and len(shown.splitlines()) > 5
    given = json.dumps({"workspace_id": sample_id("workspaces", "copywriter")})
    assert main(["call", "delete_workspace", given, "--allow-wait", "0"]) == 1
    said = capsys.readouterr()
    assert said.err == f"waiting for a person: {json.loads(said.out)['how']}\n"


def test_a_passphrase_is_asked_for_until_it_is_long_enough_and_came_twice(environment: Path) -> None:
    new = "New passphrase (at least 8 characters):"
    typed = [(new, "short"), (new, PASSPHRASE), ("Again:", "another one"), (new, PASSPHRASE), ("Again:", PASSPHRASE)]
    code, shown = on_terminal(["approver", "init"], *typed)
    assert code == 0, shown
    assert shown.count("Again:") == 2
    known = approver.public(environment)
    assert known and known.fingerprint in shown


def test_nothing_typed_makes_no_approver(environment: Path) -> None:
    code, shown = on_terminal(["approver", "init"], ("New passphrase (at least 8 characters):", ""))
    assert (code, "nothing was made" in shown) == (1, True)
    assert approver.public(environment) is None


def test_a_yes_says_until_when_in_which_zone_and_what_comes_next(
    capsys: Captured, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    approver.init(environment, PASSPHRASE)
    given = json.dumps({"workspace_id": sample_id("workspaces", "copywriter")})
    assert main(["call", "delete_workspace", given, "--allow-wait", "0"]) == 1
    code, shown = allow(
        environment, json.loads(capsys.readouterr().out)["code"], "allow", PASSPHRASE, prompt="or nothing):"
    )
    assert code == 0
    assert re.search(r"Allowed, once, until \d\d:\d\d:\d\d \+0530: now have the agent repeat its call\.", shown)
    code, shown = on_terminal(["audit", "show", "--state", str(environment)])
    assert code == 0 and shown.count("UTC+0530") == 1


def test_what_was_settled_is_shown_beside_the_unknown_outcome(capsys: Captured, environment: Path) -> None:
    unknown = making.direct()
    store = SqliteStore(environment)
    store.claim(unknown)
    store.close()
    store = SqliteStore(environment)
    store.take(unknown.profile, unknown.origin, making.NOW, 1)
    store.settled(unknown, Settlement("did_not_happen", ("GET /a 200", "GET /b 200"), making.NOW))
    store.close()
    assert main(["audit", "show"]) == 0
    _, outcome, settled = capsys.readouterr().out.splitlines()
    sent = "delete_workspace DELETE /workspaces/wNone"
    assert outcome.endswith(f"outcome  {sent} unknown the process ended before the outcome was recorded")
    assert settled.endswith(f"settled  {sent} did_not_happen GET /a 200, GET /b 200")


def test_a_chain_that_was_cut_is_exit_1(capsys: Captured, environment: Path) -> None:
    test_a_gated_call_waits_under_a_code_that_allow_lists(capsys, environment)
    (environment / "chain.key").write_bytes(b"0" * (environment / "chain.key").stat().st_size)
    assert main(["audit", "verify"]) == 1


def test_the_approver_is_shown_and_never_made_twice(capsys: Captured, environment: Path) -> None:
    assert main(["approver", "show"]) == 1
    fingerprint = approver.init(environment, PASSPHRASE)
    assert main(["approver", "show"]) == 0
    assert fingerprint in capsys.readouterr().out
    assert main(["approver", "init"]) == 2
    assert fingerprint in capsys.readouterr().err


def test_doctor_says_how_this_folder_gets_an_approver(capsys: Captured, environment: Path) -> None:
    assert main(["doctor"]) == 0
    assert f"molecule-mcp approver init --state {environment}" in capsys.readouterr().out


def test_doctor_finds_the_sample_well(capsys: Captured) -> None:
    assert main(["doctor", "--json"]) == 0
    found = {each["about"]: each["state"] for each in json.loads(capsys.readouterr().out)}
    assert found == {
        "settings": "note", "tenant": "ok", "credential": "ok", "clock": "ok", "approver": "note", "audit": "ok",
        "isolation": "ok",
    }  # fmt: skip


def test_doctor_says_of_the_sample_that_it_is_one(capsys: Captured) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "the embedded sample, inside this process, answers" in said
    assert "the embedded sample's own" in said
    assert "127.0.0.1" not in said and "full rights" not in said


def test_doctor_says_what_is_well_besides_a_key_that_cannot_be_fetched(
    capsys: Captured, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    lines = ('origin = "https://acme.example.com"', 'credential = "keyring:molecule/acme"')
    file(environment / "config", policy(soon(), *lines))
    assert main(["doctor", "--json"]) == 1
    found = {each["about"]: (each["state"], each["text"]) for each in json.loads(capsys.readouterr().out)}
    states = {about: state for about, (state, _) in found.items()}
    assert states == {"settings": "ok", "credential": "fail", "approver": "note", "audit": "ok", "isolation": "note"}
    assert "https://acme.example.com" in found["settings"][1] and "install" in found["credential"][1]
    monkeypatch.setenv("MOLECULE_MCP_ROLE", "ORG-ADMIN")
    assert main(["doctor"]) == 2


def test_doctor_says_that_nobody_answers(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "http://127.0.0.1:9")
    monkeypatch.setenv(TOKEN, "kR3x9-a-key-of-nobody-0123456789")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "fail  tenant" in said
    assert "kR3x9" not in said


def test_doctor_tells_a_wrong_key_once(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_process() as tenant:
        monkeypatch.setenv(URL, tenant.origin)
        monkeypatch.setenv(TOKEN, "kR3x9-a-key-of-nobody-0123456789")
        assert main(["doctor", "--json"]) == 1
    failed = [finding["about"] for finding in json.loads(capsys.readouterr().out) if finding["state"] == "fail"]
    assert failed == ["credential"]


def test_doctor_says_what_a_real_key_may_do(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_process() as tenant:
        monkeypatch.setenv(URL, tenant.origin)
        monkeypatch.setenv(TOKEN, tenant.key)
        assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert f"{tenant.origin} answers" in said and "full rights over the organization" in said
