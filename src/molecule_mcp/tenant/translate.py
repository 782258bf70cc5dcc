"""Tenant answers in our own words: once, here, and never with a credential or an unbounded text.

Of a refused change three things are known. 4xx: the tenant read it and did not do it. The 503 that it answers before
any handler runs: the same. Everything else, redirects included, leaves open whether it happened.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from molecule_mcp.errors import Sent, TenantRefused

LONGEST = 300
"""Characters of the tenant's own error text that are passed on."""

WHOLE = re.compile("[0-9]{1,9}")

ADVICE = {
    400: "Correct the arguments.",
    401: "The organization key is wrong, revoked, or not taken by this route; a fault in the tenant's key table reads "
    "the same. A person runs: molecule-mcp doctor",
    402: "The workspace's budget is spent; a person raises it.",
    403: "The tenant does not let an organization key do this.",
    404: "It is not there, or no longer. List again to see what is.",
    409: "The present state does not allow it. Read the state, then decide.",
    422: "Correct the arguments.",
    429: "Too many requests for this address; wait a minute, then try again.",
}
SERVER_FAULT = "A fault in the tenant; read the present state before trying again."
NO_ADDRESS = "The workspace has no address, as when it does not run; diagnose_workspace says why."
UNAVAILABLE = "The tenant's database is not reachable just now; wait a minute, then try again."
NO_ORGANIZATION = "An empty 404: on a hosted tenant MOLECULE_ORG_ID is missing or wrong."
REDIRECTED = "MOLECULE_API_URL may lead to something in front of the tenant, such as a login page."


@dataclass(frozen=True)
class Answer:
    """What the tenant answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def refusal(answer: Answer, *, changing: bool) -> TenantRefused:
    """The error for an answer that is no success.

    `sent` of a changing request: True when it was surely not done, "unknown" when it may have been: a 5xx has been
    seen after the change, and a redirect comes from something in front of the tenant.
    """
    text = reason(answer)
    if answer.status < 400:
        text = "a redirect, which is not followed" if answer.status >= 300 else "no final answer"
    certain = 400 <= answer.status < 500 or unavailable(answer)
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


def advice(answer: Answer) -> str:
    """One thing to try next."""
    if answer.status == 404 and not answer.body:
        return NO_ORGANIZATION
    if unavailable(answer):
        return UNAVAILABLE
    if answer.status == 503 and reason(answer) == "workspace has no URL":
        return NO_ADDRESS
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


def waits(answer: Answer) -> float | None:
    """Seconds after which repeating the very request is safe and may help, or None."""
    if answer.status != 429 and not unavailable(answer):
        return None
    given = whole(answer.headers.get("retry-after"))
    return 1.0 if given is None else float(given)
