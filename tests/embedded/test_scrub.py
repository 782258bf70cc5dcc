"""Redaction of memory text, with its known gaps."""

import pytest

from molecule_mcp.embedded.scrub import scrubbed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("OPENAI_API_KEY=abc next", "[REDACTED:API_KEY] next"),
        ("MY_TOKEN = abc", "[REDACTED:TOKEN]"),
        ("APP_SECRET=x", "[REDACTED:SECRET]"),
        ("send Bearer abc.def now", "send [REDACTED:BEARER_TOKEN] now"),
        ("sk-0123456789abcdef", "[REDACTED:SK_TOKEN]"),
        ("ctx7_abc", "[REDACTED:CTX7_TOKEN]"),
        ("digest " + "0a" * 32, "digest [REDACTED:BASE64_BLOB]"),
        ("password=hunter2 and sk-short", "password=hunter2 and sk-short"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ],
)
def test_credentials_are_redacted_as_the_contract_says(text: str, kept: str) -> None:
    assert scrubbed(text) == kept
