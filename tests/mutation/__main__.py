"""`make mutants`: sow every small fault into the rooms that keep the gate, one at a time, and count what tests find.

`python -m tests.mutation [ROOM...]`, where road:batch is one module of a room; `--sample N` takes every Nth fault only,
and says so; `--show` names survivors.
A room's tests run once without a fault, and each fault is shown to those that ran its lines then; one in lines that no
test ran lives. `--anew` loads the program again for every fault, which must come to the same and takes much longer.
Ends with 1 when a room's tests find less than 95 % of its faults. Faults that change nothing anybody can see stand in
equivalent.toml with their reason and are not counted; one that stands there and is sown no more fails the run.
"""

import argparse
import os
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from tests.mutation.cases import Case, Verdict
from tests.mutation.judging import BUDGET, judged, shown_to
from tests.mutation.reach import reached
from tests.mutation.running import ROOT, copied, warm
from tests.mutation.sowing import faults

SOURCE = ROOT / "src" / "molecule_mcp"

LEAST = 95.0
"""Per cent of a room's faults that its tests must find."""

MEMORY = Path("/dev/shm")
"""Where copies are fastest to write, if there is such a place."""

WARM = ("molecule_mcp.__main__", "molecule_mcp.server", "tests.road.rig", "yaml", "hypothesis.strategies")


@dataclass(frozen=True)
class Room:
    """Modules, and the tests that judge them.

    Args:
        files: A glob from src/molecule_mcp, several parted by blanks.
        tests: Folders or files below tests/; the file that mirrors the module always comes first.
    """

    files: str
    tests: tuple[str, ...]


ROOMS = {
    "gate": Room("gate/*.py", ("gate", "road")),
    "paths": Room("tenant/paths.py", ("tenant/test_paths.py",)),
    "permits": Room("tenant/permit.py tenant/passage.py", ("tenant", "tools/test_events.py")),
    "store": Room("store/*.py", ("store", "road")),
    "road": Room("road/*.py", ("road",)),
}


def chosen(text: str) -> tuple[str, Room]:
    """What is named on the command line: a room, or one module of it.

    Raises: ArgumentTypeError.
    """
    name, _, module = text.partition(":")
    files = [] if name not in ROOMS else [path for path in files_of(ROOMS[name]) if module in {"", path.stem}]
    if not files:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(ROOMS)}, nor a module in one (road:batch)")
    room = ROOMS[name]
    return text, replace(room, files=files[0].relative_to(SOURCE).as_posix()) if module else room


def files_of(room: Room) -> list[Path]:
    """The modules of a room."""
    return [path for pattern in room.files.split() for path in sorted(SOURCE.glob(pattern))]


def cases_of(room: Room) -> list[Case]:
    """Every fault of a room, with the tests that judge it."""
    return [
        Case(path.relative_to(ROOT).as_posix(), fault, ordered(path, room))
        for path in files_of(room)
        for fault in faults(path.read_text(encoding="utf-8"))
    ]


def ordered(path: Path, room: Room) -> tuple[str, ...]:
    """A room's test files, the module's own first."""
    own = ROOT / "tests" / path.parent.name / f"test_{path.stem}.py"
    files = [
        file
        for each in room.tests
        for file in (sorted((ROOT / "tests" / each).glob("test_*.py")) or [ROOT / "tests" / each])
    ]
    return tuple(each.relative_to(ROOT).as_posix() for each in sorted(files, key=lambda file: file != own))


def equivalents() -> dict[str, set[str]]:
    """File -> names of the faults in it that nobody can see."""
    listed = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    return {path: {each["fault"] for each in entries} for path, entries in listed.items()}


def judge(name: str, room: Room, arguments: argparse.Namespace) -> bool:
    """Judge one room and print its figures. Returns whether its tests found enough."""
    started, unseen = time.monotonic(), equivalents()
    every = cases_of(room)
    named = {(case.path, case.fault.name) for case in every}
    gone = [(path, each) for path in {case.path for case in every} for each in unseen.get(path, set())]
    stale = [f"{path}: {each}" for path, each in gone if (path, each) not in named]
    cases = [case for case in every if case.fault.name not in unseen.get(case.path, set())][:: arguments.sample]
    counts: dict[Verdict, int] = {"killed": 0, "survived": 0, "timeout": 0}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        copies = [copied(ROOT, Path(folder, str(place))) for place in range(arguments.processes)]
        reach = reached(copies[0], cases[0].tests, {case.path for case in cases})
        cases = [shown_to(case, reach) for case in cases]
        if arguments.anew:
            cases = [replace(case, anew=True) for case in cases]
        for case, verdict in judged(cases, copies, reach.seconds):
            counts[verdict] += 1
            if verdict == "survived" and arguments.show:
                print(f"  lives: {case.path}:{case.fault.line} {case.fault.name}{seen_by(case)}", flush=True)
    found = counts["killed"] + counts["timeout"]
    share = 100 * found / len(cases)
    sampled = f", every {arguments.sample}th of {len(every)}" if arguments.sample > 1 else ""
    unrun, part = sum(not case.tests for case in cases), sum(not case.whole for case in cases)
    print(
        f"{name}: {found} of {len(cases)} found ({share:.1f} %), "
        f"{counts['survived']} live ({unrun} where no test runs), "
        f"{counts['timeout']} found by time alone; {part} of all are shown to {BUDGET:.0f} s of their tests only"
        f"{sampled}; {time.monotonic() - started:.0f} s",
        flush=True,
    )
    for each in stale:
        print(f"  sown no more, take it out of equivalent.toml: {each}")
    return share >= LEAST and not stale


def seen_by(case: Case) -> str:
    """How many tests a fault was shown to, in words."""
    return f"  ({len(case.tests)} tests)" if case.tests else "  (no test runs it)"


def main() -> int:
    """Judge the rooms named, or all."""
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("rooms", nargs="*", type=chosen, metavar="ROOM")
    parser.add_argument("--sample", type=int, default=1, metavar="N")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    warm(WARM)
    rooms: list[tuple[str, Room]] = arguments.rooms or list(ROOMS.items())
    enough = [judge(name, room, arguments) for name, room in rooms]
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main())
