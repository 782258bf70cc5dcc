"""What is in force, from command line, environment and policy file; broken, it stops every command that needs it."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.calls.harness import called, client
from tests.profiles.making import ONE, file

from molecule_mcp.cli import main, serving
from molecule_mcp.cli.parsing import parsed
from molecule_mcp.cli.profile import in_force
from molecule_mcp.redaction import Redactor
from molecule_mcp.settings import OWN, TOKEN, URL

Captured = pytest.CaptureFixture[str]
FAR = "2999-01-01T00:00:00Z"


def policy(*lines: str, role: str = "READ", name: str = "default") -> str:
    """A file of one profile that does not expire while it is tested."""
    return "\n".join(["version = 1", f"[profile.{name}]", f'role = "{role}"', "max_days = 3650", *lines, ""])


def soon() -> str:
    """An expiry that fits."""
    return f"expires = {(datetime.now(UTC) + timedelta(days=30)).isoformat(timespec='seconds')}"


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing configured, and a configuration folder of this test's own."""
    for name in (URL, TOKEN, *OWN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOLECULE_MCP_STATE", str(tmp_path))

    def untouched(*_: object) -> None:
        """Logging stays pytest's."""

    monkeypatch.setattr(serving, "configure_logging", untouched)
    return tmp_path / "config"


def listed(capsys: Captured, *flags: str) -> set[str]:
    """The tools that are offered."""
    assert main(["tools", *flags]) == 0
    return {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_the_usual_file_is_in_force_without_being_named(config: Path, capsys: Captured) -> None:
    assert "restart_workspace" in listed(capsys)
    file(config, policy(soon()))
    assert "restart_workspace" not in listed(capsys)
    assert "list_workspaces" in listed(capsys)


def test_what_a_profile_denies_is_neither_listed_nor_called(config: Path, capsys: Captured) -> None:
    file(config, policy(soon(), 'deny = ["questions", "get_workspace"]', role="ORG-ADMIN"))
    tools = listed(capsys, "--toolsets", "all")
    assert not {"get_overview", "get_workspace"} & tools
    assert {"list_workspaces", "create_org_token"} <= tools
    assert main(["call", "get_overview"]) == 1
    assert "forbidden_by_policy" in capsys.readouterr().out


def test_another_file_and_profile_are_named_by_flag(config: Path, capsys: Captured, tmp_path: Path) -> None:
    file(config, policy(soon(), role="ORG-ADMIN"))
    other = file(tmp_path / "other", policy(soon(), name="reader"))
    assert "restart_workspace" not in listed(capsys, "--policy", str(other), "--profile", "reader")
    assert main(["tools", "--policy", str(other)]) == 2
    assert "has no profile 'default'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["tools"], ["call", "list_workspaces"], ["doctor"], ["serve", "--http"]])
@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        ("nonsense", 0o600, "no TOML"),
        (policy("rol = 1"), 0o600, "rol is not known"),
        (policy("expires = 2020-01-01T00:00:00Z"), 0o600, "has expired"),
        (policy(f"expires = {FAR}"), 0o600, "more than 3650 days ahead"),
        (policy("expires = 2020-01-01T00:00:00Z"), 0o666, "Other users can write"),
    ],
)
def test_a_broken_file_stops_every_command_that_needs_it(
    config: Path, capsys: Captured, command: list[str], content: str, mode: int, told: str
) -> None:
    file(config, content, mode)
    assert main(command) == 2
    said = capsys.readouterr()
    assert (said.out, told in said.err) == ("", True)


def test_a_missing_file_that_was_named_stops_the_start(capsys: Captured, tmp_path: Path) -> None:
    assert main(["tools", "--policy", str(tmp_path / "absent.toml")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_key_from_a_profile_leaves_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_KEY", "k3yOf-the_0rganization")
    lines = ('origin = "https://acme.example"', 'credential = "env:ACME_KEY"', soon())
    file(config, policy(*lines))
    found = in_force(parsed(["serve"]), Redactor())
    assert (found.settings.api_url, found.settings.org_token) == ("https://acme.example", "k3yOf-the_0rganization")
    assert "ACME_KEY" not in os.environ


async def test_over_stdio_a_broken_file_is_every_tools_error(tmp_path: Path) -> None:
    file(tmp_path / "config", policy("rol = 1"))
    async with client(None, tmp_path) as session:
        worked, told = await called(session, "list_workspaces", {})
    assert (worked, told["error"], told["sent"]) == (False, "configuration", False)
    assert "profile.default.rol is not known" in told["message"]


def test_a_broken_file_ends_the_server_with_exit_code_2(tmp_path: Path) -> None:
    file(tmp_path / "config", policy("rol = 1"))
    command = [sys.executable, "-m", "molecule_mcp", "serve", "--state", str(tmp_path)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "profile.default.rol is not known" in ended.stderr


async def test_a_bound_profile_serves_its_own_workspaces_only(tmp_path: Path) -> None:
    file(tmp_path / "config", policy(soon(), f'workspaces = ["{ONE}"]', role="WORKSPACE-WRITE"))
    async with client(None, tmp_path) as session:
        worked, told = await called(session, "list_workspaces", {})
        assert worked and not told.get("rows")
        tools = {tool.name for tool in (await session.list_tools()).tools}
    assert "create_org_token" not in tools
