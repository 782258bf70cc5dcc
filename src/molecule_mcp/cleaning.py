"""Text of agents and outsiders without what steers a terminal or shows nothing."""

import re
import unicodedata
from typing import Any

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that steer a terminal or hide text: controls, format characters (bidi, zero-width, tags)."""

UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing (fillers, variation selectors), which can carry text past a person's eyes."""


def clean(text: str) -> str:
    """Text of agents and outsiders without control, bidi and invisible characters; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    seen = UNSEEN.sub("", text)
    return "".join(each for each in seen if each in "\n\t" or unicodedata.category(each) not in HIDDEN)


def clean_data(value: Any) -> Any:
    """`clean` over everything in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_data(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {clean(str(name)): clean_data(each) for name, each in value.items()}  # pyright: ignore
    return value
