"""A fault in a file of a copy, the tests it is shown to, and what came of it."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutation.running import BROKEN
from tests.mutation.sowing import Fault

Verdict = Literal["killed", "survived", "timeout"]
NO_TESTS = 5
"""pytest's exit code when none of the tests named is there, as when a fault takes away their parameters."""


@dataclass(frozen=True)
class Case:
    """A fault in a file, and the tests that are to find it.

    Args:
        path: From the root of the copy.
        tests: Files or single tests, from there as well, in the order in which they run; none: it lives.
        anew: Whether the program is loaded with the fault, since it stands in what runs as that happens.
        whole: Whether these are all the tests that could find it, and not only the first of them.
    """

    path: str
    fault: Fault
    tests: tuple[str, ...]
    anew: bool = True
    whole: bool = True


def sow(path: Path, source: str) -> None:
    """Write a module, and let no compiled older one of it stay."""
    path.write_text(source, encoding="utf-8")
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()


def verdict(status: int) -> Verdict:
    """What the end of the tests' process says about the fault in it.

    Raises:
        RuntimeError: The process failed by itself, which says nothing.
    """
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) == signal.SIGALRM else "killed"
    code = os.waitstatus_to_exitcode(status)
    if code == BROKEN:
        raise RuntimeError("the tests could not be run")
    return "survived" if code in {0, NO_TESTS} else "killed"
