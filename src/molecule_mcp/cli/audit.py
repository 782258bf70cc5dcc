"""`molecule-mcp audit`: what was asked, allowed and sent, from the chain."""

import json
import sys
import time
from argparse import Namespace
from collections import deque
from typing import Any, cast

from molecule_mcp.cli.profile import state_of
from molecule_mcp.store.records import Record
from molecule_mcp.store.sqlite import SqliteStore

SHOWN = ("tool", "risk", "method", "path", "grant", "kind", "state", "status", "reason", "verdict", "read")
"""What `show` says of a record, in this order."""


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
    for record in deque(store.records(), maxlen=max(arguments.limit, 0)):
        print(line(record))
    return 0


def exported(record: Record) -> dict[str, object]:
    """A record as one JSON line."""
    return {name: getattr(record, name) for name in ("seq", "at", "kind", "body", "prev", "mac")}


def line(record: Record) -> str:
    """A record for a person's eyes."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    body = record.body
    shown = [body[name] for name in SHOWN if body.get(name) not in (None, "", [])]
    words = [", ".join(map(str, cast("list[Any]", each))) if isinstance(each, list) else str(each) for each in shown]
    return f"{record.seq:6} {at} {record.kind:8} {' '.join(words)}"
