"""Path grammar: what may stand in each parameter of a path, and whether a final path belongs to its template.

The tenant accepts secrets named `..` and `a/b`, and clients and proxies fold dot segments, so a value formatted into a
path can walk to another route. Here every parameter has a grammar that leaves no room for that; names outside of it
exist on tenants and cannot be touched (docs/limits.md lists them and why).
"""

import re
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from molecule_mcp.errors import ArgumentError

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}"
SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.@+~ \-]{1,255}"

GRAMMAR: dict[str, tuple[str, str]] = {
    "id": (UUID, "a UUID"),
    "approvalId": (UUID, "a UUID"),
    "channelId": (UUID, "a UUID"),
    "delegation_id": (UUID, "a UUID"),
    "memoryId": (UUID, "a UUID"),
    "scheduleId": (UUID, "a UUID"),
    "tokenId": (UUID, "a UUID"),
    "workspaceId": (UUID, "a UUID"),
    "key": ("[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and _, not beginning with a digit, at most 128"),
    "name": (NAME, "letters, digits, _ . and -, not beginning with . or -, at most 128"),
    "type": ("[a-z][a-z0-9_]{0,31}", "lower-case letters, digits and _"),
    "wfid": (NAME, "letters, digits, _ . and -, not beginning with . or -, at most 128"),
    "path": (f"{SEGMENT}(?:/{SEGMENT}){{0,31}}", "a relative path of letters, digits, blanks and _ . @ + ~ -"),
}
"""Parameter name -> the regular expression of its values, and the rule in words."""

OWN_GRAMMAR: dict[tuple[str, str], tuple[str, str]] = {
    ("/workspaces/{id}/memory/{key}", "key"): (
        r"[A-Za-z0-9_][A-Za-z0-9_.:@\-]{0,254}",
        "letters, digits and _ . : @ -, beginning with a letter, digit or _, at most 255",
    ),
}
"""Templates whose parameter has a grammar of its own."""

PARAMETER = re.compile(r"\{(\w+)\}")


def grammar(template: str, name: str) -> tuple[str, str]:
    """The expression and the rule of one parameter."""
    return OWN_GRAMMAR.get((template, name)) or GRAMMAR[name]


@cache
def expression(template: str, name: str) -> re.Pattern[str]:
    """The compiled expression of one parameter."""
    return re.compile(grammar(template, name)[0])


def fill(template: str, parameters: Mapping[str, str]) -> str:
    """The encoded path of a template.

    Args:
        parameters: A value for every parameter of the template; ids in any case.
    Raises: ArgumentError naming the parameter and its rule, never the value.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        given = parameters[name]
        if grammar(template, name)[0] is UUID:
            given = given.lower()
        if not expression(template, name).fullmatch(given):
            raise ArgumentError(
                f"{name} must be {grammar(template, name)[1]}", advice="Correct the argument; nothing was sent."
            )
        return quote(given, safe="/" if name == "path" else "")

    return PARAMETER.sub(value, template)


@cache
def pattern(template: str) -> re.Pattern[bytes]:
    """The expression of a template's final, encoded paths."""
    parts = PARAMETER.split(template)
    text = ""
    for place, part in enumerate(parts):
        if place % 2 == 0:
            text += re.escape(part)
        else:
            # Of all that the grammars allow only a blank is encoded; everything else stands as it is.
            text += f"(?:{grammar(template, part)[0].replace('@+~ ', '@+~%')})"
    return re.compile(text.encode())


def match(template: str, raw_path: bytes) -> bool:
    """Whether a final, encoded path (without query) belongs to a template."""
    return pattern(template).fullmatch(raw_path) is not None and b"%" not in raw_path.replace(b"%20", b"")
