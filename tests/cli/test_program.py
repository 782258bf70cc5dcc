"""What a person is told to run can be run where they are, and finds the same folder."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.calls.harness import tenant_process

from molecule_mcp.cli import program
from molecule_mcp.store import approver

WORKSPACE = "c5c11989-0aca-57f0-a435-fced1a30a95b"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A script as an installer writes it, in a folder whose name a shell takes apart."""
    folder = tmp_path / "a place; of 'its' own"
    folder.mkdir()
    script = folder / "molecule-mcp"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom molecule_mcp.cli import main\nsys.exit(main())\n")
    script.chmod(0o700)
    return script


def told_by(command: list[str], path: str, state: Path, *flags: str, **environ: str) -> str:
    """The `how` line of a call that waits for a person."""
    call = ["call", "delete_workspace", json.dumps({"workspace_id": WORKSPACE}), "--allow-wait", "0", *flags]
    env = {"PATH": path, "HOME": str(state.parent), **environ}
    ended = subprocess.run([*command, *call], env=env, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1, ended.stderr
    return json.loads(ended.stdout)["how"]


def listed(line: str, home: Path) -> str:
    """What a shell of a person prints for the line, in another folder; without the code it lists what waits."""
    command, _, _ = line.rpartition(" ")
    env = {"PATH": os.defpath, "HOME": str(home)}
    ended = subprocess.run(["/bin/sh", "-c", command], env=env, cwd="/", capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def prepared(state: Path) -> Path:
    """A state folder with an approver."""
    approver.init(state, "correct horse battery")
    return state


def test_a_program_that_is_not_on_path_is_told_by_its_path_and_finds_the_call(installed: Path, tmp_path: Path) -> None:
    state = prepared(tmp_path / "the state's folder")
    line = told_by([str(installed)], os.defpath, state, "--state", str(state))
    assert shlex.split(line)[:4] == [str(installed), "allow", "--state", str(state)]
    assert shlex.split(line)[4] in listed(line, tmp_path)


def test_a_folder_named_by_the_environment_is_told_too(installed: Path, tmp_path: Path) -> None:
    state = prepared(tmp_path / "elsewhere")
    line = told_by([str(installed)], os.defpath, state, MOLECULE_MCP_STATE=str(state))
    assert shlex.split(line)[-1] in listed(line, tmp_path)


def test_the_usual_folder_is_not_told(installed: Path, tmp_path: Path) -> None:
    prepared(tmp_path / ".local" / "state" / "molecule-mcp")
    line = told_by([str(installed)], os.defpath, tmp_path / "none")
    assert shlex.split(line)[:-1] == [str(installed), "allow"]
    assert shlex.split(line)[-1] in listed(line, tmp_path)


def test_a_program_on_path_is_told_by_its_name(installed: Path, tmp_path: Path) -> None:
    state = prepared(tmp_path / "state")
    linked = tmp_path / "bin"
    linked.mkdir()
    (linked / "molecule-mcp").symlink_to(installed)
    line = told_by([str(installed)], str(linked), state, "--state", str(state))
    assert line.startswith(f"molecule-mcp allow --state {state} ")


def test_another_program_of_that_name_on_path_is_not_told(installed: Path, tmp_path: Path) -> None:
    state = prepared(tmp_path / "state")
    other = tmp_path / "bin" / "molecule-mcp"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o700)
    line = told_by([str(installed)], str(other.parent), state, "--state", str(state))
    assert shlex.split(line)[0] == str(installed)


def test_a_module_without_a_script_is_told_by_its_interpreter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "py thon"))
    assert shlex.split(program.program()) == [str(tmp_path / "py thon"), "-m", "molecule_mcp"]


def test_a_module_with_a_script_beside_its_interpreter_is_told_by_that(
    monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["__main__.py"])
    monkeypatch.setattr(sys, "executable", str(installed.with_name("python")))
    assert shlex.split(program.program()) == [str(installed)]


@pytest.mark.parametrize(
    ("advice", "command"),
    [
        ("Run: molecule-mcp allow", "allow --state FOLDER"),
        ("Run: molecule-mcp policy refresh --profile support", "policy refresh --state FOLDER --profile support"),
        ("A person runs molecule-mcp audit verify and brings it.", "audit verify --state FOLDER"),
        ("`molecule-mcp tools --toolsets all` lists them.", "tools --state FOLDER --toolsets all"),
    ],
)
def test_a_command_in_an_advice_names_program_and_folder_once(
    advice: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [str(installed)])
    told = program.runnable(advice, tmp_path)
    assert f"{shlex.quote(str(installed))} {command.replace('FOLDER', str(tmp_path))}" in told
    assert program.runnable(told, tmp_path) == told


def test_a_command_with_its_folder_stays_as_it_is_where_the_name_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [str(installed)])
    monkeypatch.setenv("PATH", str(installed.parent))
    told = program.runnable("Run: molecule-mcp allow", tmp_path)
    assert told == f"Run: molecule-mcp allow --state {tmp_path}"
    assert program.runnable(told, tmp_path) == told


def test_a_wrong_code_leads_to_the_calls_that_wait_in_that_folder(installed: Path, tmp_path: Path) -> None:
    state = prepared(tmp_path / "state")
    code = shlex.split(told_by([str(installed)], os.defpath, state, "--state", str(state)))[-1]
    ended = subprocess.run(
        [str(installed), "allow", "XXXX-XXXX", "--state", str(state)],
        env={"PATH": os.defpath, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1
    advised = ended.stderr.partition("Run: ")[2].strip()
    assert code in listed(f"{advised} {code}", tmp_path)


def test_a_refused_key_leads_to_the_doctor_of_this_folder(installed: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with tenant_process() as tenant:
        environ = {"MOLECULE_API_URL": tenant.origin, "MOLECULE_ORG_TOKEN": "not-a-key-of-this-tenant"}
        call = [str(installed), "call", "list_workspaces", "--state", str(state)]
        ended = subprocess.run(
            call, env={"PATH": os.defpath, "HOME": str(tmp_path), **environ}, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
    told = json.loads(ended.stdout)
    assert (told["status"], shlex.quote(str(installed)) + f" doctor --state {state}" in told["advice"]) == (401, True)
