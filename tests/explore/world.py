"""A small tenant, a person, time, and a gate between them that anything may happen to.

`World` holds the whole state and can be copied. `act` does one thing: a call, an answer, a signature, a forged row, a
crash at one write of the store, a lost answer, a second connection in the middle. A judge stands at the tenant's door
and knows what the person really said; whatever arrives without that is a violation. It shares no rule with the gate.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from molecule_mcp import tools
from molecule_mcp.errors import ArgumentError, MoleculeError
from molecule_mcp.gate import grants
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.policy import Profile
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.calls import Road
from molecule_mcp.road.context import Context
from molecule_mcp.road.repeats import PATIENCE
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.secrets import Outputs, Secrets
from molecule_mcp.store.forms import fingerprint
from molecule_mcp.store.records import Grant, Intent, Plan, Store
from molecule_mcp.tenant import Wire

ORIGIN = "http://127.0.0.1"
A, B, CHILD, LATE = (f"00000000-0000-4000-8000-00000000000{each}" for each in "abcd")
CHILDREN = (CHILD, LATE)
PRINCIPALS = ("http:first", "http:second")
LIFETIME = 600.0
"""What a plan and a yes stay good for, said here anew."""

CATALOGUE = tools.catalogue()
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "delete A": ("delete_workspace", {"workspace_id": A}),
    "delete B": ("delete_workspace", {"workspace_id": B}),
    "set A": ("set_workspace_secret", {"workspace_id": A, "key": "KEY", "value_from": "env:MOLECULE_SECRET_ONE"}),
    "set B": ("set_workspace_secret", {"workspace_id": B, "key": "KEY", "value_from": "env:MOLECULE_SECRET_ONE"}),
}
Action = tuple[Any, ...]


@dataclass
class Speaker:
    """Who makes which call, and how many changes of it arrived."""

    principal: str
    name: str
    arrivals: int = 0


speaking: ContextVar[Speaker] = ContextVar("speaking")
"""The call that a request at the tenant's door belongs to."""


class Crash(BaseException):
    """The process ends here."""


class Violation(AssertionError):
    """Something arrived that no person allowed, or an answer was not true."""


@dataclass(frozen=True)
class Yes:
    """What a person allowed: one request, in the state they were shown, for a while, once."""

    principal: str
    line: str
    shown: tuple[Any, ...]
    until: float
    plan: str


@dataclass
class State:
    """Everything but the store."""

    now: float = 1_000_000.0
    names: dict[str, str] = field(default_factory=lambda: {A: "Alpha", B: "Beta"})
    parents: dict[str, str] = field(default_factory=dict[str, str])
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    yes: tuple[Yes, ...] = ()
    decided: frozenset[str] = frozenset()
    done: frozenset[tuple[str, str]] = frozenset()
    shown: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict[tuple[str, int], tuple[Any, ...]])
    calls: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    executed: dict[str, bool] = field(default_factory=dict[str, bool])
    faults: int = 0
    process: int = 0

    def copy(self) -> "State":
        """A copy that shares nothing that changes."""
        return replace(
            self, names=dict(self.names), parents=dict(self.parents), secrets=dict(self.secrets),
            shown=dict(self.shown), calls=dict(self.calls), executed=dict(self.executed),
        )  # fmt: skip


class Guarded:
    """A store that can end its process before or after one of its writes."""

    WRITES = frozenset(
        {"open_plan", "asked", "grant", "refuse", "begin", "claim", "settle", "spend", "finish", "forget"}
    )

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.at: int | None = None
        self.after = False
        self.dead = False
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def used(*given: Any) -> Any:
            if self.dead:
                raise Crash
            if name not in self.WRITES:
                return found(*given)
            self.writes += 1
            self.dead = self.writes == self.at
            if self.dead and not self.after:
                raise Crash
            result = found(*given)
            if self.dead:
                raise Crash
            return result

        return used


