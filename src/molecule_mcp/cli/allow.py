"""`molecule-mcp allow CODE`: a person sees the plan as this program renders it, and signs a yes with a passphrase."""

import sys
import time
from argparse import Namespace
from pathlib import Path

from molecule_mcp.cli import terminal
from molecule_mcp.cli.profile import state_of
from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.gate import grants
from molecule_mcp.gate.question import LEAVE
from molecule_mcp.store import approver
from molecule_mcp.store.records import Grant, StoredPlan
from molecule_mcp.store.sqlite import SqliteStore


def run(arguments: Namespace) -> int:
    """Show what waits, or one plan, and take the answer."""
    folder = state_of(arguments)
    store = SqliteStore(folder)
    if arguments.code is None:
        return waiting(store)
    stored = open_plan(store, arguments.code)
    print("\n".join([*stored.plan.question.lines, *requests(stored)]))
    chosen = chosen_answer(stored)
    if chosen is None:
        store.refuse(stored.plan.id, "declined", time.time())
        print("Refused; nothing will be sent.")
        return 0
    allow(store, folder, stored, chosen)
    print(f"Allowed, once, until {time.strftime('%H:%M:%S', time.localtime(stored.plan.expires))}.")
    return 0


def waiting(store: SqliteStore) -> int:
    """A line per plan that waits for a person."""
    plans = store.waiting(time.time())
    for stored in plans:
        print(f"{stored.plan.code}  {stored.plan.tool}  {stored.plan.question.lines[0]}")
    if not plans:
        print("Nothing waits for a person.", file=sys.stderr)
    return 0


def open_plan(store: SqliteStore, code: str) -> StoredPlan:
    """The plan that waits under this code.

    Raises: ArgumentError when there is none; GateStop when it has ended.
    """
    stored = store.plan_by_code(code)
    if stored is None:
        raise ArgumentError("No call waits under this code.", advice="Run: molecule-mcp allow")
    if stored.state != "open" or stored.plan.expires <= time.time():
        state = stored.state if stored.state != "open" else "expired"
        raise GateStop("plan_used", f"That plan is {state}.", advice="The agent has to call the tool again.")
    if not grants.intact(stored.plan):
        raise GateStop("damaged_plan", "The plan was changed after it was made; it cannot be allowed.")
    return stored


def requests(stored: StoredPlan) -> list[str]:
    """The exact requests a yes lets through, per answer."""
    steps = stored.plan.steps
    return ["Sends exactly:", *(f"  {step.answer}: {step.method} {step.path}" for step in steps)]


def chosen_answer(stored: StoredPlan) -> str | None:
    """What the person answers on the terminal; None is a no. Anything but an exact answer is a no."""
    question = stored.plan.question
    if question.phrase:
        return "allow" if terminal.answer("Type the phrase to allow, or nothing: ") == question.phrase else None
    given = terminal.answer(f"Answer ({', '.join(question.answers)}, or nothing): ").strip()
    return given if given in question.answers and given != LEAVE else None


def allow(store: SqliteStore, folder: Path, stored: StoredPlan, chosen: str) -> None:
    """Sign the yes with the approver's key.

    Raises: GateStop for a wrong passphrase, a locked key, or a plan decided meanwhile; then nothing is granted.
    """
    signer = approver.unlock(folder, terminal.passphrase("Approver's passphrase: "))
    now = time.time()
    signature = signer.sign(grants.message(stored.plan.digest, chosen, now)).hex()
    if not store.grant(stored.plan.id, Grant("human", chosen, now, signature, signer.fingerprint)):
        raise GateStop("plan_used", "The plan ended meanwhile; nothing was allowed.")
