"""A process that has a room's tests loaded, and shows them one fault after the other, each in a fork of itself."""

import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.mutation.cases import Case, Verdict, sow, verdict
from tests.mutation.patching import Live, Patch, apply, forget, functions, live, patch
from tests.mutation.running import pytested, started, waited

SLOW = 8
"""How many seconds a test may take at least; one that takes longer than this and five times its own is hung."""


class Server:
    """Answers the number of a case with its verdict, or None when the module must be loaded anew for it."""

    def __init__(self, copy: Path, cases: Sequence[Case], seconds: Mapping[str, float], connection: Connection) -> None:
        self.copy, self.cases, self.seconds, self.connection = copy, cases, seconds, connection
        self.items: dict[str, pytest.Item] = {}
        self.failed = False
        self.finders: Counter[tuple[str, str, str]] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test ended, in a fork."""
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """The tests are loaded; from here on the process serves."""
        if session.testsfailed:
            raise RuntimeError("the tests do not load")
        prepare()
        self.items = {item.nodeid: item for item in session.items}
        paths = {case.path for case in self.cases}
        sources = {path: (self.copy / path).read_text(encoding="utf-8") for path in paths}
        forget([str(self.copy / path) for path in paths])
        every = functions()
        loaded = {path: live(source, self.copy / path, every) for path, source in sources.items()}
        gc.collect()
        gc.freeze()
        number: int | None
        while (number := self.connection.recv()) is not None:
            case = self.cases[number]
            self.connection.send((number, self.judged(case, sources[case.path], loaded[case.path])))
        return True

    def judged(self, case: Case, source: str, loaded: Live) -> Verdict | None:
        """The verdict on one case."""
        faulty = case.fault.sown()
        changes = patch(source, faulty, self.copy / case.path, loaded)
        if changes is None:
            return None
        # Processes that a test starts load the module from its file.
        sow(self.copy / case.path, faulty)
        reading, writing = os.pipe()
        try:
            status = waited(started(partial(self.shown, changes, self.ordered(case), writing)))
        finally:
            os.close(writing)
            sow(self.copy / case.path, source)
        with os.fdopen(reading) as told:
            if finder := told.read():
                self.finders[case.path, case.fault.place, finder] += 1
        return verdict(status)

    def ordered(self, case: Case) -> list[str]:
        """The case's tests; those that found most of the other faults in its place come first."""
        return sorted(case.tests, key=lambda test: -self.finders[case.path, case.fault.place, test])

    def shown(self, changes: Patch, tests: Sequence[str], writing: int) -> int:
        """In a fork: show a fault to tests until one fails, which it names. Returns: the exit code, 1 for found."""
        apply(changes)
        self.failed = False
        for test, after in zip(tests, [*tests[1:], None], strict=True):
            signal.alarm(int(SLOW + 5 * self.seconds[test]))
            item, following = self.items[test], self.items[after] if after else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                os.write(writing, test.encode())
                return 1
        return 0


def prepare() -> None:
    """Build the catalogue once, instead of in every fork."""
    if tools := sys.modules.get("molecule_mcp.tools"):
        tools.catalogue()


def served(copy: Path, cases: Sequence[Case], seconds: Mapping[str, float], connection: Connection) -> int:
    """In a fork: serve until the other end says None."""
    tests = sorted({test for case in cases for test in case.tests})
    return pytested(copy, tests, [Server(copy, cases, seconds, connection)])
