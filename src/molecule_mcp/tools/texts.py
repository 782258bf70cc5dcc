"""Long texts and JSON values: checked before they are sent, cut for a model, shown whole to a person."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

from molecule_mcp.capability import Own, exactly, lines
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError
from molecule_mcp.tenant import paths


def addressable(template: str, parameter: str) -> Callable[[str], str]:
    """A check that a name can stand in a path, for an annotation; the tenant takes names that it can never show.

    Args:
        template: As the contract writes it, with the parameter in braces.
    """
    form = re.compile(paths.kind(template, parameter).form)

    def check(name: str) -> str:
        if not form.fullmatch(name):
            raise ValueError("is no name that a path can hold")
        return name

    return check


def every_part(value: Any, at: str = "") -> tuple[Own, ...]:
    """The whole of a JSON value for a person's eyes, one line for each of its ends: `workspaces.0.name: "Lead"`.

    A text that is too long for its line goes on in the next ones: `... "piece"`.

    Args:
        at: Where the value stands in what is shown.
    """
    if value and isinstance(value, dict):
        pairs = [(step(name), part) for name, part in cast("dict[str, Any]", value).items()]
    elif value and isinstance(value, list):
        pairs = [(str(place), part) for place, part in enumerate(cast("list[Any]", value))]
    else:
        return placed(at, value) if isinstance(value, str) else (Own(f"{at}: {written(value)}"),)
    return tuple(line for name, part in pairs for line in every_part(part, f"{at}.{name}" if at else name))


def step(name: str) -> str:
    """A name on the way to a part: in quotes unless it is a plain word."""
    return name if re.fullmatch("[A-Za-z][A-Za-z0-9_-]{0,63}", name) else exactly(name)


def placed(at: str, text: str) -> tuple[Own, ...]:
    """The whole of a text in lines, of which the first says where it stands and the others begin with three dots."""
    first, *more = lines(text)
    return (Own(f"{at}: {first}"), *(Own(f"... {piece}") for piece in more))


def written(value: Any) -> str:
    """A JSON value as text, in the letters it has."""
    return json.dumps(value, ensure_ascii=False)


def cut(text: str, limit: int) -> tuple[str, bool | None]:
    """A text of at most that many characters, and True when something was cut off."""
    return (text, None) if len(text) <= limit else (text[:limit], True)


def cut_data(value: Any, limit: int) -> tuple[Any, bool | None]:
    """A JSON value, cleaned; one that is longer as text becomes the beginning of that text, and True."""
    seen = clean_data(value)
    text, short = cut(written(seen), limit)
    return (text, True) if short else (seen, None)


def storable(**given: Any) -> None:
    """Check what is to be stored; the tenant's database holds no NUL character, and answers it with a 500.

    Raises: ArgumentError naming the argument.
    """
    for name, value in given.items():
        if holds_nul(value):
            raise ArgumentError(f"{name} holds a NUL character, which the tenant cannot store")


def holds_nul(value: Any) -> bool:
    """Whether a NUL character stands anywhere in a JSON value."""
    if isinstance(value, dict):
        return any(holds_nul(each) for pair in cast("dict[str, Any]", value).items() for each in pair)
    if isinstance(value, list):
        return any(holds_nul(each) for each in cast("list[Any]", value))
    return isinstance(value, str) and "\x00" in value


def within_bytes(limit: int, **given: str) -> None:
    """Check lengths as the tenant counts them.

    Raises: ArgumentError naming the argument.
    """
    for name, text in given.items():
        if len(text.encode("utf-8", "surrogatepass")) > limit:
            raise ArgumentError(f"{name} is longer than {limit} bytes")


def nothing_given(*fields: str) -> ArgumentError:
    """What a change of nothing is answered: the arguments that would change something."""
    return ArgumentError("nothing to change was given", advice=f"Give at least one of: {', '.join(fields)}.")
