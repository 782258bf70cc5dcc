"""`molecule-mcp demo`: an agent's session on an embedded tenant, step by step, each step checked.

The tenant and the server run as processes of their own, a real MCP client talks to the server over stdio, and a
counting proxy stands before the tenant. What the tenant holds afterwards is read past the server, with the tenant's
own admin token. Any check that fails ends the demo with exit code 1.
"""

import json
import secrets
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from molecule_mcp.cli.counting import Proxy, counting

COMMAND = [sys.executable, "-m", "molecule_mcp"]
SECRET = "MOLECULE_SECRET_DEMO_KEY"


class Failed(Exception):
    """A check of the demo did not hold."""


def check(holds: bool, what: str) -> None:
    """Print a check, and end the demo when it does not hold."""
    if not holds:
        raise Failed(what)
    print(f"    checked: {what}")


@dataclass
class Session:
    """One demo: the tenant read past the server, the proxy, the person, and all the model ever saw."""

    admin: httpx.Client
    key: str
    proxy: Proxy
    state: Path
    by_hand: bool
    value: str
    scripted: str = ""
    said: str = ""
    questions: list[str] = field(default_factory=list[str])
    model_saw: list[str] = field(default_factory=list[str])

    async def person(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answer a form: as the script says, or on the terminal; `said` is the answer, "no" whichever no it was."""
        self.questions.append(params.message)
        print("    a person is asked:")
        for line in params.message.splitlines():
            print(f"      | {line}")
        schema: dict[str, Any] = getattr(params, "requested_schema")  # noqa: B009 - a form, not a URL
        name, wanted = next(iter(schema["properties"].items()))
        phrase = params.message.rsplit(": ", 1)[1]
        choices: list[str] = wanted.get("enum") or (["yes", "no"] if wanted["type"] == "boolean" else [phrase, "no"])
        answer = phrase if self.scripted == "phrase" else self.scripted
        if self.by_hand:
            told = "type the phrase, or no" if phrase in choices else "/".join(choices)
            answer = await anyio.to_thread.run_sync(typed, f"      your answer ({told}): ", choices)
        print(f"    the person answers: {answer}")
        self.said = "no" if answer == "leave" else answer
        if answer == "no":
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={name: answer == "yes" if wanted["type"] == "boolean" else answer})

    async def call(self, client: Client, tool: str, given: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Call a tool as the agent would, and print what was sent because of it: whether it worked, and the answer."""
        before = len(self.proxy.seen)
        self.said = ""
        print(f"  agent: {tool} {json.dumps(given)}")
        result = await client.call_tool(tool, given)
        assert isinstance(result.content[0], TextContent)
        text = result.content[0].text
        self.model_saw.append(text)
        passed = self.proxy.seen[before:]
        changes = [seen.line for seen in passed if seen.changing]
        print(f"    answer ({'error' if result.is_error else 'ok'}): {text[:240]}{'...' if len(text) > 240 else ''}")
        print(f"    sent: {len(passed) - len(changes)} reads, {len(changes)} changes {changes or ''}")
        return not result.is_error, json.loads(text)

    async def ask(self, client: Client, tool: str, given: dict[str, Any], answer: str) -> dict[str, Any]:
        """The same with a call that a person has to allow: check that they were asked, and that a no of theirs holds.

        Args:
            answer: What the script has the person say.
        """
        before, asked = len(self.proxy.changes), len(self.questions)
        self.scripted = answer
        worked, told = await self.call(client, tool, given)
        check(len(self.questions) == asked + 1, "a person was asked, once")
        if self.said == "no":
            check(not worked and told["error"] == "declined", "a no stops it")
            check(len(self.proxy.changes) == before, "nothing was sent")
        else:
            check(worked, "it was done as they said")
        return told

    def tenant(self, path: str) -> Any:
        """Read the tenant past the server."""
        return self.admin.get(path).raise_for_status().json()


def typed(prompt: str, choices: list[str]) -> str:
    """One of the choices, as typed on the terminal; anything else is asked again, nothing at all is a no."""
    while True:
        try:
            answer = input(prompt).strip() or "no"
        except EOFError:
            return "no"
        if answer in {*choices, "no"}:
            return answer
        print("      that is none of the answers; once more")


async def idle(session: Session, client: Client) -> None:
    """Idle workspaces are found; a stopped one with no tasks is not idle."""
    print("\n1. Which workspaces are idle?")
    worked, answer = await session.call(client, "find_idle_workspaces", {})
    rows = session.tenant("/workspaces")
    truth = {row["id"] for row in rows if row["status"] in {"online", "degraded"} and row["active_tasks"] == 0}
    stopped = [row for row in rows if row["status"] not in {"online", "degraded"} and row["active_tasks"] == 0]
    check(worked and {row[0] for row in answer["rows"]} == truth, f"exactly the {len(truth)} that run without a task")
    check(len(stopped) > 0, f"{len(stopped)} stopped ones without a task are not called idle")
    check(all(answer["reasons"][row[3]] for row in answer["rows"]), "each says how sure that is and why")


async def secret(session: Session, client: Client) -> None:
    """A secret is set by reference after a yes; its value passes neither the model nor the question."""
    print("\n2. Set the demo key for one workspace.")
    target = next(row for row in session.tenant("/workspaces") if row["status"] == "online")
    given = {"workspace_id": target["id"], "key": "DEMO_KEY", "value_from": f"env:{SECRET}"}
    before = len(session.proxy.changes)
    await session.ask(client, "set_workspace_secret", given, "yes")
    token = session.admin.post(f"/workspaces/{target['id']}/tokens").raise_for_status().json()["auth_token"]
    own = {"Authorization": f"Bearer {token}"}
    values = session.admin.get(f"/workspaces/{target['id']}/secrets/values", headers=own).raise_for_status()
    if session.said == "no":
        check(session.value not in values.text, "the tenant does not hold the value")
    else:
        sent = session.proxy.changes[before:]
        check(sent == [f"POST /workspaces/{target['id']}/secrets"], "one request, after the yes")
        check(session.value in values.text, "the tenant holds the value")
    spoken = [*session.model_saw, *session.questions]
    check(not any(session.value in text for text in spoken), "the value was in no answer and no question")


async def approval(session: Session, client: Client) -> None:
    """A pending approval is decided by a person, in the form itself."""
    print("\n3. Is anything waiting for approval?")
    _, listed = await session.call(client, "list_pending_approvals", {})
    check(not any(seen.path == "/approvals/pending" for seen in session.proxy.seen), "listing denied nothing")
    first = next(each for each in listed["pending"] if not each["overdue"])
    given = {"workspace_id": first["workspace_id"], "approval_id": first["approval_id"]}
    await session.ask(client, "decide_approval", given, "approve")
    requests = session.tenant(f"/workspaces/{first['workspace_id']}/approvals")
    now = next(each for each in requests if each["id"] == first["approval_id"])
    if session.said == "no":
        check(now["status"] == "pending", "the tenant still waits for a decision")
        return
    meant = {"approve": "approved", "deny": "denied"}[session.said]
    check(now["status"] == meant, f"the tenant holds the person's decision: {meant}")
    check(str(now["decided_by"]).startswith("mcp:"), f"it is recorded as decided by {now['decided_by']}")


async def delete(session: Session, client: Client) -> None:
    """A delete stops until a person allows exactly what was shown."""
    print("\n4. Delete the old team.")
    rows = session.tenant("/workspaces")
    parents = [row["parent_id"] for row in rows if row["parent_id"]]
    team = min(
        (row for row in rows if row["id"] in parents and row["parent_id"]), key=lambda row: parents.count(row["id"])
    )
    before = len(session.proxy.changes)
    answer: dict[str, Any] = {}
    for scripted in ("no", "phrase"):
        answer = await session.ask(client, "delete_workspace", {"workspace_id": team["id"]}, scripted)
        if session.said != "no":
            break
    left = {row["id"] for row in session.tenant("/workspaces")}
    if session.said == "no":
        check(left == {row["id"] for row in rows}, "the tenant holds all it held")
        return
    sent = session.proxy.changes[before:]
    doomed = [item["id"] for item in answer.get("items", [])]
    check(doomed[-1:] == [team["id"]] and len(doomed) > 1, f"{len(doomed)} workspaces went, children first")
    check(sent == [f"DELETE /workspaces/{each}" for each in doomed], "one request each, none with confirm=true")
    check(left == {row["id"] for row in rows} - set(doomed), "the tenant lost exactly those")
    check(all(each in session.questions[-1] for each in doomed), "each of them was shown before the yes")


async def unasked(session: Session) -> None:
    """A client that cannot ask, on a machine without an approver, deletes nothing."""
    print("\n5. The same from a client that cannot ask anybody.")
    leaf = next(row for row in reversed(session.tenant("/workspaces")) if row["parent_id"])
    before = len(session.proxy.changes)
    async with connected(session, asking=False) as client:
        worked, answer = await session.call(client, "delete_workspace", {"workspace_id": leaf["id"]})
    check(not worked and answer["error"] == "no_approver", "it says how a person can be set up to allow it")
    check(len(session.proxy.changes) == before, "nothing was sent")


def audit(session: Session) -> None:
    """Everything stands in the audit, and the audit verifies."""
    print("\n6. What does the audit say?")
    state = ["--state", str(session.state)]
    verified = subprocess.run([*COMMAND, "audit", "verify", *state], capture_output=True, text=True, check=False)
    print(f"    molecule-mcp audit verify: {verified.stdout.strip() or verified.stderr.strip()}")
    check(verified.returncode == 0, "the chain verifies")
    exported = subprocess.run([*COMMAND, "audit", "export", *state], capture_output=True, text=True, check=False)
    records = [json.loads(line) for line in exported.stdout.splitlines()]
    intents = [
        f"{record['body']['method']} {record['body']['path']}" for record in records if record["kind"] == "intent"
    ]
    for intent in intents:
        print(f"      {intent}")
    check(intents == session.proxy.changes, f"it holds exactly the {len(intents)} changes that reached the tenant")
    outcomes = [record for record in records if record["kind"] == "outcome"]
    check(len(outcomes) == len(intents), "and how each of them ended")
    check(session.value not in exported.stdout, "and no secret value")


def connected(session: Session, *, asking: bool) -> Client:
    """A real client over stdio; the server is a process of its own."""
    args = [*COMMAND[1:], "serve", "--state", str(session.state), "--allow-wait", "1"]
    env = {
        "MOLECULE_API_URL": f"http://127.0.0.1:{session.proxy.port}",
        "MOLECULE_ORG_TOKEN": session.key,
        SECRET: session.value,
    }
    server = stdio_client(StdioServerParameters(command=COMMAND[0], args=args, env=env))
    return Client(server, elicitation_callback=session.person if asking else None)


@contextmanager
def tenant(token: str) -> Generator[int]:
    """The embedded tenant as its own process on a free port."""
    # Joined by "=": a token may begin with "-", which would read as a flag of its own.
    args = [*COMMAND, "tenant", "--port", "0", "--memory", "--steady", "--rate-limit", "off", f"--admin-token={token}"]
    process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        if "http://" not in line:
            raise Failed(f"the tenant did not start: {line}{process.stderr.read()}")
        yield int(line.rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def session_of(session: Session) -> None:
    """The whole session."""
    async with connected(session, asking=True) as client:
        tools = (await client.list_tools()).tools
        print(f"connected: MCP {client.protocol_version}, {len(tools)} tools")
        await idle(session, client)
        await secret(session, client)
        await approval(session, client)
        await delete(session, client)
    await unasked(session)
    audit(session)


def leaves(group: BaseExceptionGroup[Failed]) -> list[BaseException]:
    """The failures in a group, however deep the clients' task groups have wrapped them."""
    found: list[BaseException] = []
    for each in group.exceptions:
        found += leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found


def run(arguments: Namespace) -> int:
    """Play the session. Returns: 0 when every check held."""
    token = secrets.token_urlsafe(32)
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory() as state, tenant(token) as port, counting(port) as proxy:
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as admin:
            key = admin.post("/org/tokens", json={"name": "demo"}).raise_for_status().json()["auth_token"]
            value = f"demo-{secrets.token_urlsafe(24)}"
            session = Session(admin, key, proxy, Path(state), bool(arguments.ask), value)
            print(f"tenant on {base}, proxy before it on port {proxy.port}, server over stdio")
            try:
                anyio.run(session_of, session)
            except* Failed as failed:
                failures += leaves(failed)
    if failures:
        print("\n".join(f"    FAILED: {each}" for each in failures))
        return 1
    print("\nDone: every check held. Try it in your own host: see README.md")
    return 0
