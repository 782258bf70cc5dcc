"""The same world over the SQLite store: long random histories, weighted so that what is rare in life is not rare here.

`python -m tests.explore.machine --examples 300` plays so many; hypothesis makes a violation's history short.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from functools import cache, partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from molecule_mcp.store.records import Store, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore
from tests.explore.search import moves
from tests.explore.world import Action, State, World
from tests.store import making

WEIGHTS = {
    "call": 6, "answer": 8, "sign": 3, "forge": 2, "tick": 3, "rename": 3, "born": 3, "lost": 2, "crash": 4, "race": 3,
    "again": 3, "midway": 3,
}  # fmt: skip
"""How often each kind of thing is tried, among those that can happen."""

KINDS = st.sampled_from([kind for kind, weight in WEIGHTS.items() for _ in range(weight)])


class Gate(RuleBasedStateMachine):
    """One history."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        self.runner = asyncio.Runner()
        self.opened = cache(self.store)
        self.world = World(State(), self.opened, partial(making.open_intents, folder), folder)

    def store(self, process: int) -> Store:
        """The handle of one process."""
        return SqliteStore(Path(self.folder.name))

    def plans(self) -> list[StoredPlan]:
        """Every plan, in the order in which they were drawn."""
        store = self.opened(self.world.state.process)
        return [stored for key in self.world.state.calls if (stored := store.plan(key))]

    @rule(kind=KINDS, data=st.data())
    def something_happens(self, kind: str, data: st.DataObject) -> None:
        """One thing of this kind, or of any when none of it can happen."""
        possible = defaultdict[str, list[Action]](list)
        for action in moves(self.world.state, self.plans()):
            possible[action[0]].append(action)
        every = possible.get(kind) or [action for actions in possible.values() for action in actions]
        # Ids are drawn anew in every history, so what is chosen is a place in the list.
        action = every[data.draw(st.integers(0, len(every) - 1))] if every else ("tick",)
        self.runner.run(self.world.act(action))

    def teardown(self) -> None:
        """Release the files."""
        self.opened(self.world.state.process).close()
        self.runner.close()
        self.folder.cleanup()


def played(examples: int, steps: int = 30, **more: Any) -> None:
    """Play so many histories.

    Raises: tests.explore.world.Violation with the shortest history found.
    """
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], **more,
    )  # fmt: skip
    run_state_machine_as_test(Gate, settings=chosen)


def main() -> int:
    """Play, and say what was seen."""
    parser = argparse.ArgumentParser(description="Long random histories of the gate over the SQLite store.")
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--steps", type=int, default=30)
    asked = parser.parse_args()
    played(asked.examples, asked.steps, phases=[Phase.generate])
    print(f"{asked.examples} histories of at most {asked.steps} steps: 0 violations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
