"""Rehearse a send, and make it: exactly the request of the plan, claimed first, its outcome recorded after.

A rehearsal runs the tool itself with a permit whose claim raises `Rehearsed`, so a plan holds the very request that
the tool would make, not a second description of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import token_hex
from typing import Any

import anyio
import anyio.to_thread

from molecule_mcp.arguments import INJECTED, workspace_parameters
from molecule_mcp.capability import Capability, Progress
from molecule_mcp.errors import GateStop, MoleculeError
from molecule_mcp.gate import policy
from molecule_mcp.road.context import Context
from molecule_mcp.road.traffic import Caller, silent
from molecule_mcp.road.turns import BESIDE
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Intent, Outcome, OutcomeState, Plan, Step
from molecule_mcp.tenant import Permit, Request, Tenant


class Rehearsed(BaseException):
    """The changing send that a tool was about to make."""

    def __init__(self, request: Request) -> None:
        self.request = request


@dataclass(frozen=True)
class Outgone:
    """One finished send: the tool's result, and the request line, None when the tool found nothing to send."""

    result: dict[str, Any]
    line: str | None


def injected(context: Context, capability: Capability, tenant: Tenant, progress: Progress = silent) -> dict[str, Any]:
    """The parameters of a tool that the road fills in."""
    offers = {
        "tenant": tenant,
        "secrets": context.secrets,
        "outputs": context.outputs,
        "progress": progress,
        "wait": context.wait,
    }
    wanted = capability.function.__annotations__
    return {name: offers[name] for name in INJECTED if name in wanted}


def reading(context: Context, capability: Capability, *, whole: bool = False) -> Tenant:
    """A tenant that only reads, as its permit has no claim; `whole` shows a preview also what lies outside the profile.

    What it answers is masked at once, but where a tool keeps it for a person, or masks and marks it by itself.
    """
    keeps = {"outputs", "secrets"} & capability.function.__annotations__.keys()
    permit = Permit(
        routes=capability.sends,
        bound=context.profile.bound,
        unfiltered=whole,
        redactor=context.redactor,
        masked=whole or not keeps,
    )
    return Tenant(context.wire(), permit)


def dumped(result: Any) -> dict[str, Any]:
    """A tool's result model as JSON values, fields without a value left out."""
    return result.model_dump(mode="json", exclude_none=True)


async def rehearse(context: Context, capability: Capability, arguments: Mapping[str, Any], code: str) -> Request:
    """The changing request that these arguments lead to; it does not leave.

    Raises: GateStop when the tool would change nothing.
    """

    async def claim(request: Request) -> None:
        raise Rehearsed(request)

    permit = Permit(
        routes=capability.sends,
        claim=claim,
        bound=context.profile.bound,
        actor=actor(context, code),
        redactor=context.redactor,
    )
    tenant = Tenant(context.wire(), permit)
    # What a tool keeps before it sends is kept by the send itself, once.
    dry = replace(context, outputs=context.outputs.rehearsing())
    try:
        await capability.function(**injected(dry, capability, tenant), **arguments)
    except Rehearsed as rehearsed:
        return rehearsed.request
    raise GateStop("nothing_to_do", f"{capability.name} would change nothing with these arguments.")


def actor(context: Context, code: str) -> str:
    """Who the tenant is told decided: this server, the profile, and the plan that the audit knows."""
    return f"mcp:{context.profile.name}:{code}"


def body_digest(context: Context, request: Request) -> str:
    """Keyed, since a plain hash of a short secret could be guessed."""
    return context.keyed_digest(request.body) if request.body else ""


@dataclass
class Sending:
    """One changing call on its way: claims once, then records how it ended.

    Args:
        call: Its id in the store.
        plan, step: What a person allowed; None for a call that nobody is asked about.
        look: Awaited last before the request leaves; raises to stop it.
    """

    context: Context
    caller: Caller
    capability: Capability
    arguments: Mapping[str, Any]
    call: str
    plan: Plan | None = None
    step: Step | None = None
    intent: Intent | None = None
    look: Callable[[], Awaitable[None]] | None = None
    turn: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def claim(self, request: Request) -> None:
        """Let exactly the planned request leave, once.

        Raises: GateStop with nothing sent; StoreError when the intent could not be made durable.
        """
        if self.intent is not None:
            raise GateStop(
                "second_send", "The tool tried to send twice in one step; the second was not sent.", sent=True
            )
        digest, planned = body_digest(self.context, request), self.step
        shown = planned and (planned.method, planned.path, planned.body_digest)
        if shown and shown != (request.method, request.path, digest):
            raise GateStop("stale_plan", "The request is no longer the one that was shown; nothing was sent.")
        await self.turn.enter_async_context(self.passing())
        intent = self.intended(request, digest)
        if not await anyio.to_thread.run_sync(self.context.store().claim, intent):
            raise GateStop(
                "plan_used",
                "This plan was used, refused or has expired; nothing was sent.",
                advice="Call the tool again to have a person asked anew.",
            )
        self.intent = intent
        if self.look is not None:
            # Behind the durable claim, which takes its time: the less comes between the look and the send.
            await self.look()

    def intended(self, request: Request, digest: str) -> Intent:
        """What is to leave now, as it is recorded; `digest` is that of its body."""
        return Intent(
            id=token_hex(16),
            tool=self.capability.name,
            principal=self.caller.principal,
            profile=self.context.profile.name,
            origin=self.context.origin,
            client=self.caller.client,
            method=request.method,
            path=request.path,
            body_digest=digest,
            arguments_digest=self.context.keyed_digest(canonical(dict(self.arguments))),
            at=self.context.clock(),
            plan_id=self.plan.id if self.plan else None,
            index=self.step.index if self.step else None,
            call=self.call,
        )

    def passing(self) -> AbstractAsyncContextManager[None]:
        """Whether others may be under way at the same time, until this has its outcome."""
        if self.look is None and self.capability.family not in BESIDE:
            return nullcontext()
        named = policy.workspaces_in(self.arguments, workspace_parameters(self.capability.function))
        return self.context.turns.passing(named, alone=self.look is not None)

    async def run(self) -> Outgone:
        """Send, and record the outcome.

        Raises: what the tool raises, after the outcome is durable.
        """
        code = self.plan.code if self.plan else "direct"
        permit = Permit(
            routes=self.capability.sends,
            claim=self.claim,
            bound=self.context.profile.bound,
            actor=actor(self.context, code),
            redactor=self.context.redactor,
        )
        tenant = Tenant(self.context.wire(), permit)
        given = injected(self.context, self.capability, tenant, self.caller.progress)
        result: Any = None
        # From the claim to the outcome nothing may be cut off: a cancelled call still learns how its send ended.
        with anyio.CancelScope(shield=True):
            state: OutcomeState = "unknown"
            note = ""
            try:
                async with self.turn:
                    result = await self.capability.function(**given, **self.arguments)
                state = "done"
            except MoleculeError as error:
                note = error.kind
                state = "unknown" if error.sent == "unknown" else "failed"
                raise
            finally:
                await self.settle(permit, state, note)
        line = f"{self.intent.method} {self.intent.path}" if self.intent else None
        return Outgone(dumped(result), line)

    async def settle(self, permit: Permit, state: OutcomeState, note: str) -> None:
        """Record how the intent ended; without an intent nothing left."""
        if self.intent is None:
            return
        status = permit.exchanges[-1].status if permit.exchanges else None
        outcome = Outcome(state, status, self.context.clock(), note)
        await anyio.to_thread.run_sync(partial(self.context.store().settle, self.intent.id, outcome))
