"""Tenant answers in our own words: once, here, and never with a credential or an unbounded text."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from molecule_mcp.errors import Sent, TenantRefused

LONGEST = 300
"""Characters of the tenant's own error text that are passed on."""

ADVICE = {
    400: "Correct the arguments.",
    401: "The organization key is wrong, revoked, or not taken by this route; a fault in the tenant's key table reads "
    "the same. `molecule-mcp call list_workspaces` shows which.",
    402: "The workspace's budget is spent; a person raises it.",
    403: "The tenant does not let an organization key do this.",
    404: "It is not there, or no longer. List again to see what is.",
    409: "The present state does not allow it. Read the state, then decide.",
    422: "Correct the arguments.",
    429: "Too many requests for this address; wait a minute, then try again.",
}
SERVER_FAULT = "A fault in the tenant; read the present state before trying again."
NO_ORGANIZATION = "An empty 404: on a hosted tenant MOLECULE_ORG_ID is missing or wrong."


def refusal(status: int, body: bytes, *, changing: bool) -> TenantRefused:
    """The error for an answer that is no success.

    `sent` of a changing request: True for 3xx and 4xx, which the tenant answers without doing it; "unknown" for 5xx,
    which it has been seen to answer after doing it.
    """
    read = parsed(body)
    said = read.get("error") if isinstance(read, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    text = shown(said) if isinstance(said, str) else "no reason given"
    sent: Sent = False
    outcome = ""
    if changing:
        sent = True if status < 500 else "unknown"
        outcome = " It was refused, so nothing changed." if status < 500 else " Whether it happened is unknown."
    if status < 400:
        text = "a redirect, which is not followed"
    advice = ADVICE.get(status, SERVER_FAULT if status >= 500 else None)
    if status == 404 and not body:
        advice = NO_ORGANIZATION
    return TenantRefused(status, f"The tenant answered {status}: {text}.{outcome}", sent=sent, advice=advice, body=read)


def parsed(body: bytes) -> Any:
    """The body as JSON, None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def shown(text: str) -> str:
    """The tenant's text without control, bidi and invisible characters, on one line, cut."""
    kept = "".join(each if unicodedata.category(each)[0] != "C" else " " for each in text[:LONGEST])
    return kept.strip().rstrip(".") or "no reason given"


def unavailable(status: int, body: bytes) -> bool:
    """Whether a 503 is the one the tenant answers before its handler runs."""
    read = parsed(body) if status == 503 else None
    return isinstance(read, dict) and read.get("code") == "platform_unavailable"  # pyright: ignore


def waits(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
    """Seconds after which repeating the very request is safe and may help, or None."""
    if status != 429 and not unavailable(status, body):
        return None
    given = headers.get("retry-after", "")
    return max(0.1, float(given)) if given.isascii() and given.isdecimal() else 1.0
