"""Redact what looks like a credential in memory text, with the tenant's rules and their gaps.

The last rule also eats digests, long words and URL paths; `password=...` and AWS key ids stay.
"""

import re

RULES = (
    (re.compile(r"\b[A-Z][A-Z0-9_]*_API_KEY\s*=\s*\S+"), "API_KEY"),
    (re.compile(r"\b[A-Z][A-Z0-9_]*_TOKEN\s*=\s*\S+"), "TOKEN"),
    (re.compile(r"\b[A-Z][A-Z0-9_]*_SECRET\s*=\s*\S+"), "SECRET"),
    (re.compile(r"\bBearer\s+\S+"), "BEARER_TOKEN"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"), "SK_TOKEN"),
    (re.compile(r"\bctx7_\S+"), "CTX7_TOKEN"),
    (re.compile(r"[A-Za-z0-9+/]{33,}"), "BASE64_BLOB"),
)


def scrubbed(text: str) -> str:
    """The text with every match replaced by `[REDACTED:KIND]`."""
    for pattern, kind in RULES:
        text = pattern.sub(f"[REDACTED:{kind}]", text)
    return text
