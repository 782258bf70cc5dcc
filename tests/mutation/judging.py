"""Whether tests notice a fault: they run on a copy of the program with the fault in it, in a fork of a warm process.

A fault in the body of a function is put into a process that has the program and the tests loaded (serving.py). Any
other is written into the copy, and the program and the tests are loaded with it.
"""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.mutation.cases import Case, Verdict, sow, verdict
from tests.mutation.reach import LOADING, Reach
from tests.mutation.running import pytested, started, waited
from tests.mutation.serving import served

BUDGET = 20.0
"""How many seconds of tests a fault is shown to, as they were measured without it: the fastest of those that run it."""


def shown_to(case: Case, reach: Reach, budget: float = BUDGET) -> Case:
    """A case with the tests that are to find its fault, out of all that ran in its room.

    Args:
        case: Has the test file that mirrors its module as its first.
    """
    own, lines = case.tests[0], case.fault.lines
    anew = not case.fault.later or LOADING in reach.runs(case.path, lines)
    tests = reach.every(own) if anew else reach.selected(case.path, lines, own)
    within, spent = list[str](), 0.0
    for test in tests:
        spent += reach.seconds[test]
        if spent < budget or not within:
            within.append(test)
    return replace(case, tests=tuple(within), anew=anew, whole=len(within) == len(tests))


def judged(
    cases: Sequence[Case], copies: Sequence[Path], seconds: Mapping[str, float]
) -> Iterator[tuple[Case, Verdict]]:
    """The verdict on each case, as it comes; a copy for each of those that run at once.

    Args:
        seconds: How long each test takes.
    """
    for case in cases:
        if not case.tests:
            yield case, "survived"
    shown = [case for case in cases if case.tests]
    anew = [case for case in shown if case.anew]
    for case, found in in_place([case for case in shown if not case.anew], copies, seconds):
        if found is None:
            anew.append(case)
        else:
            yield case, found
    yield from loaded_anew(anew, copies, seconds)


def in_place(
    cases: Sequence[Case], copies: Sequence[Path], seconds: Mapping[str, float]
) -> Iterator[tuple[Case, Verdict | None]]:
    """The verdict on faults that are put into loaded programs; None on those that cannot be."""
    if not cases:
        return
    waiting, servers = iter(range(len(cases))), dict[Connection, int]()
    for copy in copies:
        near, far = Pipe()
        servers[near] = started(partial(served, copy, cases, seconds, far))
        far.close()
        near.send(next(waiting, None))
    while servers:
        for each in wait(list(servers)):
            assert isinstance(each, Connection)
            try:
                number, found = each.recv()
            except EOFError:
                if waited(servers.pop(each)):
                    raise RuntimeError("a process that shows faults to tests failed") from None
                continue
            each.send(next(waiting, None))
            yield cases[number], found


def loaded_anew(
    cases: Sequence[Case], copies: Sequence[Path], seconds: Mapping[str, float]
) -> Iterator[tuple[Case, Verdict]]:
    """The verdict on faults that the program is loaded with."""
    free, running = list(copies), dict[int, tuple[Case, Path, str]]()
    waiting = iter(cases)
    while True:
        while free and (case := next(waiting, None)):
            copy = free.pop()
            original = (copy / case.path).read_text(encoding="utf-8")
            sow(copy / case.path, case.fault.sown())
            allowed = int(20 + 5 * sum(seconds.get(test, 10.0) for test in case.tests))
            running[started(partial(pytested, copy, case.tests), allowed)] = case, copy, original
        if not running:
            return
        pid, status = os.waitpid(-1, 0)
        case, copy, original = running.pop(pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        sow(copy / case.path, original)
        free.append(copy)
        yield case, verdict(status)
