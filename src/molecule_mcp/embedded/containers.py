"""Containers that are not there: which workspaces would have one that answers."""

import sqlite3

from molecule_mcp.embedded.calls import Call, Refusal
from molecule_mcp.embedded.lifecycle import find

RUNNING = frozenset({"online", "degraded"})
NOT_RUNNING = "workspace container not running"


def running(call: Call) -> sqlite3.Row | None:
    """The workspace of the path if a container of it runs here: none does for outside agents, hosted or no Docker."""
    row = find(call.db, call.path["id"].lower())
    options = call.instance.options
    there = row is not None and row["status"] in RUNNING and row["runtime"] != "external"
    return row if there and options.docker and not options.hosted else None


def container(call: Call) -> sqlite3.Row:
    """The same; no container is 503, known workspace or not."""
    row = running(call)
    if row is None:
        raise Refusal(503, NOT_RUNNING)
    return row
