"""Run what may be run: a call that nobody is asked about, or a plan that was allowed, step by step."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio
import anyio.to_thread

from molecule_mcp.errors import GateStop, MoleculeError
from molecule_mcp.road import answers
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.context import Context
from molecule_mcp.road.deciding import Decision
from molecule_mcp.road.sending import Outgone, Sending
from molecule_mcp.road.traffic import Done
from molecule_mcp.store.records import Grant, Plan, Step


async def free(asking: Asking, call: str) -> Done:
    """Run a call that nobody is asked about; `call` is its id in the store."""
    # What raises the risk was read before others could change it, as a call on this very connection may.
    look = asking.no_riskier if asking.capability.facts else None
    sent = await Sending(asking.context, asking.caller, asking.capability, asking.arguments, call, look=look).run()
    asking.context.secrets.forget(asking.decision().binding)
    return answers.finished(asking.context, asking.capability, [sent], None)


async def allowed(asking: Asking, plan: Plan, grant: Grant, call: str) -> Done:
    """Run a call that was allowed."""
    steps = [step for step in plan.steps if step.answer == grant.answer]
    return await used_up(asking.decision(), plan, partial(run_steps, asking, plan, grant, steps, call))


async def used_up(decision: Decision, plan: Plan, run: Callable[[], Awaitable[Done]]) -> Done:
    """Run a plan of which everything is as it was shown; whatever happens, nothing more of it may be claimed."""
    if not await decision.unchanged(plan):
        await spend(decision.context, plan, "stale")
        raise GateStop(
            "stale_plan",
            "What was shown has changed since; nothing was sent.",
            advice="Call the tool again: a person is then shown the present state.",
        )
    try:
        return await run()
    finally:
        await spend(decision.context, plan, "run")


async def spend(context: Context, plan: Plan, reason: str) -> None:
    """End a plan."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(context.store().spend, plan.id, reason, context.clock())


async def run_steps(asking: Asking, plan: Plan, grant: Grant, steps: Sequence[Step], call: str) -> Done:
    """Send the steps of one call in order, stopping at the first surprise.

    Raises: the first step's own error when nothing was done before it, else GateStop `partial` with every step.
    """
    try:
        sent = await sent_in_order(asking, plan, steps, call)
    finally:
        asking.context.secrets.forget(asking.decision().binding)
    return answers.finished(asking.context, asking.capability, sent, grant)


async def sent_in_order(asking: Asking, plan: Plan, steps: Sequence[Step], call: str) -> list[Outgone]:
    """The same without the answer."""
    sent: list[Outgone] = []
    for position, step in enumerate(steps):
        try:
            if position and not await asking.still(step):
                raise GateStop("stale_plan", "Something below or about this item changed meanwhile.")
            sending = Sending(asking.context, asking.caller, asking.capability, step.arguments, call, plan, step)
            sent.append(await sending.run())
        except MoleculeError as error:
            if len(steps) == 1:
                raise
            raise answers.partial(steps, sent, error) from error
        await asking.caller.progress(position + 1, len(steps), f"{position + 1} of {len(steps)} done")
    return sent
