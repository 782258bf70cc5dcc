"""Claim and intent: one durable transaction before each changing send."""

import tempfile
import time
from pathlib import Path
from secrets import token_hex
from statistics import quantiles

from molecule_mcp.store.records import Intent
from molecule_mcp.store.sqlite import SqliteStore


def measure(rounds: int) -> float:
    """95th percentile in ms."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state")
        took: list[float] = []
        for _ in range(rounds):
            intent = Intent(
                id=token_hex(16), tool="bench", principal="local", profile="default", origin="http://127.0.0.1",
                client="", method="DELETE", path=f"/workspaces/{token_hex(16)}", body_digest="",
                arguments_digest="", at=time.time(),
            )  # fmt: skip
            began = time.perf_counter()
            assert store.claim(intent)
            took.append((time.perf_counter() - began) * 1000)
        store.close()
    return quantiles(took, n=20)[-1]
