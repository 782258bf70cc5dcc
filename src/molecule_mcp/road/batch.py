"""Several calls as one plan: each judged by the rules of its own tool, shown together, allowed once, run in order."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from molecule_mcp.capability import Capability, Preview, Risk
from molecule_mcp.errors import ArgumentError, GateStop, MoleculeError
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.gate.plan import bound_text
from molecule_mcp.gate.question import combined
from molecule_mcp.road import answers
from molecule_mcp.road.asking import Asking, tenant
from molecule_mcp.road.context import Context
from molecule_mcp.road.deciding import Decision, Shown
from molecule_mcp.road.repeats import Once
from molecule_mcp.road.running import free, run_steps, used_up
from molecule_mcp.road.traffic import Asked, Caller, Done, silent
from molecule_mcp.road.trial import CODE, NOBODY, dry, who, would
from molecule_mcp.secrets import asked_by
from molecule_mcp.store.forms import canonical
from molecule_mcp.store.records import Grant, Plan, Step

LEFT = "Read the present state before anything else; the same calls again go on with what is left."
IN_DOUBT = (
    "Read the present state before anything else. The same calls again stop here again; give those that were not "
    "attempted as a plan of their own, and this one with another client_token only if it shall be sent anew."
)


@dataclass(frozen=True)
class Judged:
    """One call of a plan that passed the rules of its own tool."""

    asking: Asking
    token: str

    @property
    def written(self) -> dict[str, Any]:
        """The call as JSON values; equal ones are the same call."""
        return {"tool": self.asking.capability.name, "arguments": dict(self.asking.arguments), "token": self.token}


@dataclass(frozen=True)
class Batch:
    """One call of a tool that is made of calls of other tools.

    Args:
        judge: Takes one of those calls as far as it goes without running it.
        weigh: The risk of one of those calls as things are now.
        answer: What the client's form said, when this was asked about before.
    """

    context: Context
    caller: Caller
    capability: Capability
    judge: Callable[[Caller, str, Mapping[str, Any]], Awaitable[Judged]]
    weigh: Callable[[Capability, Mapping[str, Any]], Awaitable[Risk]]
    answer: FormAnswer | None
    dry_run: bool

    async def run(self, calls: Sequence[Mapping[str, Any]]) -> Done | Asked:
        """Run what is left of these calls, or have a person asked about it.

        Raises: GateStop `partial` with every call once anything was done; else the error of the first that fails.
        """
        plan = Planned(self, await self.judged(calls))
        if self.dry_run:
            tried = {at: replace(call, asking=dry(call.asking)) for at, call in plan.calls.items()}
            plan = replace(plan, calls=tried)
            asks = who(plan.decision) if plan.asks else NOBODY
            return answers.done(self.context, would(await plan.decision.show(CODE), plan.risk, asks))
        await self.context.opened()
        known = await plan.known()
        plan = plan.without(known)
        if not plan.open:
            return plan.finished(known, None)
        if not plan.asks:
            return await plan.execute(known, None)
        made = await (plan.untyped if plan.decision.hopeless else plan).decision.made(self.answer)
        if isinstance(made, Asked):
            return made
        return await used_up(plan.decision, made[0], partial(plan.execute, known, made))

    async def judged(self, calls: Sequence[Mapping[str, Any]]) -> dict[int, Judged]:
        """Every call by its position.

        Raises: what is wrong with one, naming it; ArgumentError when one stands there twice.
        """
        quiet = replace(self.caller, progress=silent)
        found: dict[int, Judged] = {}
        written: set[str] = set()
        for position, call in enumerate(calls):
            with of_call(position), unmade(calls[:position], call["arguments"]):
                judged = await self.judge(quiet, call["tool"], call["arguments"])
                if (text := canonical(judged.written)) in written:
                    raise ArgumentError("The same call stands before it; nothing was sent.")
            written.add(text)
            found[position] = judged
        return found


@dataclass(frozen=True)
class Planned:
    """The calls of one plan by position; `left_over` are those that are not done yet, None: all."""

    batch: Batch
    calls: Mapping[int, Judged]
    left_over: tuple[int, ...] | None = None

    @property
    def open(self) -> dict[int, Judged]:
        """The calls that this run is about."""
        return {at: call for at, call in self.calls.items() if self.left_over is None or at in self.left_over}

    @property
    def risk(self) -> Risk:
        """The highest of the calls that are left."""
        return max(call.asking.risk for call in self.open.values())

    @property
    def asks(self) -> bool:
        """Whether a person is asked, about all that is left."""
        return any(self.batch.context.profile.asks(call.asking.risk) for call in self.open.values())

    @property
    def decision(self) -> Decision:
        """What is left, for a person to decide."""
        batch = self.batch
        return Decision(batch.context, batch.caller, batch.capability, self.written, self.risk, self.show)

    @property
    def written(self) -> dict[str, Any]:
        """Every call as JSON values: equal ones are the same plan."""
        return {"calls": [call.written for call in self.calls.values()]}

    @cached_property
    def key(self) -> str:
        """Finds what was done of this plan when the same calls are given again."""
        context, batch = self.batch.context, self.batch
        whose = (batch.caller.principal, context.profile.name, context.origin, batch.capability.name)
        return context.keyed_digest(bound_text(*whose, self.written))

    def once(self, call: Judged) -> Once:
        """One of the calls as it is found again."""
        return Once(call.asking, call.token, self.key)

    @property
    def untyped(self) -> "Planned":
        """The same without anybody typing a secret."""
        return replace(self, calls={at: replace(call, asking=call.asking.untyped()) for at, call in self.calls.items()})

    async def show(self, code: str) -> Shown:
        """One question about every call that is left, which names the others."""
        parts: dict[int, tuple[Preview, Risk]] = {}
        steps: list[Step] = []
        for position, call in self.open.items():
            with of_call(position), asked_by(call.asking.purpose):
                preview = await call.asking.preview(call.asking.arguments)
                if preview.choices:
                    raise ArgumentError("It asks a question of its own; nothing was sent.", advice="Call it alone.")
                parts[position] = (preview, call.asking.risk)
                steps += await call.asking.steps(preview, code, position, len(steps))
        before = {at: call.asking.capability.title for at, call in self.calls.items() if at not in parts}
        return combined(parts, self.risk, tenant(self.batch.context), before), tuple(steps)

    async def known(self) -> dict[int, Done]:
        """The outcomes of calls that were made before, as part of this plan or just now by themselves.

        What a person is not shown since it was done counts as long as what they are shown, unless it was undone.

        Raises: GateStop when the outcome of one is in doubt.
        """
        found = await self.found({}, self.calls)
        rest = self.without(found)
        if not rest.open:
            return found
        context = self.batch.context
        stored = context.store().latest(rest.decision.binding, context.clock())
        if stored is None:
            return found
        shown = {step.call for step in stored.plan.steps}
        return await self.found(found, rest.open.keys() - shown, stored.plan.created)

    async def found(self, known: Mapping[int, Done], among: Iterable[int], at: float | None = None) -> dict[int, Done]:
        """These outcomes, and those of calls that count as made before now, or did at a time."""
        found = dict(known)
        for position in sorted(among):
            call = self.calls[position]
            try:
                with of_call(position), asked_by(call.asking.purpose):
                    outcome = await self.once(call).known(at)
            except MoleculeError as error:
                if "deduplicated" not in error.details:
                    raise  # about this call, not about what became of an earlier one
                raise self.stopped(found, position, error) from error
            if outcome is not None:
                found[position] = outcome
        return found

    def without(self, known: Mapping[int, Done]) -> "Planned":
        """The same with these calls done."""
        return replace(self, left_over=tuple(position for position in self.calls if position not in known))

    async def execute(self, known: Mapping[int, Done], made: tuple[Plan, Grant] | None) -> Done:
        """Run what is left, in order."""
        outcomes = dict(known)
        for number, (position, call) in enumerate(self.open.items(), 1):
            try:
                if number > 1:
                    await self.weighed_again(call.asking)
                send = partial(free, call.asking) if made is None else partial(self.send, position, number, *made)
                with asked_by(call.asking.purpose):
                    outcomes[position] = await self.once(call).run(send)
            except MoleculeError as error:
                raise self.stopped(outcomes, position, error) from error
            await self.batch.caller.progress(number, len(self.open), f"{number} of {len(self.open)} calls done")
        return self.finished(outcomes, made[1] if made else None)

    async def weighed_again(self, asking: Asking) -> None:
        """Stop before a call that the calls before it have made riskier: nobody was asked about it as it is now.

        Raises: GateStop `stale_plan`; PolicyRefusal.
        """
        if await self.batch.weigh(asking.capability, asking.arguments) > asking.risk:
            raise GateStop("stale_plan", "The calls before it have made this one riskier than it was.")

    async def send(self, position: int, number: int, plan: Plan, grant: Grant, call_id: str) -> Done:
        """Run one call of a plan that was allowed; after the first, only if it still is as it was shown."""
        asking = self.calls[position].asking
        steps = [step for step in plan.steps if step.call == position]
        if number > 1 and not await asking.as_shown(plan, steps):
            raise GateStop("stale_plan", "What was shown of this call has changed since.")
        return await run_steps(asking, plan, grant, steps, call_id)

    def finished(self, outcomes: Mapping[int, Done], grant: Grant | None) -> Done:
        """The answer once everything is done."""
        items = [self.item(at, outcomes[at], "") for at in self.calls]
        told: dict[str, Any] = {"items": items, "sent": lines(outcomes[at] for at in self.calls)}
        if grant:
            told["grant"] = grant.kind
        return answers.done(self.batch.context, told)

    def item(self, position: int, outcome: Done | None, otherwise: str) -> dict[str, Any]:
        """What became of one call: its results, or another state where there is no outcome."""
        tool = self.calls[position].asking.capability.name
        if outcome is None:
            return {"tool": tool, "state": otherwise}
        results = outcome.structured.get("items", [outcome.structured])
        again = {"deduplicated": True} if "deduplicated" in outcome.structured else {}
        return {"tool": tool, "state": "done", "results": results, **again}

    def stopped(self, outcomes: Mapping[int, Done], at: int, error: MoleculeError) -> GateStop:
        """What became of each call when one of them stopped the run."""
        states = {at: answers.state(error)}
        items = [self.item(each, outcomes.get(each), states.get(each, answers.NOT_ATTEMPTED)) for each in self.calls]
        before = sum(bool(lines([each])) for each in outcomes.values())
        advice = IN_DOUBT if error.sent == "unknown" else LEFT
        return answers.stopped("partial" if outcomes else error.kind, error, f"call {at + 1}", items, before, advice)


@contextmanager
def of_call(position: int) -> Generator[None]:
    """An error inside says which call it is about."""
    try:
        yield
    except MoleculeError as error:
        error.message = f"Call {position + 1}: {error.message}"
        raise


@contextmanager
def unmade(before: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Generator[None]:
    """An argument error inside says so when an id is the name of what a call before it would make."""
    try:
        yield
    except ArgumentError as error:
        made = [call["arguments"].get("name") for call in before if str(call["tool"]).startswith("create_")]
        if any(name.endswith("_id") and value in made for name, value in given.items() if isinstance(value, str)):
            error.advice = UNMADE
            error.details.pop("candidates", None)
        raise


UNMADE = (
    "Make what is called that first, by a call of its own, then give its id here: a plan takes no names of its own."
)


def lines(outcomes: Iterable[Done]) -> list[str]:
    """The requests that this run sent, not those of runs before."""
    return [line for each in outcomes if "deduplicated" not in each.structured for line in each.structured["sent"]]
