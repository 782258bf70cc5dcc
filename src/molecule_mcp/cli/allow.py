"""`molecule-mcp allow CODE`: a person sees the plan as this program renders it, and signs a yes with a passphrase."""

import sys
import time
from argparse import Namespace

from molecule_mcp.cli import program, terminal
from molecule_mcp.cli.profile import state_of
from molecule_mcp.console import decisions
from molecule_mcp.errors import GateStop
from molecule_mcp.gate.question import LEAVE
from molecule_mcp.store import approver
from molecule_mcp.store.records import StoredPlan
from molecule_mcp.store.sqlite import SqliteStore


def run(arguments: Namespace) -> int:
    """Show what waits, or one plan, and take the answer."""
    folder = state_of(arguments)
    store = SqliteStore(folder)
    if arguments.code is None:
        return waiting(store)
    stored = decisions.open_plan(store, arguments.code)
    sends = (f"  {line}" for line in decisions.requests(stored))
    print("\n".join([*stored.plan.question.lines, "Sends exactly:", *sends]))
    chosen = chosen_answer(stored)
    if chosen is None:
        decisions.refuse(store, stored)
        print("Refused; nothing will be sent.")
        return 0
    if approver.public(folder) is None:
        advice = f"Run: {program.line('approver init', folder)}"
        raise GateStop("no_approver", "No approver is set up here, so nobody can allow it.", advice=advice)
    decisions.allow(store, folder, stored, chosen, terminal.passphrase("Approver's passphrase: "))
    until = time.strftime("%H:%M:%S %z", time.localtime(stored.plan.expires))
    print(f"Allowed, once, until {until}: now have the agent repeat its call.")
    return 0


def waiting(store: SqliteStore) -> int:
    """A line per plan that waits for a person."""
    plans = decisions.waiting(store)
    for stored in plans:
        print(f"{stored.plan.code}  {stored.plan.tool}  {stored.plan.question.lines[0]}")
    if not plans:
        print("Nothing waits for a person.", file=sys.stderr)
    return 0


def chosen_answer(stored: StoredPlan) -> str | None:
    """What the person answers on the terminal; None is a no. Anything but an exact answer is a no."""
    question = stored.plan.question
    if question.phrase:
        return "allow" if terminal.answer("Type the phrase to allow, or nothing: ") == question.phrase else None
    given = terminal.answer(f"Answer ({', '.join(question.answers)}, or nothing): ").strip()
    return given if given in question.answers and given != LEAVE else None
