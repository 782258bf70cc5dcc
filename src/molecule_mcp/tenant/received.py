"""What the tenant answers, before anybody else reads it: its secret fields are learned, and where nothing is written
back the text is masked, before a tool cuts, cleans or quotes it, since a part of a value is found by nobody.

Source: `secret_out` in tests/contract/risks.toml, which a test compares.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from molecule_mcp.redaction import Redactor
from molecule_mcp.tenant.translate import Answer

SECRET_OUT: dict[str, frozenset[str]] = {
    "POST /workspaces": frozenset({"auth_token"}),
    "POST /org/tokens": frozenset({"auth_token"}),
    "POST /workspaces/{id}/tokens": frozenset({"auth_token"}),
    "POST /workspaces/{id}/artifacts/fork": frozenset({"fork.remote_url"}),
    "POST /workspaces/{id}/artifacts/token": frozenset({"token", "clone_url"}),
    "GET /workspaces/{id}/channels": frozenset({"webhook_url", "webhook_secret", "verify_token", "bot_token"}),
}
"""Route -> fields of its answer that hold a secret; a field of one object only is written with that object's name."""

MOST = 200
"""Values of one answer that are learned at most; a hostile tenant could give millions."""


def received(route: str, answer: Answer, redactor: Redactor, *, masked: bool) -> Answer:
    """An answer whose secrets are known from now on.

    Args:
        masked: Whether a good answer is masked too; a refusal always is, for it is only told.
    """
    body = learned(route, answer.body, redactor, masked=masked or not 200 <= answer.status < 300)
    return answer if body is answer.body else replace(answer, body=body)


def learned(route: str, body: bytes, redactor: Redactor, *, masked: bool) -> bytes:
    """A body, or one event of a stream, whose secrets are known from now on."""
    for (name, value), _ in zip(secrets_in(route, body), range(MOST), strict=False):
        redactor.learn(value, name)
    return redactor.body(body) if masked else body


def secrets_in(route: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of each secret field, also in an answer that is cut off or of another shape."""
    if route not in SECRET_OUT:
        return
    for found in fields(route).finditer(body.decode("utf-8", "replace")):
        try:
            yield str(found["name"]), str(json.loads(found["value"]))
        except ValueError:
            continue  # no JSON text, so no reader takes a value from it either


@cache
def fields(route: str) -> re.Pattern[str]:
    """Finds the fields of a route, with their text values."""
    names = "|".join(sorted(each.rpartition(".")[2] for each in SECRET_OUT[route]))
    return re.compile(rf'"(?P<name>{names})"\s*:\s*(?P<value>"(?:[^"\\]|\\.)*+")')
