"""A dry run: what a changing call would ask and send, from the same preview and the same rehearsal; nothing leaves."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from molecule_mcp.arguments import INJECTED
from molecule_mcp.capability import Capability, Risk
from molecule_mcp.gate.policy import texts
from molecule_mcp.gate.question import question
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.sending import rehearse
from molecule_mcp.tenant import Request
from molecule_mcp.tenant.permit import JSON

CODE = "dry-run"
"""Stands for the code of a plan where a request names one."""

UNSHOWN = "[not shown]"
"""Instead of text that the caller did not give: it may be a secret that a reference led to."""

ASKS = {Risk.CRITICAL: "a phrase typed under this preview"}


async def trial(asking: Asking) -> dict[str, Any]:
    """What the call would do now, as the fields of an answer.

    Raises: what the preview or the tool raises before its first changing request.
    """
    told: dict[str, Any] = {"items": [], "sent": [], "dry_run": True, "risk": asking.risk.label}
    asks = asking.context.profile.asks(asking.risk)
    told["asks"] = ASKS.get(asking.risk, "a yes to this preview") if asks else "nobody"
    if asking.capability.preview is None and not asks:
        request = await rehearse(asking.context, asking.capability, asking.arguments, CODE)
        return {**told, "requests": [line(request)], "body": body(asking.capability, asking.arguments, request)}
    preview = await asking.preview(asking.arguments)
    steps = await asking.rehearsed(preview, CODE)
    told["would"] = list(question(preview, asking.risk, asking.tenant).lines)
    told["requests"] = list(dict.fromkeys(line(request) for _, _, request in steps))
    return told


def line(request: Request) -> str:
    """A request without its body."""
    return f"{request.method} {request.path}"


def body(capability: Capability, arguments: Mapping[str, Any], request: Request) -> Any:
    """A request's body as it may be told: where references are resolved, only text that the caller gave."""
    if request.content_type != JSON:
        return {"content_type": request.content_type, "bytes": len(request.body)}
    content = json.loads(request.body or b"null")
    if "secrets" not in INJECTED & capability.function.__annotations__.keys():
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
