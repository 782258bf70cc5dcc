"""Read JSON bodies as leniently, and as strictly, as the tenant does.

Content-Type is not looked at, text after the first JSON value is ignored, field names match without regard to case,
unknown fields are ignored, and null leaves a field unset. A wrong type anywhere refuses the whole body.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

Kind = Callable[[Any], Any]
"""Checks one JSON value and gives it back; raises BadBody."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
INT64 = 2**63


class BadBody(ValueError):
    """The body is no JSON, or not of the expected types."""


def parse(body: bytes) -> Any:
    """The first JSON value of a body.

    Raises:
        BadBody: There is none.
    """
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        value, _ = json.JSONDecoder(parse_constant=_refuse).raw_decode(text)
    except (ValueError, RecursionError) as wrong:
        raise BadBody("no JSON value") from wrong
    return clean(value) if "\\u" in text else value


def decode(body: bytes, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The known fields of a JSON object; fields that are absent or null are left out.

    Raises:
        BadBody: No object, or a field of the wrong type.
    """
    return struct(kinds)(parse(body))


def struct(kinds: Mapping[str, Kind]) -> Kind:
    """An object with the given fields."""

    def read(value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, given in mapping(value).items():
            key = name if name in kinds else name.lower()
            if key in kinds and given is not None:
                found[key] = kinds[key](given)
        return found

    return read


def clean(value: Any) -> Any:
    """A JSON value with every lone surrogate replaced, since no UTF-8 text can hold one."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in cast(dict[str, Any], value).items()}
    return value


def text(value: Any) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise BadBody("not a string")


def boolean(value: Any) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    raise BadBody("not a boolean")


def integer(value: Any) -> int:
    """An integer of 64 bits; 1.0 is none."""
    if isinstance(value, int) and not isinstance(value, bool) and -INT64 <= value < INT64:
        return value
    raise BadBody("not an integer")


def number(value: Any) -> float:
    """Any finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1.7e308:
        raise BadBody("not a number")
    return float(value)


def mapping(value: Any) -> dict[str, Any]:
    """An object of any content."""
    if isinstance(value, dict):
        return cast(dict[str, Any], value)
    raise BadBody("not an object")


def texts(value: Any) -> dict[str, str]:
    """An object whose values are strings; a null value counts as the empty string."""
    return {key: "" if item is None else text(item) for key, item in mapping(value).items()}


def anything(value: Any) -> Any:
    """Any JSON value but null."""
    return value


def array(kind: Kind) -> Kind:
    """An array of one kind."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise BadBody("not an array")
        return [kind(item) for item in cast(list[Any], value)]

    return read


def _refuse(_constant: str) -> NoReturn:
    raise BadBody("NaN and Infinity are no JSON")
