"""A road over the embedded tenant in this process, with every request that leaves counted at the transport."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from molecule_mcp import embedded, tools, toolsets
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate import grants
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.calls import Road
from molecule_mcp.road.context import Context
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.secrets import Outputs, Secrets, Typed
from molecule_mcp.store import approver
from molecule_mcp.store.sqlite import SqliteStore
from molecule_mcp.tenant import Wire
from molecule_mcp.tenant.inprocess import InProcess
from tests.answers import complaints

ORIGIN = "http://127.0.0.1"
PASSPHRASE = "correct horse battery"
Before = Callable[[httpx.Request], Awaitable[httpx.Response | None]]


class Counted(httpx.AsyncBaseTransport):
    """Counts what leaves, and lets a test step in before a request is answered."""

    def __init__(self, app: Any) -> None:
        self.inner = InProcess(app)
        self.lines: list[str] = []
        self.bodies: list[bytes] = []
        self.before: Before | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.raw_path.decode()}"
        self.lines.append(line)
        self.bodies.append(await request.aread())
        instead = await self.before(request) if self.before else None
        return instead or await self.inner.handle_async_request(request)

    @property
    def changes(self) -> list[str]:
        """The changing requests, in order."""
        return [line for line in self.lines if not line.startswith("GET ") or line == "GET /approvals/pending"]


class Checked(Road):
    """A road whose every answer is held to its tool's whole model."""

    async def call(
        self, caller: Caller, name: str, given: Mapping[str, Any], answer: FormAnswer | None = None
    ) -> Done | Asked:
        """As a road does it."""
        outcome = await super().call(caller, name, given, answer)
        if isinstance(outcome, Done) and (capability := self.context.find(name)) and not capability.combines:
            wrong = complaints(capability, outcome.structured)
            assert not wrong, f"{name}: {wrong}"
        return outcome


@dataclass
class Clock:
    """Seconds since the epoch, moved by the test."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    async def pass_by(self, seconds: float) -> None:
        """Time passes without anybody waiting for it."""
        self.now += seconds


@dataclass
class Rig:
    """Everything one test needs."""

    folder: Path
    app: embedded.App
    transport: Counted
    clock: Clock
    page: str | None = None
    environ: dict[str, str] = field(default_factory=lambda: {"MOLECULE_SECRET_KEY": "sesame-0123456789"})

    def road(self, profile: Profile | None = None, **changes: Any) -> Road:
        """A road; several of one rig share the state folder, as processes do."""
        store = SqliteStore(self.folder)
        redactor = Redactor()
        wire = Wire(ORIGIN, self.app.mint_org_key("test"), transport=self.transport, sleep=self.clock.pass_by)

        def key() -> bytes | None:
            known = approver.public(self.folder)
            return known.key if known else None

        context = Context(
            profile=profile or Profile(),
            origin=ORIGIN,
            sample=False,
            wire=lambda: wire,
            store=lambda: store,
            settler=store,
            keyed_digest=store.keyed_digest,
            approver=key,
            secrets=Secrets(self.folder / "secrets", self.environ, redactor, self.typed),
            outputs=Outputs(self.folder / "outputs", redactor, self.clock),
            redactor=redactor,
            find=tools.catalogue().get,
            missing=lambda name: toolsets.missing(name, entries(), entries()),
            allow_wait=0.0,
            allow_line="molecule-mcp allow",
            approver_line="molecule-mcp approver init",
            clock=self.clock,
            wait=self.clock.pass_by,
        )
        return Checked(replace(context, **changes))

    @property
    def typed(self) -> Typed:
        """What a person types on the page."""
        return Typed(self.folder / "typed", grants.code, page=lambda: self.page, clock=self.clock)

    def types(self, code: str, value: str) -> None:
        """A person types a secret."""
        found = self.typed.wanted(code)
        assert found
        assert self.typed.fill(found[0], value)

    def named(self, name: str) -> str:
        """The id of a workspace of the sample organization."""
        row = self.app.database.execute("SELECT id FROM workspaces WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def statuses(self) -> dict[str, str]:
        """Every workspace's status by id."""
        return dict(self.app.database.execute("SELECT id, status FROM workspaces").fetchall())


def can_ask() -> Caller:
    """A caller whose client shows forms."""
    return Caller(can_ask=True, client="test 1")


async def asked(road: Road, tool: str, given: Mapping[str, Any]) -> Asked:
    """Call, and expect a question."""
    outcome = await road.call(can_ask(), tool, given)
    assert isinstance(outcome, Asked)
    return outcome


async def answered(road: Road, tool: str, given: Mapping[str, Any], question: Asked, **content: Any) -> Done:
    """Call with an accepted form."""
    outcome = await road.call(can_ask(), tool, given, FormAnswer(question.plan.id, "accept", content))
    assert isinstance(outcome, Done)
    return outcome


async def by_another(road: Road, tool: str, given: Mapping[str, Any]) -> Done:
    """Call as another principal, who says yes to whatever is asked."""
    caller = Caller(principal="another", can_ask=True)
    question = await road.call(caller, tool, given)
    assert isinstance(question, Asked)
    phrase = question.plan.question.phrase
    content: dict[str, Any] = {"phrase": phrase} if phrase else {"allow": True}
    outcome = await road.call(caller, tool, given, FormAnswer(question.plan.id, "accept", content))
    assert isinstance(outcome, Done)
    return outcome


async def refused(call: Awaitable[Any]) -> MoleculeError:
    """Expect an error of ours."""
    try:
        outcome = await call
    except MoleculeError as error:
        return error
    raise AssertionError(f"no error, but {outcome}")
