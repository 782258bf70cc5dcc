"""Whether tests notice a fault: they run on a copy of the program with the fault in it, in a fork of a warm process."""

import importlib
import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.sowing import Fault

ROOT = Path(__file__).resolve().parents[2]
Verdict = Literal["killed", "survived", "timeout"]


@dataclass(frozen=True)
class Case:
    """A fault in a file, and the tests that are to find it, the likeliest first.

    Args:
        path: From the root of the copy.
        tests: Paths, from there as well.
    """

    path: str
    fault: Fault
    tests: tuple[str, ...]


def copied(root: Path, into: Path) -> Path:
    """A copy of the program and its tests to sow into."""
    for each in ("src", "tests"):
        shutil.copytree(root / each, into / each, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy2(root / "pyproject.toml", into)
    return into


def warm(modules: Sequence[str]) -> None:
    """Import what the program and its tests need of others, once for every fork; their own modules stay unknown."""
    # The same examples for every fault: it is the fault that must make the difference.
    # That one example fails is all that is asked: none is made smaller.
    settings.register_profile(
        "steady",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("steady")
    for name in modules:
        importlib.import_module(name)
    for name in [each for each in sys.modules if each.split(".")[0] in {"molecule_mcp", "tests"}]:
        if not name.startswith("tests.mutation") and name != "tests":
            del sys.modules[name]


def judged(cases: Sequence[Case], copies: Sequence[Path], seconds: int) -> Iterator[tuple[Case, Verdict]]:
    """The verdict on each case, as it comes; a copy for each of those that run at once.

    Args:
        seconds: How long the tests of one fault may take.
    """
    free, running = list(copies), dict[int, tuple[Case, Path]]()
    waiting = iter(cases)
    while True:
        while free and (case := next(waiting, None)):
            copy = free.pop()
            sow(copy / case.path, case.fault.sown())
            running[begun(copy, case.tests, seconds)] = case, copy
        if not running:
            return
        pid, status = os.waitpid(-1, 0)
        case, copy = running.pop(pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        restore(copy / case.path, ROOT / case.path)
        free.append(copy)
        yield case, verdict(status)


def sow(path: Path, source: str) -> None:
    """Write a module, and let no compiled older one of it stay."""
    path.write_text(source, encoding="utf-8")
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()


def restore(path: Path, original: Path) -> None:
    """Put a module back."""
    sow(path, "")
    if original.exists():
        shutil.copy2(original, path)


def verdict(status: int) -> Verdict:
    """What the end of the tests' process says about the fault in it."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return "timeout"
    return "survived" if status == 0 else "killed"


def begun(copy: Path, tests: Sequence[str], seconds: int) -> int:
    """Run tests of a copy until the first fails. Returns: the id of their process."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setpgid(0, 0)
        signal.alarm(seconds)
        status = run(copy, tests)
    finally:
        # Nothing of the parent's, an open folder least of all, is this process's to clean up.
        os._exit(status)


def run(copy: Path, tests: Sequence[str]) -> int:
    """Run tests of a copy in this process, which is good for nothing else then. Returns: pytest's exit code."""
    os.chdir(copy)
    for name in [each for each in sys.modules if each.split(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path[:] = [str(copy / "src"), str(copy), *(each for each in sys.path if not each or not within(each))]
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # A plugin that is warm already is one whose asserts stay as they are.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main([*options, *tests]))


def within(entry: str) -> bool:
    """Whether an entry of the import path leads to the program itself."""
    return Path(entry).resolve() in {ROOT, ROOT / "src"}
