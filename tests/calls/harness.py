"""Whole calls: the program as its own process, a real client over stdio, the embedded tenant as a third process.

What reaches the tenant is counted by a proxy before it; what the tenant holds is read past the server.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import ClientRequestContext
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from molecule_mcp.cli.counting import Proxy, counting

PROGRAM = [sys.executable, "-m", "molecule_mcp"]
ADMIN = "admin-token-of-the-test-tenant"

Answerer = Callable[[str, dict[str, Any]], ElicitResult]
"""A person: the question's text and the form's schema in, the answer out."""


class Place(Protocol):
    """A tenant on a socket."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        ...

    @property
    def key(self) -> str:
        """An organization key."""
        ...


@dataclass
class TenantProcess:
    """The embedded tenant in a process of its own, a proxy before it, and an organization key."""

    proxy: Proxy
    admin: httpx.Client
    key: str

    @property
    def origin(self) -> str:
        """Where the server finds it."""
        return f"http://127.0.0.1:{self.proxy.port}"

    def get(self, path: str) -> Any:
        """Read past the server."""
        return self.admin.get(path).raise_for_status().json()

    def make(self, name: str, parent: str | None = None) -> str:
        """A new external workspace, which nothing changes by itself. Returns its id."""
        body = {"name": name, "external": True, "runtime": "external", "url": "http://192.0.2.1:9", "parent_id": parent}
        answer = self.admin.post("/workspaces", json={key: value for key, value in body.items() if value is not None})
        return answer.raise_for_status().json()["id"]

    def lives(self, workspace_id: str) -> bool:
        """Whether a workspace still is in the tenant's list."""
        return any(row["id"] == workspace_id for row in self.get("/workspaces"))


@contextmanager
def tenant_process(*flags: str, db: Path | None = None) -> Generator[TenantProcess]:
    """Start the embedded tenant on a free port, in memory or on a file that can be read beside it."""
    where = ["--db", str(db)] if db else ["--memory"]
    args = [*PROGRAM, "tenant", "--port", "0", *where, "--rate-limit", "off", "--steady", "--admin-token", ADMIN]
    process = subprocess.Popen([*args, *flags], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        port = int(process.stderr.readline().rsplit(":", 1)[1])
        headers = {"Authorization": f"Bearer {ADMIN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as admin:
            key = admin.post("/org/tokens", json={"name": "test"}).raise_for_status().json()["auth_token"]
            with counting(port) as proxy:
                yield TenantProcess(proxy, admin, key)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@dataclass
class Person:
    """Answers forms by a rule, and keeps the questions."""

    rule: Answerer
    questions: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return self.rule(params.message, dict(getattr(params, "requested_schema", {})))


def exactly_yes(message: str, schema: dict[str, Any]) -> ElicitResult:
    """Everything that a form asks for, exactly."""
    name, field_schema = next(iter(schema["properties"].items()))
    if field_schema["type"] == "boolean":
        return ElicitResult(action="accept", content={name: True})
    if "enum" in field_schema:
        return ElicitResult(action="accept", content={name: field_schema["enum"][0]})
    return ElicitResult(action="accept", content={name: message.rsplit(": ", 1)[1]})


def unticked(_message: str, schema: dict[str, Any]) -> ElicitResult:
    """The form sent off without a yes in it."""
    name, field_schema = next(iter(schema["properties"].items()))
    return ElicitResult(action="accept", content={name: False if field_schema["type"] == "boolean" else "no"})


def empty(_message: str, _schema: dict[str, Any]) -> ElicitResult:
    """An accept without any field."""
    return ElicitResult(action="accept", content={})


def decline(_message: str, _schema: dict[str, Any]) -> ElicitResult:
    """A no."""
    return ElicitResult(action="decline")


def cancel(_message: str, _schema: dict[str, Any]) -> ElicitResult:
    """The form dismissed."""
    return ElicitResult(action="cancel")


@asynccontextmanager
async def client(
    tenant: Place | None,
    state: Path,
    *,
    mode: str = "auto",
    person: Person | None = None,
    flags: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> AsyncGenerator[Client]:
    """A client of a server process of its own."""
    env = {"MOLECULE_MCP_TOOLSETS": "all", **(environ or {})}
    if tenant is not None:
        env |= {"MOLECULE_API_URL": tenant.origin, "MOLECULE_ORG_TOKEN": tenant.key}
    args = [*PROGRAM[1:], "serve", "--state", str(state), *flags]
    with tempfile.TemporaryFile("w") as nowhere:
        server = stdio_client(StdioServerParameters(command=PROGRAM[0], args=args, env=env), errlog=nowhere)
        async with Client(server, mode=mode, elicitation_callback=person) as connected:
            yield connected


async def called(client: Client, tool: str, arguments: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Call a tool. Returns whether it worked, and its answer."""
    result = await client.call_tool(tool, arguments)
    assert isinstance(result.content[0], TextContent)
    return not result.is_error, json.loads(result.content[0].text)


@dataclass
class Doors:
    """A server process behind its HTTP doors."""

    port: int
    bearers: dict[str, str]
    process: subprocess.Popen[str]

    @asynccontextmanager
    async def client(
        self, door: str, *, mode: str = "auto", person: Person | None = None, bearer: str = "first", path: str = ""
    ) -> AsyncGenerator[Client]:
        """A client through one door: "http" or "sse"; `path` goes on with its address."""
        headers = {"Authorization": f"Bearer {self.bearers[bearer]}"}
        base = f"http://127.0.0.1:{self.port}"
        async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
            streams = (
                streamable_http_client(f"{base}/mcp{path}", http_client=http)
                if door == "http"
                else sse_client(f"{base}/sse{path}", headers=headers)
            )
            async with Client(streams, mode=mode, elicitation_callback=person) as connected:
                yield connected


@contextmanager
def http_process(tenant: Place, state: Path, *flags: str, environ: Mapping[str, str] | None = None) -> Generator[Doors]:
    """Start the server behind its HTTP doors, with two bearers."""
    bearers = {"first": "a" * 40, "second": "b" * 40}
    file = state / "bearers"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name} {token}\n" for name, token in bearers.items()))
    env = {
        "PATH": "/usr/bin:/bin",
        "MOLECULE_MCP_TOOLSETS": "all",
        "MOLECULE_API_URL": tenant.origin,
        "MOLECULE_ORG_TOKEN": tenant.key,
        **(environ or {}),
    }
    args = [*PROGRAM, "serve", "--http", "--port", "0", "--bearer-file", str(file), "--state", str(state / "state")]
    process = subprocess.Popen([*args, *flags], env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = ""
        while not line.startswith("molecule-mcp: http://"):
            line = process.stderr.readline()
            assert line, "the server ended"
        yield Doors(int(line.split("/mcp")[0].rsplit(":", 1)[1]), bearers, process)
    finally:
        process.terminate()
        process.communicate(timeout=30)
