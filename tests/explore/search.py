"""Exhaustive search: every order of everything that can happen, to a depth, over the real gate and a store in memory.

`python -m tests.explore.search --depth 6` prints how many states there are and every violation with the shortest way
to it. Two states that differ only in drawn ids count as one.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import anyio

from molecule_mcp.store.records import StoredPlan
from tests.explore.memory import Data, MemoryStore
from tests.explore.world import CALLS, PRINCIPALS, A, Action, B, State, Violation, World

WRITES = (1, 2, 3, 4, 5, 6)
"""Writes of one granted call: the yes, its beginning, the claim, the outcome, the ends of the plan and of the call."""
READS = (1, 3, 5)
"""Requests of one granted call before which a second connection steps in."""
FAULTS = 1
"""Crashes, lost answers and races in one history: each by itself, with everything else around it."""
PLANS = 2
PART = 100
"""States that one process takes at once."""


@dataclass(frozen=True)
class Node:
    """A state and how it came about; ids are named by the order in which they were drawn."""

    state: State
    data: Data
    path: tuple[Action, ...]


@dataclass
class Found:
    """What a search saw."""

    states: int = 0
    steps: int = 0
    violations: list[str] = field(default_factory=list[str])


def moves(state: State, plans: list[StoredPlan]) -> Iterator[Action]:
    """Everything that can happen next."""
    if len(plans) < PLANS:
        # The first to come is the first, whoever it is.
        callers, names = (PRINCIPALS, CALLS) if plans else (PRINCIPALS[:1], ("delete A", "set A"))
        yield from (("call", principal, name) for principal, name in product(callers, names))
    for plan in plans:
        yield from of_plan(state, plan)
    if A in state.names and not state.parents:
        yield ("born",)
    if plans:
        yield ("tick",)
        yield "rename", A
        if any(name.endswith("B") for _, name in state.calls.values()):
            yield "rename", B


def of_plan(state: State, stored: StoredPlan) -> Iterator[Action]:
    """What can happen to one plan; an ended one still gets its answers again."""
    plan = stored.plan.id
    principal, name = state.calls[plan]
    other = PRINCIPALS[principal == PRINCIPALS[0]]
    phrase = stored.plan.question.phrase
    yes: dict[str, Any] = {"allow": True} if phrase is None else {"phrase": phrase}
    swapped = {"delete A": "delete B", "delete B": "delete A", "set A": "delete A", "set B": "set A"}[name]
    yield "answer", plan, principal, name, yes, "accept"
    yield "answer", plan, other, name, yes, "accept"
    yield "answer", plan, principal, swapped, yes, "accept"
    yield "call", principal, name
    if stored.state == "open":
        yield "answer", plan, principal, name, {}, "accept"
        yield "answer", plan, principal, name, {}, "decline"
        if phrase is not None:
            yield "answer", plan, principal, name, {"phrase": "yes"}, "accept"
        yield "sign", plan
        yield "forge", plan, "human"
        yield "forge", plan, "client_attested"
        if state.faults < FAULTS:
            yield "lost", plan
            yield from (("crash", plan, at, after) for at in WRITES for after in (False, True))
            yield from (("race", plan, at) for at in READS)
            if len(stored.plan.steps) > 1:
                yield from (("midway", plan, what) for what in ("rename", "born"))
    elif stored.state == "granted" and state.faults < FAULTS:
        yield from (("again", plan, at) for at in READS)


def signature(state: State, data: Data) -> str:
    """A state without the ids that were drawn."""
    order = {plan: f"plan{number}" for number, plan in enumerate(data.plans)}
    plans = [
        (order[key], plan.tool, dict(plan.arguments), plan.principal, plan.created, data.states[key],
         (grant.kind, grant.signature[:2] == "00", grant.at) if (grant := data.grants.get(key)) else None,
         [kept for place, kept in data.steps.items() if place[0] == key],
         [(step.path, step.facts) for step in plan.steps], state.calls.get(key))
        for key, plan in data.plans.items()
    ]  # fmt: skip
    intents = [(each.path, kept, key in state.executed) for key, (each, kept, _, _) in data.intents.items()]
    made = [(call.binding, kept.state, kept.ended) for call, kept, _ in data.calls.values()]
    yes = sorted((each.principal, each.line, repr(each.shown), each.until, order[each.plan]) for each in state.yes)
    shown = sorted((order[key[0]], key[1], repr(value)) for key, value in state.shown.items())
    tenant = state.now, sorted(state.names.items()), sorted(state.parents.items()), sorted(state.secrets.items())
    return repr(
        (
            plans,
            intents,
            made,
            sorted(state.done),
            yes,
            shown,
            tenant,
            state.faults,
            sorted(order[key] for key in state.decided),
        )
    )


async def step(node: Node, action: Action, folder: Path) -> Node | str:
    """Do one thing to a copy. Returns the new state, or the violation."""
    state, data = node.state.copy(), node.data.copy()
    world = World(state, lambda owner: MemoryStore(data, owner), MemoryStore(data, 0).open_intents, folder)
    if action[0] in {"lost", "crash", "race", "again", "midway"}:
        state.faults += 1
    try:
        await world.act(action)
    except Violation as violation:
        return str(violation)
    return Node(state, data, (*node.path, action))


def plans(data: Data) -> list[StoredPlan]:
    """Every plan, in the order in which they were drawn."""
    store = MemoryStore(data, 0)
    return [stored for key in data.plans if (stored := store.plan(key))]


def followed(nodes: list[Node]) -> tuple[int, list[str], dict[str, Node]]:
    """Everything that can happen next to each of these: how many steps, violations, new states by their signature."""

    async def each() -> tuple[int, list[str], dict[str, Node]]:
        steps, violations, following = 0, list[str](), dict[str, Node]()
        for node in nodes:
            for action in moves(node.state, plans(node.data)):
                steps += 1
                result = await step(node, action, Path("nowhere"))
                if isinstance(result, str):
                    violations.append(f"{result}\n  after {told(node.path)}\n  then {told((action,))}")
                else:
                    following.setdefault(signature(result.state, result.data), result)
        return steps, violations, following

    return anyio.run(each)


def explored(depth: int, processes: int = 1) -> Found:
    """Breadth first from the beginning, so that the first way to a violation is a shortest one; ends at a violation."""
    found, seen, front = Found(), set[str](), [Node(State(), Data(), ())]
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as pool:
        for _ in range(depth):
            parts = [front[at : at + PART] for at in range(0, len(front), PART)]
            front = list[Node]()
            for steps, violations, following in pool.map(followed, parts) if pool else map(followed, parts):
                found.steps += steps
                found.violations += violations
                new = {key: node for key, node in following.items() if key not in seen}
                seen |= new.keys()
                front += new.values()
                if found.violations:
                    return found
            found.states = len(seen)
    return found


def told(path: tuple[Action, ...]) -> str:
    """A history for a reader."""
    return " | ".join(" ".join(str(each)[:36] for each in action) for action in path) or "nothing"


def main() -> int:
    """Search, and say what was seen. Exit code 1 when something was violated."""
    parser = argparse.ArgumentParser(description="Every order of everything that can happen to the gate, to a depth.")
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began = time.monotonic()
    found = explored(asked.depth, asked.processes)
    seconds = time.monotonic() - began
    print(f"depth {asked.depth}: {found.states} states, {found.steps} steps in {seconds:.0f} s")
    print(f"{len(found.violations)} violations of P1-P3, P6, P8")
    print("\n".join(found.violations[:5]))
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
