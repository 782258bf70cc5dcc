"""`Road.call`: from a tool's name and raw arguments to an answer, or to a question for a person."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio.to_thread

from molecule_mcp import arguments as strict
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import ArgumentError, MoleculeError
from molecule_mcp.gate import policy
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road import answers, settling
from molecule_mcp.road.asking import Asking, weighed
from molecule_mcp.road.batch import Batch, Judged
from molecule_mcp.road.context import Context, ability
from molecule_mcp.road.deciding import declined
from molecule_mcp.road.naming import resolved
from molecule_mcp.road.repeats import Once
from molecule_mcp.road.running import allowed, free
from molecule_mcp.road.sending import dumped, injected, reading
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.road.trial import trial
from molecule_mcp.secrets import asked_by

LOOK = 1.0
"""Seconds between looks whether a secret was typed."""


class Road:
    """The one way every call takes."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def call(
        self, caller: Caller, name: str, given: Mapping[str, Any], answer: FormAnswer | None = None
    ) -> Done | Asked:
        """Run one call.

        Args:
            given: The raw arguments.
            answer: What the client's form said, when this call was asked about before.
        Returns: `Done`, or `Asked` when the client can show a form and a person has to decide.
        Raises: MoleculeError; its `told()` is the answer, with honest `sent`.
        """
        caller = answers.masked(self.context, caller)
        capability = self.found(name)
        options, arguments = await self.taken(capability, given)
        if capability.combines:
            policy.check(self.context.profile, ability(capability), Risk.READ, [])
            weigh = partial(weighed, self.context)
            batch = Batch(self.context, caller, capability, self.judged, weigh, answer, options.dry_run)
            return await capability.function(run=batch.run, **arguments)
        with asked_by(Asking(self.context, caller, capability, arguments, capability.risk).purpose):
            return await self.checked(caller, capability, options, arguments, answer)

    async def taken(self, capability: Capability, given: Mapping[str, Any]) -> tuple[strict.Options, dict[str, Any]]:
        """A call's options and arguments.

        Raises: ArgumentError, with candidates where a name stands for an id; a read takes a workspace's very name.
        """
        if capability.highest is Risk.READ:
            given = strict.renamed(capability.function, given)
        try:
            return strict.taken(capability, given)
        except ArgumentError as error:
            if policy.refusal(self.context.profile, ability(capability)) is not None:
                raise
            ids = await resolved(self.context, capability, given, error)
        return strict.taken(capability, {**given, **ids})

    async def checked(
        self,
        caller: Caller,
        capability: Capability,
        options: strict.Options,
        arguments: Mapping[str, Any],
        answer: FormAnswer | None,
    ) -> Done | Asked:
        """The rest of `call` for a single tool, with arguments that are acceptable."""
        risk = await weighed(self.context, capability, arguments)
        if risk is Risk.READ:
            return await self.read(capability, arguments, caller)
        asking = Asking(self.context, caller, capability, arguments, risk)
        if options.dry_run:
            return answers.done(self.context, await trial(asking))
        await self.context.opened()
        once = Once(asking, options.client_token)
        if (known := await once.known()) is not None:
            return known
        if not self.context.profile.asks(risk):
            return await once.run(partial(free, asking))
        decision = asking.decision()
        made = await (asking.untyped().decision() if decision.hopeless else decision).made(answer)
        return made if isinstance(made, Asked) else await once.run(partial(allowed, asking, *made))

    async def judged(self, caller: Caller, name: str, given: Mapping[str, Any]) -> Judged:
        """One call of a plan by every rule that holds for it alone, but not run.

        Raises: as `call`; ArgumentError for what is no part of a plan.
        """
        if caller.offered is not None and name not in caller.offered:
            raise self.context.missing(name)
        capability = self.found(name)
        options, arguments = await self.taken(capability, given)
        if capability.combines or options.dry_run:
            raise ArgumentError("A plan takes calls of single tools, each without dry_run; nothing was sent.")
        risk = await weighed(self.context, capability, arguments)
        if risk is Risk.READ:
            raise ArgumentError(
                "A plan takes changing calls only; nothing was sent.", advice="Call reads by themselves."
            )
        return Judged(Asking(self.context, caller, capability, arguments, risk), options.client_token)

    async def typed(self, code: str, caller: Caller) -> None:
        """Wait until a person has typed the secret of this code, `allow_wait` at most.

        Raises: GateStop `declined`; StoreError.
        """
        left = int(self.context.allow_wait / LOOK)
        while True:
            state = await anyio.to_thread.run_sync(self.context.secrets.state, code)
            if state == "declined":
                raise declined("declined")
            if state != "open" or not left:
                return
            left -= 1
            await caller.progress(0, None, f"waiting for a person to type a secret: {code}")
            await self.context.wait(LOOK)

    async def untyped(self, code: str, action: str) -> None:
        """The client did not open the page for this code; a no counts, a form that was only closed does not.

        Raises: GateStop `declined`; StoreError.
        """
        no = action == "decline"
        await anyio.to_thread.run_sync(partial(self.context.secrets.unanswered, code, declined=no))
        raise declined("declined" if no else "cancelled")

    async def settle(self) -> None:
        """Settle by reads what earlier processes left unknown.

        Raises: StoreError.
        """
        await settling.settle(self.context)

    def found(self, name: str) -> Capability:
        """The tool of that name, if this profile can use it.

        Raises: PolicyRefusal once the profile has expired; ArgumentError with names like it, or how to have it offered.
        """
        if (refusal := policy.expired(self.context.profile, self.context.clock())) is not None:
            raise refusal
        capability = self.context.find(name)
        if capability is None:
            raise self.context.missing(name)
        return capability

    async def read(self, capability: Capability, arguments: Mapping[str, Any], caller: Caller) -> Done:
        """A call that changes nothing.

        Raises: Unsent for a defect.
        """
        tenant = reading(self.context, capability)
        given = injected(self.context, capability, tenant, caller.progress)
        try:
            result = await capability.function(**given, **arguments)
            return answers.done(self.context, dumped(result))
        except MoleculeError:
            raise
        except Exception as defect:
            raise answers.Unsent from defect

    def told(self, error: BaseException) -> str:
        """An error as redacted JSON text; of an unexpected one only its kind."""
        return answers.compact(answers.failed(self.context, error))
