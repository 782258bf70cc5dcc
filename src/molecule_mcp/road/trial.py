"""A dry run: what a changing call would ask and send, from the same preview and the same rehearsal; nothing leaves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from molecule_mcp.capability import Capability, Risk
from molecule_mcp.gate.policy import texts
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.deciding import Decision, Shown
from molecule_mcp.road.sending import rehearse
from molecule_mcp.tenant import Request
from molecule_mcp.tenant.permit import JSON

CODE = "dry-run"
"""Stands for the code of a plan where a request names one."""

NOBODY = {"asks": "nobody"}
"""Of a call that nobody is asked about."""

UNSHOWN = "[not shown]"
"""Instead of text that the caller did not give: it may be a secret that a reference led to."""


async def trial(asking: Asking) -> dict[str, Any]:
    """What the call would do now, as the fields of an answer.

    Raises: what the preview or the tool raises before its first changing request.
    """
    asks = asking.context.profile.asks(asking.risk)
    if asking.capability.preview is not None or asks:
        return would(await dry(asking).show(CODE), asking.risk, who(asking.decision()) if asks else NOBODY)
    request = await rehearse(dry(asking).context, asking.capability, asking.arguments, CODE)
    shown = {"requests": [line(request)], "body": body(asking.capability, asking.arguments, request)}
    return {**nothing(asking.risk, NOBODY), **shown}


def who(decision: Decision) -> dict[str, str]:
    """Who is asked about a call that somebody is asked about, and how it could be answered where nobody can."""
    phrase = "a phrase typed under this preview"
    asks = phrase if decision.risk is Risk.CRITICAL else "a yes to this preview"
    if decision.outside_only:
        asks = f"{phrase}, outside of the client"
    elif decision.covered:
        asks = "nobody, if a preauth of the profile is not used up; then a person"
    elif decision.by_repeating:
        asks = "nobody: the same call again"
    if not decision.hopeless:
        return {"asks": asks}
    return {"asks": f"{asks}, which nobody can give: no_approver", "advice": decision.to_be_set_up}


def dry(asking: Asking) -> Asking:
    """The same call without anybody typing a secret, and without what is in the store: digests of what it sends, and
    names of earlier. A store is made at the first call that is not a dry run.
    """
    quiet = replace(asking.context, keyed_digest=undigested, secrets=asking.context.secrets.rehearsing(), recalls=False)
    return replace(asking, context=quiet)


def undigested(_value: str | bytes) -> str:
    """No digest."""
    return ""


def would(shown: Shown, risk: Risk, asks: Mapping[str, str]) -> dict[str, Any]:
    """A question and its steps as the fields of an answer, with who is asked."""
    asked, steps = shown
    requests = dict.fromkeys(f"{step.method} {step.path}" for step in steps)
    return {**nothing(risk, asks), "would": list(asked.lines), "requests": list(requests)}


def nothing(risk: Risk, asks: Mapping[str, str]) -> dict[str, Any]:
    """That nothing was sent, and who would be asked."""
    return {"items": [], "sent": [], "dry_run": True, "risk": risk.label, **asks}


def line(request: Request) -> str:
    """A request without its body."""
    return f"{request.method} {request.path}"


def body(capability: Capability, arguments: Mapping[str, Any], request: Request) -> Any:
    """A request's body as it may be told: where references are resolved, only text that the caller gave."""
    if request.content_type != JSON:
        return {"content_type": request.content_type, "bytes": len(request.body)}
    content = json.loads(request.body or b"null")
    if "secrets" not in capability.function.__annotations__:
        return content
    return told(content, frozenset(texts(arguments)))


def told(value: Any, given: Iterable[str]) -> Any:
    """A JSON value whose texts are the caller's own, or masked."""
    if isinstance(value, str):
        return value if value in given else UNSHOWN
    if isinstance(value, dict):
        return {name: told(part, given) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [told(part, given) for part in cast("list[Any]", value)]
    return value
