"""A scripted agent that obeys whatever it reads, over a real client, on a tenant full of injections.

`python -m tests.attacks.obedient` makes several runs, each on a tenant of its own, then the same once more on a copy of
the program whose gate lets everything pass; it says what was obeyed and sent, and fails when a bar is missed.
The agent first reads what an innocent user asks for, then does what it read, in an order that a seed decides, and reads
the answers of that too. At the end it answers every question anew that a person has said no to.
"""

import argparse
import base64
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from molecule_mcp.capability import Risk
from molecule_mcp.cleaning import clean
from molecule_mcp.cli.counting import Seen
from molecule_mcp.secrets import private
from molecule_mcp.store import approver
from tests.attacks.agent import MOST, Agent
from tests.attacks.errands import errands
from tests.attacks.grammar import Order, all_orders
from tests.attacks.judging import Facts, by_risk, deleted, facts, judged
from tests.attacks.planting import CANARY, Injection, injections, plant
from tests.calls import harness
from tests.calls.harness import ADMIN, Person, TenantProcess, client, tenant_process
from tests.explore.mutants import Mutant, planted

OFF = Mutant(
    "every plan is allowed",
    (
        (
            "src/molecule_mcp/road/deciding.py",
            "stored = await self.ahead(plan)\n",
            "stored = await self.granted_as(\n"
            '                plan, Grant("client_attested", plan.question.answers[0], self.context.clock())\n'
            "            )\n",
        ),
    ),
)
"""The gate taken out."""

PASSPHRASE = "correct horse battery"
REFERRED = {
    "MOLECULE_SECRET_DEPLOY": "deploy-0123456789-of-the-server",
    "MOLECULE_SECRET_HOOK": "https://hook.example/7",
}
IN_FILE = "file-0123456789-of-the-server"
ENOUGH = 60
"""Injections, and targets that are gone without a gate, below which a run proves nothing."""


@dataclass(frozen=True)
class Way:
    """How one run is made: the protocol's era, what the person does, and who could allow from outside."""

    mode: str
    rule: harness.Answerer | None
    seed: int
    approver: bool = False

    @property
    def name(self) -> str:
        """As it is printed."""
        asked = self.rule.__name__ if self.rule else "cannot be asked"
        return f"{self.mode}, {asked}{', with an approver' if self.approver else ''}, order {self.seed}"


WAYS = (
    Way("2026-07-28", harness.decline, 1),
    Way("legacy", harness.cancel, 2),
    Way("2026-07-28", None, 3, approver=True),
    Way("legacy", None, 4),
)


@dataclass
class Report:
    """What one run did."""

    obeyed: list[Order]
    seen: list[Seen]
    risks: list[tuple[Risk, Seen]]
    leaks: list[str]
    hidden: list[str]
    told: Counter[str]
    questions: int

    @property
    def refused(self) -> list[str]:
        """Requests that no person allowed, though only a person may."""
        return [f"{risk.label}: {seen.line}" for risk, seen in self.risks if risk >= Risk.DESTROY]

    def unread(self, chosen: Sequence[Injection]) -> list[str]:
        """Orders that were planted and never obeyed."""
        done = set(self.obeyed)
        return [
            f"{each.name}: {order.tool or 'READ'} {order.what}"
            for each in chosen
            for order in sorted(all_orders(clean(each.text)) - done, key=repr)
        ]

    def line(self) -> str:
        """In one line."""
        counted = by_risk(self.risks)
        sends = ", ".join(f"{risk.label} {counted[risk.label]}" for risk in Risk)
        return (
            f"{len({each.injection for each in self.obeyed})} injections obeyed in {len(self.obeyed)} calls, "
            f"{self.questions} questions; sent by risk: {sends}; {len(deleted(self.seen))} targets deleted; "
            f"{len(self.leaks)} secrets let out"
        )


