"""Canaries in every secret field, every tool, under good answers and every fault: none comes out anywhere.

`python -m tests.canary.run` prints what was searched and what was found, then does some of it again with the redaction
taken out of a copy of the program: there each sink has to hold canaries, or the search would be worth nothing.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import anyio

from molecule_mcp.prepared import entries
from tests.calls.faults import FAULTS
from tests.canary.people import People
from tests.canary.rounds import GOOD, HOSTED, SINKS, Round, Tally
from tests.explore.mutants import Mutant, planted

PEOPLE = "people"
REDIRECT = "redirect"
ROUNDS = (*GOOD, HOSTED, PEOPLE, *FAULTS, REDIRECT)
CONTROL = ("good, names", "good, everything", PEOPLE, "404")
"""Rounds that together reach every sink."""

OFF = Mutant(
    "nothing is redacted",
    (("src/molecule_mcp/redaction.py", "return _masked(text, spans) if spans else text", "return text"),),
)
SHOWN = 40


def played(name: str, only: frozenset[str] | None = None, source: Path | None = None) -> Tally:
    """One round, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        kind = People if name == PEOPLE else Round
        return anyio.run(kind(name, Path(folder), only, source).run)


def all_of(names: Iterable[str], processes: int, source: Path | None = None) -> Tally:
    """Every round; each is told as it ends."""
    total = Tally()
    names = tuple(names)
    with ProcessPoolExecutor(processes) as pool:
        several = pool.map(played, names, [None] * len(names), [source] * len(names))
        for name, tally in zip(names, several, strict=True):
            size = sum(tally.size.values()) >> 10
            print(
                f"  {name}: {tally.calls} calls, {tally.worked} worked, {size} kB, {len(tally.finds)} found", flush=True
            )
            total.add(tally)
    return total


def by_sink(tally: Tally) -> str:
    """Finds by sink."""
    found = Counter(each.sink for each in tally.finds)
    return ", ".join(f"{sink} {found[sink]} in {tally.size[sink] >> 10} kB" for sink in SINKS)


def main() -> int:
    """Run, and say what was seen. Exit code 1 when a canary came out, or the control shows none."""
    parser = argparse.ArgumentParser(description="No secret value comes out, whatever the tenant repeats.")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", nargs="*", default=ROUNDS, help="some of: " + "; ".join(ROUNDS))
    asked = parser.parse_args()
    total = all_of(asked.rounds, asked.processes)
    untried = entries().keys() - total.tools if set(asked.rounds) == set(ROUNDS) else set[str]()
    print(f"{total.calls} calls of {len(total.tools)} tools, {total.worked} worked; found: {by_sink(total)}")
    print(f"Values from {len(total.held)} places: {', '.join(sorted(total.held))}")
    print("\n".join(str(each) for each in total.finds[:SHOWN]))
    print("The same with nothing redacted:")
    with tempfile.TemporaryDirectory() as folder:
        planted(OFF, Path(folder))
        control = all_of(CONTROL, asked.processes, Path(folder))
    print(f"found: {by_sink(control)}")
    blind = set(SINKS) - {each.sink for each in control.finds}
    print(
        "\n".join(
            [*(f"never called: {each}" for each in untried), *(f"the control shows none: {each}" for each in blind)]
        )
    )
    return 1 if total.finds or untried or blind else 0


if __name__ == "__main__":
    sys.exit(main())
