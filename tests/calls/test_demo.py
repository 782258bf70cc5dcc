"""`make demo` shows the main job, and notices when the program does not do it: each break makes it fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "molecule_mcp"

BREAKS = {
    "the gate is off": (
        "road/calls.py",
        "if not self.context.profile.asks(risk):",
        "if capability.name == 'delete_workspace':",
    ),
    "the audit is off": (
        "store/sqlite.py",
        'self._record(sql, intent.at, "intent", {**told, "answer": answer})',
        "pass",
    ),
    "the secret's value is shown": ("tools/secrets.py", "{quoted(value_from, 140)}", "{secrets.resolve(value_from)}"),
    "the tenant's own confirm is sent": (
        "tools/workspaces.py",
        'query = {"purge": "true"} if purge else None',
        'query = {"confirm": "true"}',
    ),
    "idle is judged by active_tasks alone": (
        "tools/questions.py",
        "idle = [row for row in rows if row.status in UP and row.active_tasks == 0]",
        "idle = [row for row in rows if row.active_tasks == 0]",
    ),
}
"""What is broken: the file, a text that stands in it once, and what replaces it."""


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo of the program that lies in a folder; every process it starts runs that one too."""
    command = [sys.executable, "-m", "molecule_mcp", "demo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_plays_the_whole_session_and_every_check_holds(tmp_path: Path) -> None:
    played = demo(tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "every check held" in played.stdout
    assert played.stdout.count("checked:") >= 20


@pytest.mark.parametrize("broken", BREAKS)
def test_the_demo_fails_when_the_program_is_broken(tmp_path: Path, broken: str) -> None:
    file, old, new = BREAKS[broken]
    shutil.copytree(SOURCE, tmp_path / "molecule_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path / "molecule_mcp" / file
    text = target.read_text()
    assert text.count(old) == 1
    target.write_text(text.replace(old, new))
    played = demo(tmp_path)
    assert played.returncode != 0, played.stdout
    assert "FAILED:" in played.stdout, played.stdout + played.stderr