@cache
def approver() -> Ed25519PrivateKey:
    """The person's key."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class World(httpx.AsyncBaseTransport):
    """One state of everything, and what can be done to it.

    Args:
        opened: A store handle of a process, by its number; later processes see what earlier ones wrote.
        left: The intents without an outcome.
    """

    def __init__(
        self, state: State, opened: Callable[[int], Store], left: Callable[[], list[Intent]], folder: Path
    ) -> None:
        self.state = state
        self.opened = opened
        self.left = left
        self.folder = folder
        self.store = Guarded(opened(state.process))
        self.lose = False
        self.between: tuple[int, Callable[[], Any]] | None = None
        self.midway: Callable[[], Awaitable[None]] | None = None
        self.seen: list[str] = []
        self.waited = 0.0
        self._requests = 0
        self.road = self.made(self.store)

    def made(self, store: Guarded) -> Road:
        """A process on the same durable state."""
        wire = Wire(ORIGIN, "k" * 43, transport=self)
        redactor = Redactor()
        key = approver().public_key().public_bytes_raw()
        return Road(
            Context(
                profile=Profile(),
                origin=ORIGIN,
                sample=False,
                wire=lambda: wire,
                store=lambda: cast("Store", store),
                keyed_digest=store.keyed_digest,
                approver=lambda: key,
                secrets=Secrets(self.folder / "secrets", {"MOLECULE_SECRET_ONE": "sesame-0123456789"}, redactor),
                outputs=Outputs(self.folder / "outputs", redactor, lambda: self.state.now),
                redactor=redactor,
                find=CATALOGUE.get,
                missing=lambda name: ArgumentError(name),
                allow_wait=0.0,
                allow_line="molecule-mcp allow",
                approver_line="molecule-mcp approver init",
                clock=lambda: self.state.now + self.waited,
                wait=self.waiting,
            )
        )

    async def waiting(self, _seconds: float) -> None:
        """A call waits for another, which ends only after it here: for as long as it would, and no longer."""
        self.waited += PATIENCE

    # --- the tenant

    def facts(self, line: str, within: frozenset[str]) -> tuple[Any, ...]:
        """What is stable about a target; for a delete also who is below it, but for those that go too."""
        target = line.split("/")[2]
        if line.startswith("POST "):
            return self.state.names.get(target), "KEY" in self.state.secrets.get(target, ())
        below = sorted(key for key, parent in self.state.parents.items() if parent == target and key not in within)
        return self.state.names.get(target), self.state.secrets.get(target, ()), tuple(below)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._requests += 1
        if self.between and self.between[0] == self._requests:
            during, self.between = self.between[1], None
            await during()
        line = f"{request.method} {request.url.raw_path.decode()}"
        if request.method == "GET":
            return self.read(request.url.path)
        self.judge(line)
        answer = self.changed(request.method, request.url.path, await request.aread())
        if self.midway:
            then, self.midway = self.midway, None
            await then()
        if self.lose:
            self.lose = False
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    def read(self, path: str) -> httpx.Response:
        """What the tenant shows."""
        rows = [self.row(key) for key in self.state.names]
        parts = path.split("/")[1:]
        if len(parts) == 1:
            return httpx.Response(200, json=rows)
        if len(parts) == 2:
            known = parts[1] in self.state.names
            return httpx.Response(200, json=self.row(parts[1])) if known else httpx.Response(404, json={"error": "no"})
        keys = self.state.secrets.get(parts[1], ()) if parts[2] == "secrets" else ()
        return httpx.Response(200, json=[{"key": key, "scope": "workspace", "updated_at": "t"} for key in keys])

    def row(self, key: str) -> dict[str, Any]:
        """One workspace."""
        return {"id": key, "name": self.state.names[key], "status": "online", "runtime": "x",
                "parent_id": self.state.parents.get(key)}  # fmt: skip

    def changed(self, method: str, path: str, body: bytes) -> httpx.Response:
        """Do it, as the tenant does."""
        target = path.split("/")[2]
        if method == "POST":
            key = json.loads(body)["key"]
            self.state.secrets[target] = tuple(sorted({*self.state.secrets.get(target, ()), key}))
            return httpx.Response(200, json={"status": "saved"})
        if target in self.state.parents.values():
            return httpx.Response(409, json={"error": "has children"})
        self.state.names.pop(target, None)
        self.state.parents.pop(target, None)
        return httpx.Response(200, json={"status": "removed"})

    # --- the judge

    def judge(self, line: str) -> None:
        """Let in what a person allowed for exactly this, now, in this state, and has not been used.

        Raises: Violation.
        """
        speaker = speaking.get()
        principal = speaker.principal
        speaker.arrivals += 1
        self.state.done |= {(principal, speaker.name)}
        intents = [each for each in self.left() if f"{each.method} {each.path}" == line]
        fresh = [each for each in intents if each.id not in self.state.executed]
        if not fresh:
            raise self.violation(f"P6 no intent before {line}")
        self.state.executed[fresh[-1].id] = True
        for each in self.state.yes:
            same = (each.principal, each.line) == (principal, line) and self.state.now < each.until
            if same and self.facts(line, self.within(each.plan)) == each.shown:
                self.state.yes = tuple(other for other in self.state.yes if other is not each)
                return
        raise self.violation(f"P1-P3 {principal} sent {line} without a yes; yes: {self.state.yes}")

    def violation(self, what: str) -> Violation:
        """Note it, since what stands between may turn its exception into another."""
        self.seen.append(what)
        return Violation(what)

    def within(self, plan_id: str) -> frozenset[str]:
        """The workspaces that go with one plan."""
        plan = self.plan(plan_id)
        return frozenset(step.path.split("/")[2] for step in plan.steps)

    def plan(self, plan_id: str) -> Plan:
        """A plan that is known to be there."""
        stored = self.opened(self.state.process).plan(plan_id)
        assert stored is not None
        return stored.plan

    def agreed(self, plan_id: str) -> None:
        """The person says yes to a plan, as it was shown; what they said first counts, and once."""
        if plan_id in self.state.decided:
            return
        self.state.decided |= {plan_id}
        plan = self.plan(plan_id)
        self.state.yes += tuple(
            Yes(plan.principal, f"{step.method} {step.path}", self.state.shown[plan_id, step.index],
                plan.created + LIFETIME, plan_id)
            for step in plan.steps
        )  # fmt: skip

    def ended(self) -> None:
        """After a thing was done: nothing is left half-recorded, and what is recorded is so.

        Raises: Violation.
        """
        if left := self.left():
            raise Violation(f"P6 {len(left)} intents were left open")

    # --- what can happen

    async def act(self, action: Action) -> None:
        """Do one thing.

        Raises: Violation; also for an exception that no caller should ever see.
        """
        kind, *rest = action
        self._requests, self.lose, self.between, self.waited = 0, False, None, 0.0
        try:
            await getattr(self, f"do_{kind}")(*rest)
        except Exception as error:
            raise Violation("; ".join(self.seen) or f"a defect: {error!r}") from error
        if self.seen:
            raise Violation("; ".join(self.seen))
        self.ended()

    async def called(
        self, road: Road, principal: str, name: str, answer: FormAnswer | None = None
    ) -> Done | Asked | None:
        """One call; notes a plan that it opens, and checks what it says about what was sent."""
        tool, given = CALLS[name]
        speaker = Speaker(principal, name)
        speaking.set(speaker)
        try:
            outcome = await road.call(Caller(principal, can_ask=True), tool, given, answer)
        except MoleculeError as error:
            if error.sent is False and speaker.arrivals:
                raise Violation(f"P8 {name} says that nothing was sent, and something was") from error
            return None
        if isinstance(outcome, Asked):
            self.noted(outcome.plan, principal, name)
        elif not speaker.arrivals and not self.told_again(outcome, speaker):
            raise Violation(f"P8 {name} says that it was done, and nothing arrived")
        return outcome

    def told_again(self, outcome: Done, speaker: Speaker) -> bool:
        """Whether an answer is that of the same call made before, and says so."""
        return bool(outcome.structured.get("deduplicated")) and (speaker.principal, speaker.name) in self.state.done

    def noted(self, plan: Plan, principal: str, name: str) -> None:
        """A person is shown a plan: what it says is what there is now."""
        if plan.id in self.state.calls:
            return
        self.state.calls[plan.id] = principal, name
        targets = frozenset(step.path.split("/")[2] for step in plan.steps)
        for step in plan.steps:
            self.state.shown[plan.id, step.index] = self.facts(f"{step.method} {step.path}", targets)

    async def do_call(self, principal: str, name: str) -> None:
        """A call without an answer: opens a plan, finds it again, or uses a signed grant."""
        await self.called(self.road, principal, name)

    async def do_answer(self, plan_id: str, principal: str, name: str, content: Mapping[str, Any], action: str) -> None:
        """A form comes back, from its owner or another, with this or another call."""
        if (principal, name) == self.state.calls[plan_id]:
            if action == "accept" and self.is_yes(plan_id, content):
                self.agreed(plan_id)
            self.state.decided |= {plan_id}
        await self.called(self.road, principal, name, FormAnswer(plan_id, action, content))

    def is_yes(self, plan_id: str, content: Mapping[str, Any]) -> bool:
        """Whether a form says what a person who means it says."""
        phrase = self.plan(plan_id).question.phrase
        return content == ({"allow": True} if phrase is None else {"phrase": phrase})

    def exactly_yes(self, plan_id: str) -> dict[str, Any]:
        """The form of a person who means it."""
        phrase = self.plan(plan_id).question.phrase
        return {"allow": True} if phrase is None else {"phrase": phrase}

    async def do_sign(self, plan_id: str) -> None:
        """The person signs a yes outside of the conversation."""
        plan = self.plan(plan_id)
        if plan.expires <= self.state.now:
            return
        message = grants.message(plan.digest, "allow", self.state.now)
        signed = Grant("human", "allow", self.state.now, approver().sign(message).hex(), self.finger())
        if self.store.grant(plan_id, signed):
            self.agreed(plan_id)

    async def do_forge(self, plan_id: str, kind: Any) -> None:
        """Something else writes a row that says yes."""
        self.store.grant(plan_id, Grant(kind, "allow", self.state.now, "00" * 64, self.finger()))

    def finger(self) -> str:
        """The approver's fingerprint."""
        return fingerprint(approver().public_key().public_bytes_raw())

    async def do_tick(self) -> None:
        """Time passes; twice is longer than a yes stays good."""
        self.state.now += 400.0

    async def do_rename(self, target: str) -> None:
        """A target is no longer what was shown."""
        if target in self.state.names:
            self.state.names[target] += "!"

    async def do_born(self) -> None:
        """A workspace appears below A."""
        child = CHILDREN[CHILD in self.state.names]
        if A in self.state.names:
            self.state.names[child], self.state.parents[child] = "Child", A

    async def do_lost(self, plan_id: str) -> None:
        """The owner says yes, it is done, and the answer gets lost."""
        self.lose = True
        await self.yes(plan_id)

    async def yes(self, plan_id: str, road: Road | None = None) -> None:
        """The owner's exact yes, in their own call."""
        principal, name = self.state.calls[plan_id]
        self.agreed(plan_id)
        form = FormAnswer(plan_id, "accept", self.exactly_yes(plan_id))
        await self.called(road or self.road, principal, name, form)

    async def do_crash(self, plan_id: str, at: int, after: bool) -> None:
        """The process ends at one write of a granted call; the next one begins by recovering."""
        self.store.at, self.store.after = at, after
        with suppress(Crash):
            await self.yes(plan_id)
        self.restart()

    def restart(self) -> None:
        """Another process takes over."""
        self.store.inner.close()
        self.state.process += 1
        self.store = Guarded(self.opened(self.state.process))
        self.store.inner.recover(self.state.now)
        self.road = self.made(self.store)

    async def do_race(self, plan_id: str, at: int) -> None:
        """A second connection brings the same answer while the first is on its way."""
        other = self.made(Guarded(self.opened(self.state.process)))
        principal, name = self.state.calls[plan_id]
        form = FormAnswer(plan_id, "accept", self.exactly_yes(plan_id))

        async def second() -> None:
            await self.called_besides(other, principal, name, form)

        self.between = at, second
        await self.yes(plan_id)

    async def do_again(self, plan_id: str, at: int) -> None:
        """Two connections use a signed yes at the same time."""
        other = self.made(Guarded(self.opened(self.state.process)))
        principal, name = self.state.calls[plan_id]

        async def second() -> None:
            await self.called_besides(other, principal, name, None)

        self.between = at, second
        await self.called(self.road, principal, name)

    async def do_midway(self, plan_id: str, what: str) -> None:
        """Something changes after the first of several requests of a granted call."""
        self.midway = partial(self.do_rename, A) if what == "rename" else self.do_born
        await self.yes(plan_id)

    async def called_besides(self, road: Road, principal: str, name: str, answer: FormAnswer | None) -> None:
        """A call in the middle of another; what it says is not compared with what arrived, since both send."""
        token = speaking.set(Speaker(principal, name))
        tool, given = CALLS[name]
        try:
            outcome = await road.call(Caller(principal, can_ask=True), tool, given, answer)
            if isinstance(outcome, Asked):
                self.noted(outcome.plan, principal, name)
        except MoleculeError:
            return  # an answer to somebody else; the judge saw what arrived
        finally:
            speaking.reset(token)
