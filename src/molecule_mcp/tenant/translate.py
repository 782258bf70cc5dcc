"""Tenant answers in our own words: once, here, and never with a credential or an unbounded text.

Of a refused change three things are known. 4xx: the tenant read it and did not do it. The 503 that it answers before
any handler runs: the same. Everything else, redirects included, leaves open whether it happened.

Where the tenant relays (contract send_message) none of that holds: an agent's own error comes back under its own status
and with its own words, after whatever the agent did. Of its headers none comes back.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from molecule_mcp.errors import Sent, TenantRefused

RELAYED = frozenset({"POST /workspaces/{id}/a2a"})
"""Routes that answer with what an agent answered, errors included."""

LONGEST = 300
"""Characters of the tenant's own error text that are passed on."""

WHOLE = re.compile("[0-9]{1,9}")

ADVICE = {
    400: "Correct the arguments.",
    401: "The organization key is wrong, revoked, or not taken by this route; a fault in the tenant's key table reads "
    "the same. A person runs, with the MOLECULE_* variables of this server: molecule-mcp doctor",
    402: "The workspace's budget is spent; a person raises it.",
    403: "The tenant does not let an organization key do this.",
    404: "It is not there, or no longer. List again to see what is.",
    409: "The present state does not allow it. Read the state, then decide.",
    422: "Correct the arguments.",
    429: "Too many requests for this address; wait a minute, then try again.",
}
SERVER_FAULT = "A fault in the tenant; read the present state before trying again."
UNAVAILABLE = "The tenant's database is not reachable just now; wait a minute, then try again."
NO_ORGANIZATION = "An empty 404: on a hosted tenant MOLECULE_ORG_ID is missing or wrong."
LOOK_FIRST = "list_activity of the workspace shows what was tried and what came back; read it before sending again."
REDIRECTED = "MOLECULE_API_URL may lead to something in front of the tenant, such as a login page."


@dataclass(frozen=True)
class Answer:
    """What the tenant answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def media_type(headers: Mapping[str, str]) -> str:
    """What an answer says it is, without parameters and in lower case; "" when it says nothing."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def refusal(answer: Answer, *, changing: bool, relayed: bool = False) -> TenantRefused:
    """The error for an answer that is no success.

    Args:
        relayed: Whether it may be an agent's.
    `sent` of a changing request: True when it was surely not done, "unknown" when it may have been: a 5xx has been
    seen after the change, and a redirect comes from something in front of the tenant.
    """
    if relayed and not turned_away(answer, relayed=True):
        return relay(answer)
    text = reason(answer)
    if answer.status < 400:
        text = "a redirect, which is not followed" if answer.status >= 300 else "no final answer"
    certain = 400 <= answer.status < 500 or turned_away(answer)
    sent: Sent = False
    outcome = ""
    if changing:
        sent = True if certain else "unknown"
        outcome = " It was refused, so nothing changed." if certain else " Whether it happened is unknown."
    return TenantRefused(
        answer.status,
        f"The tenant answered {answer.status}: {text}.{outcome}",
        sent=sent,
        advice=advice(answer),
        body=parsed(answer.body),
    )


def relay(answer: Answer) -> TenantRefused:
    """The error for an answer that is the tenant's or an agent's: the agent may have worked before it."""
    return TenantRefused(
        answer.status,
        f"The answer was {answer.status}: {reason(answer)}. It may be the agent's own; whether the agent got the "
        "message, and what it did, is not known.",
        sent="unknown",
        advice=LOOK_FIRST,
        body=parsed(answer.body),
    )


def advice(answer: Answer) -> str:
    """One thing to try next."""
    if answer.status == 404 and not answer.body:
        return NO_ORGANIZATION
    if unavailable(answer):
        return UNAVAILABLE
    if answer.status >= 500:
        return SERVER_FAULT
    return ADVICE.get(answer.status, "Read the present state, then decide." if answer.status >= 400 else REDIRECTED)


def reason(answer: Answer) -> str:
    """What the tenant says of its own error."""
    read = parsed(answer.body)
    said = cast(dict[str, Any], read).get("error") if isinstance(read, dict) else None
    return shown(said) if isinstance(said, str) else "no reason given"


def parsed(body: bytes) -> Any:
    """The body as JSON, None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def shown(text: str) -> str:
    """The tenant's text without control, bidi and invisible characters, on one line, cut."""
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text[:LONGEST])
    return " ".join(kept.split()).rstrip(".") or "no reason given"


def whole(text: str | None) -> int | None:
    """A header's whole number, None when it is anything else."""
    return int(text) if text is not None and WHOLE.fullmatch(text) else None


def unavailable(answer: Answer) -> bool:
    """Whether a 503 is the one that the tenant answers before its handler runs."""
    read = parsed(answer.body) if answer.status == 503 else None
    return isinstance(read, dict) and cast(dict[str, Any], read).get("code") == "platform_unavailable"


def turned_away(answer: Answer, *, relayed: bool = False) -> bool:
    """Whether the tenant answered this before any handler ran.

    Args:
        relayed: Whether it may be an agent's. Then only the rate limit's own answer is told apart: by its Retry-After,
            for an agent's headers do not come back.
    """
    if not relayed:
        return answer.status == 429 or unavailable(answer)
    read = parsed(answer.body) if answer.status == 429 else None
    told = cast(dict[str, Any], read).get("retry_after") if isinstance(read, dict) else None
    return isinstance(told, int) and whole(answer.headers.get("retry-after")) is not None


def waits(answer: Answer, *, relayed: bool = False) -> float | None:
    """Seconds after which repeating the very request is safe and may help, or None; `relayed` as `turned_away`."""
    if not turned_away(answer, relayed=relayed):
        return None
    given = whole(answer.headers.get("retry-after"))
    return 1.0 if given is None else float(given)
