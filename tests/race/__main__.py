"""`python -m tests.race`: what many processes, late children and sudden ends can do to a grant.

Prints what was tried and what arrived. Exit code 1 when more arrived than a grant allows, or anything else is not so.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import anyio

from tests.race.births import WAYS, WHEN, born
from tests.race.kills import POINTS, Killing, audited
from tests.race.place import Place, tenant
from tests.race.uses import attested, signed


def folders(under: Path) -> Iterator[Path]:
    """A state folder for each part."""
    number = 0
    while True:
        number += 1
        yield under / str(number)


async def uses(place: Place, free: Iterator[Path], processes: int, count: int) -> bool:
    """One grant, many uses."""
    rounds = [
        await signed(place, next(free), processes, count, tokens=False),
        await signed(place, next(free), processes, count, tokens=True),
        await attested(place, next(free), processes, count),
    ]
    print("\n".join(map(str, rounds)), flush=True)
    return all(each.holds for each in rounds)


async def births(place: Place, free: Iterator[Path]) -> bool:
    """Children born at each moment, for each way to say yes."""
    right = True
    for way, when in product(WAYS, WHEN):
        found = await born(place, next(free), way, when)
        print(found, flush=True)
        right &= not found.wrong
    return right


async def kills(place: Place, free: Iterator[Path], under: Path, times: int) -> bool:
    """Sudden ends at each point."""
    folder = next(free)
    found = await Killing(place, folder, under / "die").run(times, POINTS)
    whole, said = audited(folder)
    print(f"{found}\naudit verify: {said}", flush=True)
    print("\n".join(f"WRONG: {each}" for each in found.wrong[:20]))
    return whole and not found.wrong and set(found.kills.values()) == {times}


async def run(asked: argparse.Namespace) -> bool:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        free = folders(Path(name))
        async with tenant() as place:
            right = await uses(place, free, asked.processes, asked.uses)
            right &= await births(place, free)
        async with tenant() as place:
            return right & await kills(place, free, Path(name), asked.kills)


def main() -> int:
    """Run, and say what was seen."""
    parser = argparse.ArgumentParser(description="Many uses of one grant, late children, killed processes.")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--uses", type=int, default=100)
    parser.add_argument("--kills", type=int, default=25, help="at each of the six points; two belong to each step")
    right = anyio.run(run, parser.parse_args())
    print("All as it should be." if right else "NOT as it should be.")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
