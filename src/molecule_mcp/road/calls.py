"""`Road.call`: from a tool's name and raw arguments to an answer, or to a question for a person."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from molecule_mcp import arguments as strict
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import GateStop, MoleculeError, TenantError
from molecule_mcp.gate import policy
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road import answers
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.context import Context
from molecule_mcp.road.repeats import Once
from molecule_mcp.road.sending import Sending, dumped, injected, reading
from molecule_mcp.road.sending import Sent as Finished
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.road.trial import trial
from molecule_mcp.secrets import asked_by
from molecule_mcp.store.records import Grant, Plan, Step

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
        capability = self.found(name)
        options, arguments = strict.taken(capability, given)
        with asked_by(Asking(self.context, caller, capability, arguments, capability.risk).purpose):
            return await self.checked(caller, capability, options, arguments, answer)

    async def checked(
        self,
        caller: Caller,
        capability: Capability,
        options: strict.Options,
        arguments: Mapping[str, Any],
        answer: FormAnswer | None,
    ) -> Done | Asked:
        """The rest of `call`, with arguments that are acceptable."""
        risk = await self.risk(capability, arguments)
        if risk is Risk.READ:
            return await self.read(capability, arguments, caller)
        asking = Asking(self.context, caller, capability, arguments, risk)
        if options.dry_run:
            return answers.done(self.context, await trial(asking))
        once = Once(asking, options.client_token)
        if (known := await once.known()) is not None:
            return known
        if not self.context.profile.asks(risk):
            return await once.run(partial(self.free, asking))
        return await self.gated(asking, once, answer)

    async def free(self, asking: Asking, call: str) -> Done:
        """Run a call that nobody is asked about."""
        sent = await Sending(self.context, asking.caller, asking.capability, asking.arguments, call=call).run()
        self.context.secrets.forget(asking.binding)
        return answers.finished(self.context, asking.capability, [sent], None)

    async def gated(self, asking: Asking, once: Once, answer: FormAnswer | None) -> Done | Asked:
        """Run a call that a person has allowed, or have one asked."""
        if answer is not None:
            stored, grant = await asking.decide(answer)
            return await once.run(partial(self.granted, asking, stored.plan, grant))
        stored = asking.granted()
        if stored is None:
            plan = await asking.plan()
            stored = await asking.ahead(plan)
            if stored is None and asking.by_form:
                return Asked(plan)
            stored = stored or await asking.allowed(plan)
        assert stored.grant is not None
        return await once.run(partial(self.granted, asking, stored.plan, stored.grant))

    async def typed(self, code: str, caller: Caller) -> None:
        """Wait until a person has typed the secret of this code, `allow_wait` at most."""
        with anyio.move_on_after(self.context.allow_wait):
            while not self.context.secrets.filled(code):
                await caller.progress(0, None, f"waiting for a person to type a secret: {code}")
                await anyio.sleep(LOOK)

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

    async def risk(self, capability: Capability, arguments: Mapping[str, Any]) -> Risk:
        """What this call can cost, by its arguments and by live facts; policy decides before and after these are read.

        Raises: PolicyRefusal.
        """
        ability = policy.Ability(capability.name, capability.risk, capability.sends)
        touched = policy.workspaces_in(arguments, strict.workspace_parameters(capability.function))
        risk = capability.raised(arguments)
        policy.check(self.context.profile, ability, risk, touched)
        if not capability.facts:
            return risk
        tenant = reading(self.context, capability, whole=True)
        try:
            facts = await capability.facts(tenant, **arguments)
        except TenantError:
            facts = dict[str, bool]()
        # A fact that could not be read counts as true.
        risk = max([risk, *(by for fact, by in capability.raised_by_fact.items() if facts.get(fact, True))])
        policy.check(self.context.profile, ability, risk, touched)
        return risk

    async def read(self, capability: Capability, arguments: Mapping[str, Any], caller: Caller) -> Done:
        """A call that changes nothing."""
        tenant = reading(self.context, capability)
        given = injected(self.context, capability, tenant, caller.progress)
        result = await capability.function(**given, **arguments)
        return answers.done(self.context, dumped(result))

    async def granted(self, asking: Asking, plan: Plan, grant: Grant, call: str) -> Done:
        """Run a plan that was allowed: unchanged, step by step, stopping at the first surprise."""
        if not await asking.unchanged(plan):
            await self.spend(plan, "stale")
            raise GateStop(
                "stale_plan",
                "What was shown has changed since; nothing was sent.",
                advice="Call the tool again: a person is then shown the present state.",
            )
        steps = [step for step in plan.steps if step.answer == grant.answer]
        try:
            sent = await self.run(asking, plan, grant, steps, call)
        finally:
            await self.spend(plan, "run")
            self.context.secrets.forget(plan.binding)
        return answers.finished(self.context, asking.capability, sent, grant)

    async def spend(self, plan: Plan, reason: str) -> None:
        """End a plan: whatever happened, nothing more of it may be claimed."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.context.store().spend, plan.id, reason, self.context.clock())

    async def run(self, asking: Asking, plan: Plan, grant: Grant, steps: Sequence[Step], call: str) -> list[Finished]:
        """Send the steps in order.

        Raises: the first step's own error when nothing was done before it, else GateStop `partial` with every step.
        """
        sent: list[Finished] = []
        for position, step in enumerate(steps):
            try:
                if position and not await asking.still(step):
                    raise GateStop("stale_plan", "Something below or about this item changed meanwhile.")
                sending = Sending(
                    self.context, asking.caller, asking.capability, step.arguments, plan, step, grant, call
                )
                sent.append(await sending.run())
            except MoleculeError as error:
                if len(steps) == 1:
                    raise
                raise answers.partial(steps, position, error) from error
            await asking.caller.progress(position + 1, len(steps), f"{position + 1} of {len(steps)} done")
        return sent

    def told(self, error: BaseException) -> str:
        """An error as redacted JSON text; of an unexpected one only its kind."""
        return answers.compact(answers.failed(self.context, error))
