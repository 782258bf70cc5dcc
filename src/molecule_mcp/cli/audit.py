"""`molecule-mcp audit`: what was asked, allowed and sent, from the chain.

A record names the plan or intent it is about by id. `show` says besides what those were: the plan's code, which a
person saw when they allowed it, what it was about, and the request that an outcome belongs to.
"""

import json
import sys
import time
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, cast

from molecule_mcp.capability import printable
from molecule_mcp.cli.profile import state_of
from molecule_mcp.store.records import Record
from molecule_mcp.store.sqlite import SqliteStore

SHOWN = (
    "code", "tool", "risk", "method", "path", "targets", "answer", "grant", "kind", "state", "verdict", "status",
    "reason", "note", "read",
)  # fmt: skip
"""What `show` says of a record, in this order."""

OF_A_PLAN = ("code", "tool", "targets")
"""What is said of a plan with every record that names it; records of older versions hold neither code nor targets."""

OF_AN_INTENT = ("code", "tool", "method", "path")
"""What is said of an intent with its outcome."""


def run(arguments: Namespace) -> int:
    """Show, verify or export. Returns: 1 when the chain does not verify."""
    store = SqliteStore(state_of(arguments))
    if arguments.action == "verify":
        good, wrong = store.verify()
        print(f"{good} records good" + (f"; then: {wrong}" if wrong else ", the chain is whole"))
        return 1 if wrong else 0
    if arguments.action == "export":
        for record in store.records():
            sys.stdout.write(json.dumps(exported(record), separators=(",", ":")) + "\n")
        return 0
    shown = deque(explained(store.records()), maxlen=max(arguments.limit, 0))
    if not shown:
        print("Nothing is recorded: no change was asked for yet.", file=sys.stderr)
    elif not arguments.json:
        print(f"Times are local, {time.strftime('%Z, UTC%z')}.", file=sys.stderr)
    for record, told in shown:
        if arguments.json:
            print(json.dumps({"seq": record.seq, "at": record.at, "kind": record.kind, **told}))
        else:
            print(line(record, told))
    return 0


def exported(record: Record) -> dict[str, object]:
    """A record as one JSON line."""
    return {name: getattr(record, name) for name in ("seq", "at", "kind", "body", "prev", "mac")}


def explained(records: Iterable[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """Each record with what it says, by name, completed with what the plan or intent it names was about."""
    plans: dict[object, dict[str, Any]] = {}
    intents: dict[object, dict[str, Any]] = {}
    for record in records:
        body = record.body
        about = plans.get(body.get("plan") or body.get("plan_id")) or intents.get(body.get("intent")) or {}
        told = {name: value for name in SHOWN if (value := body.get(name, about.get(name))) not in (None, "", [])}
        if record.kind == "open":
            plans[body["plan"]] = {name: told[name] for name in OF_A_PLAN if name in told}
        elif record.kind == "intent":
            intents[body["id"]] = {name: told[name] for name in OF_AN_INTENT if name in told}
        yield record, told


def line(record: Record, told: dict[str, Any]) -> str:
    """A record for a person's eyes."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    values = told.values()
    words = [", ".join(map(str, cast("list[Any]", each))) if isinstance(each, list) else str(each) for each in values]
    return printable(f"{record.seq:6} {at} {record.kind:8} {' '.join(words)}")
