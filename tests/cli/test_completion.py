"""The completion scripts, asked by the shell itself: what is offered is what the program has."""

import re
import shlex
import subprocess
from argparse import Action

import pytest

from molecule_mcp import toolsets
from molecule_mcp.cli import completion, main
from molecule_mcp.cli.parsing import SHELLS, parser
from molecule_mcp.prepared import entries

COMMANDS = {
    "serve", "demo", "tenant", "call", "tools", "doctor", "policy", "allow", "page", "approver", "audit", "completion"
}  # fmt: skip


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str]) -> str:
    """What `completion bash` prints."""
    assert main(["completion", "bash"]) == 0
    return capsys.readouterr().out


def offered(script: str, *typed: str) -> set[str]:
    """What bash offers for the last of the words that were typed, by the function the script registers."""
    asking = f"""
    set -- $(complete -p molecule-mcp)
    while [[ $1 != -F ]]; do shift; done
    COMP_WORDS=(molecule-mcp {shlex.join(typed)})
    COMP_CWORD={len(typed)}
    "$2"
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script + asking], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stderr == ""
    return set(ended.stdout.split())


def test_bash_offers_every_command(script: str) -> None:
    assert offered(script, "") >= COMMANDS
    assert offered(script, "do") == {"doctor"}


def test_bash_offers_every_tool_after_call_and_explain(script: str) -> None:
    assert offered(script, "call", "") >= set(entries())
    deleting = {name for name in entries() if name.startswith("delete_")}
    assert offered(script, "call", "delete_") == offered(script, "policy", "explain", "delete_") == deleting


def test_bash_offers_the_flags_of_a_command_before_and_behind_it(script: str) -> None:
    assert {"--workspace", "--read-only"} <= offered(script, "--") & offered(script, "serve", "--")
    assert offered(script, "serve", "--ho") == {"--host"}
    assert offered(script, "audit", "--li") == {"--limit"}


def test_bash_offers_toolsets_and_tools_one_after_another(script: str) -> None:
    assert offered(script, "tools", "--toolsets", "") == set(toolsets.names(entries()))
    assert offered(script, "serve", "--toolsets", "default,sche") == {"default,schedules"}
    assert offered(script, "--exclude-tools", "get_overview,get_spe") == {"get_overview,get_spend"}


def test_bash_offers_the_values_of_a_flag_and_of_an_action(script: str) -> None:
    assert offered(script, "--role", "") == {"READ", "WORKSPACE-WRITE", "ORG-ADMIN"}
    assert {"show", "verify", "export"} <= offered(script, "audit", "")
    assert set(SHELLS) <= offered(script, "completion", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_every_command_toolset_and_tool(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    told = set(re.split(r"[^\w-]+", capsys.readouterr().out))
    assert [name for name in (*COMMANDS, *toolsets.names(entries()), *entries()) if name not in told] == []


def test_completing_a_name_does_not_make_it_a_choice_of_the_parser() -> None:
    assert parser().parse_args(["call", "no_such_tool"]).tool == "no_such_tool"


def test_every_argument_of_every_command_is_walked() -> None:
    found = list(completion.actions(parser()))
    assert all(isinstance(each, Action) for each in found)
    assert {"--dry-run", "--bearer-file", "--admin-token"} <= {name for each in found for name in each.option_strings}
