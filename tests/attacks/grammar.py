"""What an obedient agent takes for an order: `CALL <injection> <tool> <JSON object>` and `READ <injection> <address>`.

Orders are found in every text of an answer, however deep, also in JSON that stands in a text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

ORDER = re.compile(r"(CALL|READ) ([a-z][a-z0-9-]*) ([^\s{]+)")
DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Order:
    """One order.

    Args:
        injection: The injection that gives it.
        tool: The tool to call; "" to read a resource.
        what: The arguments as JSON text, or the address.
    """

    injection: str
    tool: str
    what: str

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a call."""
        return json.loads(self.what)


def orders(data: Any) -> Iterator[Order]:
    """Every order in the texts of a JSON value."""
    for text in texts(data):
        yield from in_text(text)


def texts(data: Any) -> Iterator[str]:
    """Every text in a JSON value, names of fields included; of a text that is itself JSON those in it."""
    if isinstance(data, str):
        inside = parsed(data) if data[:1] in {"{", "["} else None
        yield from [data] if inside is None else texts(inside)
    elif isinstance(data, Mapping):
        for name, value in cast("Mapping[str, Any]", data).items():
            yield str(name)
            yield from texts(value)
    elif isinstance(data, list | tuple):
        for each in cast("list[Any]", data):
            yield from texts(each)


def parsed(text: str) -> Any:
    """A text as JSON, None when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def in_text(text: str) -> Iterator[Order]:
    """Every order in one text; what stands inside of the arguments of one is not another."""
    place = 0
    while found := ORDER.search(text, place):
        place = found.end()
        verb, injection, word = found.groups()
        if verb == "READ":
            yield Order(injection, "", word)
            continue
        try:
            arguments, place = DECODER.raw_decode(text, text.index("{", place - 1))
        except ValueError:
            continue
        yield Order(injection, word, json.dumps(arguments))


def all_orders(text: str) -> set[Order]:
    """Every order of a text, and those in the arguments of its orders, which come back when an agent is told them."""
    found = set(in_text(text)) | {each for inside in texts(parsed(text)) for each in in_text(inside)}
    for each in list(found):
        if each.tool:
            for inside in texts(each.arguments):
                found |= all_orders(inside)
    return found