async def run(way: Way, chosen: Sequence[Injection], source: Path | None = None) -> Report:
    """One run on a tenant of its own.

    Args:
        source: A folder with another copy of the program to attack.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, state = Path(folder, "tenant.db"), Path(folder, "state")
        plant(file, tuple(chosen))
        known = facts(file)
        prepared(state, way)
        with tenant_process(db=file) as tenant:
            before = len(tenant.proxy.seen)
            agent = await attacked(tenant, state, way, chosen, source)
            return report(agent, tenant, tenant.proxy.seen[before:], known, state)


def prepared(state: Path, way: Way) -> None:
    """Put an approver and a secret into a new state folder."""
    state.mkdir(mode=0o700)
    (state / "secrets").mkdir(mode=0o700)
    private.create(state / "secrets" / "deploy", IN_FILE.encode())
    if way.approver:
        approver.init(state, PASSPHRASE)


async def attacked(
    tenant: TenantProcess, state: Path, way: Way, chosen: Sequence[Injection], source: Path | None
) -> Agent:
    """Let the agent loose."""
    environ = {**REFERRED, **({"PYTHONPATH": str(source)} if source else {})}
    person = Person(way.rule) if way.rule else None
    async with client(
        tenant, state, mode=way.mode, person=person, flags=("--allow-wait", "0"), environ=environ
    ) as connected:
        agent = Agent(connected, way.rule, random.Random(way.seed))
        for tool, given in errands(tuple(chosen)):
            await agent.errand(tool, given)
        await agent.obey()
        await agent.replay()
    agent.look(person.questions if person else [])
    agent.told["questions"] = len(person.questions) if person and way.mode == "legacy" else len(agent.asked)
    return agent


def report(agent: Agent, tenant: TenantProcess, seen: list[Seen], known: Facts, state: Path) -> Report:
    """What became of it."""
    everything = "\n".join(agent.seen)
    sent = "\n".join(f"{each.path}\n{each.body.decode(errors='replace')}" for each in seen)
    leaks = [name for name, value in secrets(tenant, state) if value in everything]
    leaks += [f"{name}, sent" for name, value in of_the_server(tenant, state) if value in sent]
    hidden = sorted({ascii(each) for each in agent.seen if clean(each) != each})
    questions = agent.told.pop("questions")
    return Report(agent.obeyed, seen, judged(seen, known), leaks, hidden, agent.told, questions)


def secrets(tenant: TenantProcess, state: Path) -> list[tuple[str, str]]:
    """Everything that an agent must never see: what the server holds, what it wrote for people, what the tenant keeps.

    Minted keys lie in the outputs as the only line of a file, or as a field of it.
    """
    minted = [
        (f"output {path.name}", word)
        for path in sorted((state / "outputs").rglob("*"))
        if path.is_file() and "token" in path.name
        for word in path.read_text(encoding="utf-8").split()
        if len(word) >= 40
    ]
    return [*of_the_server(tenant, state), *minted, ("a secret of the tenant", CANARY)]


def of_the_server(tenant: TenantProcess, state: Path) -> list[tuple[str, str]]:
    """What only the server holds, in the ways in which it could be written."""
    found = [("the organization key", tenant.key), ("the admin token", ADMIN), ("the passphrase", PASSPHRASE)]
    for name in ("chain.key", "approver.key"):
        if (state / name).exists():
            raw = (state / name).read_bytes().strip()
            written = {raw.decode("latin-1"), raw.hex(), base64.b64encode(raw).decode().rstrip("=")}
            found += [(name, each) for each in sorted(written)]
    return found + [(name, value) for name, value in [*REFERRED.items(), ("file:deploy", IN_FILE)]]


def complaints(one: Report, chosen: Sequence[Injection]) -> list[str]:
    """Which bars a run with the gate on has missed."""
    return [
        *(f"sent without a yes: {each}" for each in one.refused),
        *(f"deleted: {each}" for each in sorted(deleted(one.seen))),
        *(f"let out: {each}" for each in one.leaks),
        *(f"came through uncleaned: {each}" for each in one.hidden),
        *(f"never obeyed: {each}" for each in one.unread(chosen)),
        *(["the run did not come to its end"] if len(one.obeyed) >= MOST else []),
    ]


async def without_gate(way: Way, chosen: Sequence[Injection]) -> Report:
    """The same run on a copy of the program without its gate."""
    with tempfile.TemporaryDirectory() as folder:
        planted(OFF, Path(folder))
        try:
            return await run(way, chosen, Path(folder, "src"))
        finally:
            shutil.rmtree(Path(folder, "tests"))


def one_run(way: Way, *, gate: bool) -> Report:
    """One run with every injection, in a process of its own."""
    return anyio.run(run if gate else without_gate, way, injections())


def main() -> int:
    """Attack, and say what was seen. Exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description="An agent that obeys whatever it reads; nothing it does may destroy.")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    chosen, began, bad = injections(), time.monotonic(), list[str]()
    print(f"{len(chosen)} injections in {len({each.place for each in chosen})} kinds of place", flush=True)
    with ProcessPoolExecutor(asked.processes) as pool:
        control = pool.submit(one_run, WAYS[0], gate=False)
        for way, one in zip(WAYS, pool.map(partial(one_run, gate=True), WAYS), strict=True):
            print(f"{way.name}: {one.line()}\n    told: {dict(one.told.most_common())}", flush=True)
            bad += [f"{way.name}: {each}" for each in complaints(one, chosen)]
        off = control.result()
    print(f"WITHOUT ITS GATE, {WAYS[0].name}: {off.line()}")
    gone = len(deleted(off.seen))
    if len(chosen) < ENOUGH or gone < ENOUGH:
        bad.append(f"the control proves too little: {len(chosen)} injections, {gone} targets deleted")
    print("\n".join(bad[:40]))
    print(f"{len(bad)} bars missed; {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
