"""Generated requests over the embedded tenant: every answer has a status and a shape that the contract names.

`python -m tests.contract.schemas 50` sends about so many to each operation, with schemathesis as a process of its own.
The sample organization is put back before every request, so that what one request deletes the next still finds.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
import yaml
from starlette.types import Receive, Scope, Send

from molecule_mcp import embedded
from molecule_mcp.embedded.routes import ROUTES
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.embedded.server import listener

CONTRACT = Path(__file__).with_name("openapi.yaml")
ADMIN = "admin-token-of-the-generated-requests"
CHECKS = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
UNENDING = ("101", "text/event-stream")
"""Status of a socket and type of a stream: answers that do not end have tests of their own."""

SEATS = ("chief", "support", "triage", "seo", "backend", "papers", "partner")
NAMED = {
    "channelId": ("support", sample_id("channels", "support:telegram")),
    "scheduleId": ("triage", sample_id("schedules", "triage:queue sweep")),
    "approvalId": ("refunds", sample_id("approvals", "refunds:refund_order")),
    "memoryId": ("triage", sample_id("memories", "triage:4")),
    "tokenId": ("partner", sample_id("workspace_tokens", "partner")),
    "wfid": ("books", "month-end-2026-10"),
    "key": ("refunds", "STRIPE_API_KEY"),
    "name": ("backend", "superpowers"),
}
"""Path parameters that name something of the sample, and whose it is: generated values name nothing."""


def served() -> dict[str, Any]:
    """The contract less what the embedded tenant does not answer and what never ends."""
    contract: dict[str, Any] = yaml.load(CONTRACT.read_text("utf-8"), yaml.CSafeLoader)
    routes = {(route.method.lower(), route.template) for route in ROUTES}
    paths = {
        path: {
            method: usual(operation)
            for method, operation in operations.items()
            if (method, path) in routes and not unending(operation)
        }
        for path, operations in contract["paths"].items()
    }
    return {**contract, "paths": {path: kept for path, kept in paths.items() if kept}}


def unending(operation: dict[str, Any]) -> bool:
    """Whether an operation answers with a socket or a stream."""
    responses: dict[str, Any] = operation["responses"]
    return any(mark in responses or mark in str(list(responses.values())) for mark in UNENDING)


def usual(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with what x-common says of every one, and with ids of the sample among those it is tried with."""
    told = deepcopy(operation)
    # x-common.unknown_route: some generated paths are no route.
    told["responses"].setdefault("404", {"description": "404 page not found"})
    inside = [parameter for parameter in told.get("parameters", ()) if parameter["in"] == "path"]
    owners = [NAMED[parameter["name"]][0] for parameter in inside if parameter["name"] in NAMED]
    for parameter in inside:
        known = [sample_id("workspaces", seat) for seat in owners or SEATS]
        if parameter["name"] in NAMED:
            known = [NAMED[parameter["name"]][1]]
        parameter["schema"] = {"anyOf": [{"enum": known}, parameter["schema"]]}
    return told


class Renewed:
    """The embedded tenant, with its sample as it was before every request."""

    def __init__(self) -> None:
        self.app = embedded.build(embedded.Options(admin_token=ADMIN, rate_limit=None, agents=False))
        self._sample = sqlite3.connect(":memory:", check_same_thread=False)
        self.app.database.backup(self._sample)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self._sample.backup(self.app.database)
        await self.app(scope, receive, send)

    def close(self) -> None:
        """Close the databases."""
        self.app.close()
        self._sample.close()


@contextmanager
def tenant() -> Generator[tuple[Renewed, int]]:
    """The tenant on a socket, in a thread. Yields it and its port."""
    app, bound = Renewed(), listener("127.0.0.1", 0)
    bound.listen()  # what comes before the server runs then waits for it
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False))
    thread = Thread(target=asyncio.run, args=(server.serve(sockets=[bound]),))
    thread.start()
    try:
        yield app, bound.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        app.close()


def tried(contract: dict[str, Any], examples: int, phases: str, say: Callable[[str], object]) -> list[str]:
    """Send generated requests. Returns the operations without a single success.

    Raises: AssertionError with what schemathesis says when an answer strayed from the contract.
    """
    with tempfile.TemporaryDirectory() as folder, tenant() as (app, port):
        file = Path(folder) / "openapi.json"
        file.write_text(json.dumps(contract))
        told = subprocess.run(
            command(file, port, examples, phases), capture_output=True, text=True, check=False, cwd=folder
        )
        counted = app.app.instance.counted
    say(told.stdout)
    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-2_000:]
    done = {(method, path) for method, path, status in counted if 200 <= status < 300}
    return sorted(
        f"{method.upper()} {path}"
        for path, operations in contract["paths"].items()
        for method in operations
        if (method.upper(), path) not in done
    )


def command(file: Path, port: int, examples: int, phases: str) -> list[str]:
    """How schemathesis is called."""
    return [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(file),
        "--url", f"http://127.0.0.1:{port}", "--header", f"Authorization: Bearer {ADMIN}",
        "--checks", ",".join(CHECKS), "--phases", phases, "--max-examples", str(examples),
        "--workers", "2", "--mode", "all", "--seed", "1", "--suppress-health-check", "all",
        "--continue-on-failure", "--warnings", "off", "--request-timeout", "20",
    ]  # fmt: skip


if __name__ == "__main__":
    without = tried(served(), int(sys.argv[1]), "examples,coverage,fuzzing", print)
    print(f"{len(without)} operations without a success among the generated requests:", *without, sep="\n  ")
