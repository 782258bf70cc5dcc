"""Tests of a copy of the program, in a fork of a process that has everything else loaded already."""

import importlib
import io
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[2]


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


def started(work: Callable[[], int], seconds: int = 0) -> int:
    """Do some work in a fork, at the head of a group of its own. Returns: the id of its process.

    Args:
        work: Gives the exit code.
        seconds: After which the process is ended; 0 lets it run.
    """
    pid = os.fork()
    if pid:
        return pid
    status = BROKEN
    try:
        os.setpgid(0, 0)
        signal.alarm(seconds)
        status = work()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        raise
    finally:
        # Nothing of the parent's, an open folder least of all, is this process's to clean up.
        os._exit(status)


BROKEN = 70
"""The exit code of work that raised."""


def waited(pid: int) -> int:
    """Wait for a fork, and end what it started and left behind. Returns: its status, as os.waitpid gives it."""
    _, status = os.waitpid(pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return status


class Selected:
    """Of the tests that are found, only some, in the order in which they are named."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.places = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The tests are found."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.places), key=lambda item: self.places[item.nodeid]
        )


def pytested(copy: Path, tests: Sequence[str], plugins: Sequence[object] = (), *, first: bool = True) -> int:
    """Run tests of a copy in this process, which is good for nothing else then. Returns: pytest's exit code.

    Args:
        tests: Files, or single tests, which then run in this order.
        first: Whether to stop at the first that fails.
    """
    os.chdir(copy)
    for name in [each for each in sys.modules if each.split(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path[:] = [str(copy / "src"), str(copy), *(each for each in sys.path if not each or not within(each))]
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--basetemp", f"{copy}.tmp"]
    # A plugin that is warm already is one whose asserts stay as they are.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", *(["-x"] if first else [])]
    chosen = [Selected(tests)] if any("::" in test for test in tests) else []
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = int(pytest.main([*options, *files_of(tests)], plugins=[*chosen, *plugins]))
    if plugins and code in {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
        raise RuntimeError(said.getvalue())
    return code


def files_of(tests: Collection[str]) -> list[str]:
    """The files that tests stand in, each once."""
    return list(dict.fromkeys(test.split("::")[0] for test in tests))


def within(entry: str) -> bool:
    """Whether an entry of the import path leads to the program itself."""
    return Path(entry).resolve() in {ROOT, ROOT / "src"}
