"""Answers: redacted, marked when they come from the embedded tenant, honest about what was sent."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import GateStop, MoleculeError, Sent
from molecule_mcp.road.context import Context
from molecule_mcp.road.sending import Outgone
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store.records import Grant, Step

NOT_ATTEMPTED = "not_attempted"

NOTHING = re.compile("[Nn]othing was sent(?: by this call)?")
"""How an error of one call says it."""


class Unsent(Exception):
    """A defect, its cause, in a call whose permit has no claim: whatever broke, nothing was sent."""


def done(context: Context, structured: dict[str, Any]) -> Done:
    """The redacted answer, marked when it comes from the embedded tenant."""
    if context.sample:
        structured = {"tenant": "sample", **structured}
    text = compact(structured)
    if context.redactor.text(text) != text:
        structured = context.redactor.data(structured)
        text = compact(structured)
    return Done(structured, text)


def masked(context: Context, caller: Caller) -> Caller:
    """The same caller, who is told of progress without any known value."""

    async def progress(done: float, total: float | None, line: str) -> None:
        await caller.progress(done, total, context.redactor.text(line))

    return replace(caller, progress=progress)


def compact(structured: Mapping[str, Any]) -> str:
    """JSON as a model reads it."""
    return json.dumps(structured, separators=(",", ":"), ensure_ascii=False)


def finished(context: Context, capability: Capability, sent: Sequence[Outgone], grant: Grant | None) -> Done:
    """The answer of a changing call: what was sent, who allowed it, and each item's result."""
    told: dict[str, Any] = {"sent": [each.line for each in sent if each.line is not None]}
    if grant:
        told["grant"] = grant.kind
    if capability.risk is Risk.READ:
        return done(context, {**sent[0].result, **told})
    return done(context, {"items": [each.result for each in sent], **told})


def failed(context: Context, error: BaseException) -> dict[str, Any]:
    """An error as it is told; of an unexpected one only its kind, since its text may hold anything; the log has it."""
    if isinstance(error, MoleculeError):
        told = runnable(context, error.told())
    else:
        defect = error.__cause__ if isinstance(error, Unsent) else error
        sent = False if isinstance(error, Unsent) else "unknown"
        told = {"error": "internal", "message": f"A defect: {type(defect).__name__}.", "sent": sent}
    if context.sample:
        told = {"tenant": "sample", **told}
    return context.redactor.data(told)


def runnable(context: Context, told: Mapping[str, Any]) -> dict[str, Any]:
    """An error, and the one that was its cause, with commands in their advice that a person can run here."""
    changed = dict(told)
    if "advice" in told:
        changed["advice"] = context.runnable(told["advice"])
    if "cause" in told:
        changed["cause"] = runnable(context, told["cause"])
    return changed


def partial(steps: Sequence[Step], done: Sequence[Outgone], error: MoleculeError) -> GateStop:
    """What became of each step when the one after those that are done stopped the run."""
    states = dict.fromkeys(range(len(done)), "done") | {len(done): state(error)}
    items = [
        {"request": f"{step.method} {step.path}", "state": states.get(at, NOT_ATTEMPTED)}
        for at, step in enumerate(steps)
    ]
    advice = "Read the present state before anything else; call again to have the rest shown and allowed anew."
    before = sum(each.line is not None for each in done)
    return stopped("partial" if done else error.kind, error, f"item {len(done) + 1}", items, before, advice)


def state(error: MoleculeError) -> str:
    """What became of what an error stopped."""
    if error.kind == "stale_plan":
        return NOT_ATTEMPTED
    return "unknown" if error.sent == "unknown" else "failed"


def stopped(
    kind: str, error: MoleculeError, at: str, items: Sequence[Mapping[str, Any]], before: int, advice: str
) -> GateStop:
    """The answer when one of several stopped the run.

    Args:
        at: Which one of them.
        items: What became of each.
        before: How many of them sent something before it, in this run.
    """
    one = f"{at} sent nothing"
    cause = {name: of_one(value, one) for name, value in error.told().items()}
    message = cause["message"]
    if error.sent is False and one not in message.lower():
        message = f"{message.removesuffix('.')}; {one}."
    earlier = f", {before} sent before it" if before else ""
    sent: Sent = True if before and error.sent is False else error.sent
    return GateStop(
        kind,
        f"Stopped at {at} of {len(items)}{earlier}: {message}",
        sent=sent,
        advice=advice,
        details={"items": list(items), "cause": cause},
    )


def of_one(told: Any, one: str) -> Any:
    """A text that says it of one of several: it would be read as said of all. Other values as they are."""
    if not isinstance(told, str):
        return told
    return NOTHING.sub(lambda found: one.capitalize() if found[0].startswith("N") else one, told)
