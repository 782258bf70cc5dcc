"""`Road.call`: from a tool's name and raw arguments to an answer, or to a question for a person."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread

from molecule_mcp import arguments as strict
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import GateStop, MoleculeError, Sent, TenantError
from molecule_mcp.gate import policy
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.context import Context
from molecule_mcp.road.sending import Sending, dumped, injected, reading
from molecule_mcp.road.sending import Sent as Finished
from molecule_mcp.road.traffic import Asked, Caller, Done
from molecule_mcp.road.trial import trial
from molecule_mcp.store.records import Grant, Plan, Step


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
        risk = await self.risk(capability, arguments)
        if risk is Risk.READ:
            return await self.read(capability, arguments, caller)
        asking = Asking(self.context, caller, capability, arguments, risk)
        if options.dry_run:
            return self.done(await trial(asking))
        if not self.context.profile.asks(risk):
            sent = await Sending(self.context, caller, capability, arguments).run()
            return self.finished(capability, [sent], None)
        if answer is not None:
            stored, grant = await asking.decide(answer)
            return await self.granted(asking, stored.plan, grant)
        stored = asking.granted()
        if stored is None:
            plan = await asking.plan()
            if asking.by_form:
                return Asked(plan)
            stored = await asking.wait(plan)
        assert stored.grant is not None
        return await self.granted(asking, stored.plan, stored.grant)

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
        return self.done(dumped(result))

    async def granted(self, asking: Asking, plan: Plan, grant: Grant) -> Done:
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
            sent = await self.run(asking, plan, grant, steps)
        finally:
            await self.spend(plan, "run")
        return self.finished(asking.capability, sent, grant)

    async def spend(self, plan: Plan, reason: str) -> None:
        """End a plan: whatever happened, nothing more of it may be claimed."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.context.store().spend, plan.id, reason, self.context.clock())

    async def run(self, asking: Asking, plan: Plan, grant: Grant, steps: Sequence[Step]) -> list[Finished]:
        """Send the steps in order.

        Raises: the first step's own error when nothing was done before it, else GateStop `partial` with every step.
        """
        sent: list[Finished] = []
        for position, step in enumerate(steps):
            try:
                if position and not await asking.still(step):
                    raise GateStop("stale_plan", "Something below or about this item changed meanwhile.")
                sending = Sending(self.context, asking.caller, asking.capability, step.arguments, plan, step, grant)
                sent.append(await sending.run())
            except MoleculeError as error:
                if len(steps) == 1:
                    raise
                raise partial(steps, position, error) from error
            await asking.caller.progress(position + 1, len(steps), f"{position + 1} of {len(steps)} done")
        return sent

    def finished(self, capability: Capability, sent: Sequence[Finished], grant: Grant | None) -> Done:
        """The answer of a changing call: what was sent, who allowed it, and each item's result."""
        told: dict[str, Any] = {"sent": [each.line for each in sent]}
        if grant:
            told["grant"] = grant.kind
        if capability.risk is Risk.READ:
            return self.done({**sent[0].result, **told})
        return self.done({"items": [each.result for each in sent], **told})

    def told(self, error: BaseException) -> str:
        """An error as redacted JSON text.

        An error that is not ours is a defect: its text may hold anything, so only its kind is told; the log has it.
        """
        if isinstance(error, MoleculeError):
            told = error.told()
        else:
            told = {"error": "internal", "message": f"A defect: {type(error).__name__}.", "sent": "unknown"}
        if self.context.sample:
            told = {"tenant": "sample", **told}
        return json.dumps(self.context.redactor.data(told), separators=(",", ":"), ensure_ascii=False)

    def done(self, structured: dict[str, Any]) -> Done:
        """The redacted answer, marked when it comes from the embedded tenant."""
        if self.context.sample:
            structured = {"tenant": "sample", **structured}
        text = json.dumps(structured, separators=(",", ":"), ensure_ascii=False)
        if self.context.redactor.text(text) != text:
            structured = self.context.redactor.data(structured)
            text = json.dumps(structured, separators=(",", ":"), ensure_ascii=False)
        return Done(structured, text)


def partial(steps: Sequence[Step], position: int, error: MoleculeError) -> GateStop:
    """What became of each step when one of several stopped the run."""
    state = {False: "failed", True: "failed", "unknown": "unknown"}[error.sent]
    states = ["done"] * position + [state if error.kind != "stale_plan" else "not_attempted"]
    states += ["not_attempted"] * (len(steps) - len(states))
    sent: Sent = "unknown" if state == "unknown" else bool(position) or error.sent
    items = [
        {"request": f"{step.method} {step.path}", "state": state} for step, state in zip(steps, states, strict=True)
    ]
    return GateStop(
        "partial" if position else error.kind,
        f"Stopped at item {position + 1} of {len(steps)}: {error.message}",
        sent=sent,
        advice="Read the present state before anything else; call again to have the rest shown and allowed anew.",
        details={"items": items, "cause": error.told()},
    )
