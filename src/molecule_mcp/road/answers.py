"""Answers: redacted, marked when they come from the embedded tenant, honest about what was sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import GateStop, MoleculeError, Sent
from molecule_mcp.road.context import Context
from molecule_mcp.road.sending import Sent as Finished
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store.records import Grant, Step


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


def finished(context: Context, capability: Capability, sent: Sequence[Finished], grant: Grant | None) -> Done:
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
        told = error.told()
    else:
        told = {"error": "internal", "message": f"A defect: {type(error).__name__}.", "sent": "unknown"}
    if context.sample:
        told = {"tenant": "sample", **told}
    return context.redactor.data(told)


def partial(steps: Sequence[Step], position: int, error: MoleculeError) -> GateStop:
    """What became of each step when one of several stopped the run."""
    stopped = "not_attempted" if error.kind == "stale_plan" else "unknown" if error.sent == "unknown" else "failed"
    items = [
        {
            "request": f"{step.method} {step.path}",
            "state": "done" if at < position else stopped if at == position else "not_attempted",
        }
        for at, step in enumerate(steps)
    ]
    sent: Sent = True if position and error.sent is False else error.sent
    return GateStop(
        "partial" if position else error.kind,
        f"Stopped at item {position + 1} of {len(steps)}: {error.message}",
        sent=sent,
        advice="Read the present state before anything else; call again to have the rest shown and allowed anew.",
        details={"items": items, "cause": error.told()},
    )
