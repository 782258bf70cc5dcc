"""Which tests run which lines, so that a fault is shown to no other test."""

import json
import sys
import time
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from tests.mutation.patching import forget
from tests.mutation.running import pytested, started, waited

STARTING = {"subprocess.Popen", "os.fork", "os.posix_spawn"}
"""What Python's audit events call the start of a process, whose lines are not seen."""

LOADING, BETWEEN = "", "-"
"""What stands instead of a test while tests are being loaded, and after each."""


@dataclass
class Reach:
    """What one run of all tests showed.

    Args:
        lines: File -> line -> the tests that run it, LOADING among them.
        seconds: Test -> how long it takes, its fixtures included.
        starters: Tests that start a process of their own.
        failed: Tests that fail without a fault.
    """

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict[str, dict[int, set[str]]])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    starters: set[str] = field(default_factory=set[str])
    failed: list[str] = field(default_factory=list[str])

    def runs(self, path: str, lines: Collection[int]) -> set[str]:
        """The tests that run one of these lines of a file."""
        known = self.lines.get(path, {})
        return {test for line in lines for test in known.get(line, ())}

    def selected(self, path: str, lines: Collection[int], own: str) -> list[str]:
        """The tests to show a fault in these lines to: the fastest first, and last those that start processes.

        The lines that such processes run are not known. So those tests of the module's own file are all shown the
        fault, when no other test found it.

        Args:
            own: The test file that mirrors the module.
        """
        running = self.runs(path, lines) - {LOADING, BETWEEN}
        blind = {test for test in self.starters if test.startswith(f"{own}::")}
        return sorted(running | blind, key=lambda test: (test in self.starters, self.seconds[test]))

    def every(self, own: str) -> list[str]:
        """All tests, for a fault in what runs with the module: those of the module's own file come first."""
        return sorted(
            self.seconds, key=lambda test: (not test.startswith(f"{own}::"), test in self.starters, self.seconds[test])
        )


class Watch:
    """Notes what each test runs, how long it takes and whether it starts a process."""

    def __init__(self, coverage: Coverage, files: Collection[str]) -> None:
        self.coverage, self.files = coverage, files
        self.reach = Reach()
        self.now = ""
        sys.addaudithook(self.hear)

    def hear(self, event: str, _: Any) -> None:
        """An audit event of Python."""
        if event in STARTING and self.now:
            self.reach.starters.add(self.now)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Around one test; what an earlier one left in a cache is worked out again, so that its lines are seen."""
        forget(self.files)
        self.now, began = item.nodeid, time.perf_counter()
        self.coverage.switch_context(item.nodeid)
        outcome = yield
        self.coverage.switch_context(BETWEEN)
        self.reach.seconds[self.now], self.now = time.perf_counter() - began, ""
        return outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test ended."""
        if report.failed:
            self.reach.failed.append(report.nodeid)


def reached(copy: Path, tests: Sequence[str], paths: Collection[str]) -> Reach:
    """Run tests of a copy once, and see which of them run which lines of some of its files.

    Raises:
        SystemExit: A test failed without a fault.
    """
    noted = copy / "reach.json"
    status = waited(started(lambda: watch(copy, tests, paths, noted)))
    if status != 0 or not noted.exists():
        raise SystemExit(f"the tests could not be watched: {status}")
    told = json.loads(noted.read_text(encoding="utf-8"))
    if told["failed"]:
        raise SystemExit(f"these tests fail without a fault: {told['failed']}")
    lines = {
        path: {int(line): set(running) for line, running in known.items()} for path, known in told["lines"].items()
    }
    return Reach(lines, told["seconds"], set(told["starters"]))


def watch(copy: Path, tests: Sequence[str], paths: Collection[str], noted: Path) -> int:
    """In a process of its own: run the tests and write down what they showed."""
    files = [str(copy / path) for path in paths]
    coverage = Coverage(data_file=None, config_file=False, include=files, messages=False)
    coverage.start()
    seen = Watch(coverage, files)
    pytested(copy, tests, [seen], first=False)
    coverage.stop()
    data = coverage.get_data()
    lines = {path: data.contexts_by_lineno(str(copy / path)) for path in paths}
    told = {"lines": lines, "starters": list(seen.reach.starters)}
    told |= {"seconds": seen.reach.seconds, "failed": seen.reach.failed}
    noted.write_text(json.dumps(told), encoding="utf-8")
    return 0
