"""Canaries: secret values that nobody else has, every way to write one, and the search for them.

Written anew, not taken from the program's own redaction, so that the two can disagree.
"""

import base64
import html
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, quote_plus

from molecule_mcp.capability import printable

SHORTEST = 6
"""Bytes of the shortest value that is looked for; shorter ones turn up by chance."""

AROUND = 60
"""Bytes on either side of a find that are shown."""


@dataclass(frozen=True)
class Canary:
    """A secret value, and where it came from."""

    place: str
    value: str


@dataclass(frozen=True)
class Find:
    """A canary where none may be."""

    sink: str
    by: str
    place: str
    written: str
    around: str

    def __str__(self) -> str:
        return f"{self.sink} ({self.by}): {self.place}, {self.written}: {self.around}"


def inner(text: str, *, ascii_only: bool = True) -> str:
    """A text inside of a JSON string."""
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def core(data: bytes, shift: int) -> str:
    """The part of a base64 text that holds these bytes alone, after so many bytes of something else."""
    first, last = -(-8 * shift // 6), 8 * (shift + len(data)) // 6
    return base64.b64encode(bytes(shift) + data).decode()[first:last]


ENCODERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": inner,
    "json in json": lambda text: inner(inner(text)),
    "url": lambda text: quote(text, safe=""),
    "url, its slashes kept": quote,
    "form": quote_plus,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic authorization": lambda text: base64.b64encode(b"me:" + text.encode()).decode(),
    "html": html.escape,
    "python": lambda text: repr(text)[1:-1],
}
"""How a tenant, a log or a page may write a value."""

CHANGED: dict[str, Callable[[str], str]] = {
    "json, its letters kept": lambda text: inner(text, ascii_only=False),
    "on one line": lambda text: " ".join(text.split()),
    "in a question": lambda text: printable(text.replace("\\", "\\\\")),
    "defanged": lambda text: text.replace('"', "'").replace("://", ":[//]"),
    **{f"base64 after {shift} bytes": lambda text, shift=shift: core(text.encode(), shift) for shift in range(3)},
}
"""What our own cleaning could make of one."""


@cache
def forms(value: str) -> dict[bytes, str]:
    """Every way to write a value, as bytes, with the way's name."""
    ways = {**ENCODERS, **CHANGED}
    cut = {each.encode(): "a part" for each in parts(value)}
    return {way(value).encode(): name for name, way in reversed(ways.items())} | cut


def parts(value: str) -> list[str]:
    """Pieces that only a cut value leaves; of an address its end alone, and none of one that holds another value."""
    if "://" in value and "@" in value:
        return []
    middle = [] if "://" in value or "-----" in value else [value[8:24]]
    return [
        each for each in [*middle, value.splitlines()[0][-16:], value[-16:]] if len(each) == 16 and "---" not in each
    ]


def found(sink: str, by: str, data: bytes, canaries: Iterable[Canary]) -> Iterator[Find]:
    """Each canary in these bytes, once."""
    for canary in canaries:
        if len(canary.value.encode()) < SHORTEST:
            continue
        for form, name in forms(canary.value).items():
            if (at := data.find(form)) >= 0:
                around = data[max(0, at - AROUND) : at + len(form) + AROUND]
                yield Find(sink, by, canary.place, name, around.decode(errors="replace"))
                break
