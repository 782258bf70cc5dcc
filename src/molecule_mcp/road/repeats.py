"""A changing call that comes again: it is answered with what became of the first, and nothing more is sent.

Hosts issue a call anew after a broken connection, and models repeat what they got no answer to; the tenant would do it
twice. The same call is the same principal, profile, origin, tool, arguments, and values behind secret references.

A tool that repeating harms nothing (idempotent) is made again once something else was: pause, resume, pause.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

import anyio
import anyio.to_thread

from molecule_mcp.errors import ArgumentError, GateStop, MoleculeError, StoreError
from molecule_mcp.gate.plan import LIFETIME, bound_text
from molecule_mcp.gate.policy import texts
from molecule_mcp.road.answers import done, failed
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.deciding import POLL
from molecule_mcp.road.traffic import Done
from molecule_mcp.secrets.references import PATTERN
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import KEPT, Call, CallState, RecordedCall

RECENT = 120.0
"""Seconds in which a repeated call gets the outcome of the first."""

PATIENCE = 60.0
"""Seconds a repeated call waits for the first, while that is under way."""


@dataclass(frozen=True)
class Once:
    """One changing call, made at most once.

    Args:
        token: The caller's own name for this call, "" without one; another token makes the same call another one.
        plan: Keyed digest of the calls of a plan that this is one of, which go on where they stopped as long as a plan
            is good; "" for a call by itself.
    """

    asking: Asking
    token: str
    plan: str = ""

    async def call(self, counted_at: float | None = None) -> Call:
        """The call as the store finds it again.

        Args:
            counted_at: What was done as long before this time as counts, does; None: before now.
        """
        asking = self.asking
        context, tool = asking.context, asking.capability
        now = context.clock()
        since = now if counted_at is None else counted_at
        scope = (asking.caller.principal, context.profile.name, context.origin)
        whose = (*scope, tool.name)
        return Call(
            id=token_hex(16),
            scope=canonical((*scope, self.plan) if self.plan else scope),
            tool=tool.name,
            binding=context.keyed_digest(bound_text(*whose, {"call": asking.arguments, "values": await self.values()})),
            token=context.keyed_digest(bound_text(*whose, {"token": self.token})) if self.token else "",
            at=now,
            plan=self.plan,
            recent=since - RECENT,
            planned=since - LIFETIME,
            latest=tool.idempotent,
            doubtful=now - (RECENT if tool.idempotent else KEPT),
        )

    async def values(self) -> list[str]:
        """Keyed digests of what the references among the arguments lead to: a changed value is another call."""
        if "secrets" not in self.asking.capability.function.__annotations__:
            return []
        references = [text for text in texts(self.asking.arguments) if re.fullmatch(PATTERN, text)]
        # A keyring may ask the person to unlock it first.
        return [await anyio.to_thread.run_sync(self.value, each) for each in references]

    def value(self, reference: str) -> str:
        """Keyed digest of a secret; "" when the reference leads nowhere, for the tool to complain about."""
        try:
            return self.asking.context.keyed_digest(self.asking.context.secrets.resolve(reference))
        except ArgumentError:
            return ""

    async def known(self, counted_at: float | None = None) -> Done | None:
        """The outcome of this call, if it was made before; waits for one that is under way.

        Args:
            counted_at: See `call`.
        Raises: what it ended with; GateStop `in_flight` when it does not end; ArgumentError for a token of another.
        """
        call = await self.call(counted_at)
        earlier = self.asking.context.store().earlier(call)
        return None if earlier is None else await self.outcome(call, earlier)

    async def run(self, send: Callable[[str], Awaitable[Done]]) -> Done:
        """Make the call, unless it is found made before; its outcome is durable before it is told.

        Args:
            send: Makes it, given the id of the call.
        """
        store, call = self.asking.context.store(), await self.call()
        while (earlier := await anyio.to_thread.run_sync(store.begin, call)) is not None:
            outcome = await self.outcome(call, earlier)
            if outcome is not None:
                return outcome
        try:
            answer = await send(call.id)
        except MoleculeError as error:
            await self.ended(call, "unknown" if error.sent == "unknown" else "failed", error)
            raise
        except BaseException as error:
            await self.ended(call, "unknown", error)
            raise
        await self.ended(call, "done", answer)
        return answer

    async def ended(self, call: Call, state: CallState, with_what: Done | BaseException) -> None:
        """Record how a call ended; one that sent nothing is forgotten, so that it can be made.

        Raises: StoreError that tells the answer, since that is known all the same.
        """
        context = self.asking.context
        store = context.store()
        told = {"done": with_what.structured} if isinstance(with_what, Done) else {"failed": failed(context, with_what)}
        nothing = isinstance(with_what, MoleculeError) and with_what.sent is False
        with anyio.CancelScope(shield=True):
            try:
                if nothing:
                    await anyio.to_thread.run_sync(store.forget, call.id)
                else:
                    await anyio.to_thread.run_sync(partial(store.finish, call.id, state, context.clock(), told))
            except StoreError as fault:
                raise StoreError(
                    f"How this call ended could not be recorded: {fault.message}",
                    sent=False if nothing else "unknown" if state == "unknown" else True,
                    advice="Do not repeat it; what it did is told here.",
                    details={"outcome": told},
                ) from fault

    async def outcome(self, call: Call, earlier: RecordedCall) -> Done | None:
        """What a repeated call is answered; None when the first turned out to have sent nothing.

        Raises: see `known`.
        """
        if earlier.binding != call.binding:
            raise ArgumentError(
                "This client_token was used within 24 hours for a call with other arguments; nothing was sent.",
                advice="Give another client_token.",
            )
        found = await self.waited(earlier)
        if found is None:
            return None
        if found.state == "running":
            raise self.doubt(
                {"error": "in_flight", "message": "The same call is still under way."},
                "Repeat exactly this call to get its outcome.",
            )
        answer = found.answer or {}
        if "done" in answer:
            return done(self.asking.context, {**answer["done"], "deduplicated": True})
        raise self.doubt(lost(answer), self.way_out(found))

    async def waited(self, earlier: RecordedCall) -> RecordedCall | None:
        """The first call once it has ended, or as it is when that takes too long."""
        context = self.asking.context
        store, found = context.store(), earlier
        if found.state == "running":
            # The process that made it may be gone.
            await anyio.to_thread.run_sync(store.recover, context.clock())
        # Looks are counted, since the clock of the machine may be set.
        for _ in range(int(PATIENCE / POLL)):
            found = store.recorded(earlier.id)
            if found is None or found.state != "running":
                return found
            await context.wait(POLL)
        return store.recorded(earlier.id)

    def way_out(self, found: RecordedCall) -> str:
        """What to do about an outcome that is no answer."""
        if self.token or not self.asking.capability.idempotent:
            return "Read the present state before anything else; only another client_token sends this call anew."
        assert found.ended is not None  # nothing that still runs is asked about here
        left = found.ended + RECENT - self.asking.context.clock()
        return f"Read the present state before anything else; the same call can be made again in {int(left) + 1} s."

    def doubt(self, told: dict[str, Any], advice: str) -> GateStop:
        """The recorded end of the first call as this call's own."""
        own = {"error", "message", "sent", "advice", "tenant"}
        rest = {name: value for name, value in told.items() if name not in own}
        return GateStop(
            told["error"],
            told["message"],
            sent=told.get("sent", "unknown"),
            advice=advice,
            details={**rest, "deduplicated": True},
        )


def lost(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a call that is no answer: as it was told first, or what reading the tenant has settled since."""
    cut = {"error": "unknown_outcome", "message": "The same call was cut off before its outcome was recorded."}
    told: dict[str, Any] = answer.get("failed") or cut
    settled = answer.get("settled")
    if settled is None:
        return told
    if settled["verdict"] == "happened":
        message = "The same call was cut off; reading the tenant since shows that what it asked for is so."
        return {"error": "already_done", "message": message, "sent": True, "settled": settled}
    return {**told, "settled": settled}
