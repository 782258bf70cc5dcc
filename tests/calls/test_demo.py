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
    "the secret's value is shown": ("tools/secrets.py", "{exactly(value_from)}", "{secrets.resolve(value_from)}"),
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


def demo(folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    """Run the demo of the program that lies in a folder; every process it starts runs that one too.

    Args:
        typed: What a person answers, line by line; nothing: the demo answers itself.
    """
    command = [sys.executable, "-m", "molecule_mcp", "demo", *(["--ask"] if typed else [])]
    lines = "".join(f"{line}\n" for line in typed)
    return subprocess.run(command, cwd=folder, input=lines, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_plays_the_whole_session_and_every_check_holds(tmp_path: Path) -> None:
    played = demo(tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "every check held" in played.stdout
    assert played.stdout.count("checked:") >= 20


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("no", "deny", "", ""), ["does not hold the value", "decision: denied", "holds all it held"]),
        (("y", "yes", "aprove", "leave", "a phrase", "no", "no"), ["holds the value", "still waits", "holds all"]),
        (("yes", "deny", "finance-lead-3642"), ["holds the value", "decision: denied", "lost exactly those"]),
        (("yes", "approve"), ["holds the value", "decision: approved", "holds all it held"]),
    ],
    ids=["noes", "typos", "a yes at once", "a closed terminal"],
)
def test_the_checks_follow_what_the_person_answers(tmp_path: Path, typed: tuple[str, ...], says: list[str]) -> None:
    played = demo(tmp_path, *typed)
    assert played.returncode == 0, played.stdout + played.stderr
    assert [each for each in says if each not in played.stdout] == []
    wrong = sum(line in {"y", "aprove", "a phrase"} for line in typed)
    assert played.stdout.count("once more") == wrong


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
