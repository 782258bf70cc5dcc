"""What may stand in a setting, whoever says it: a variable, a flag, or a line of a policy file.

Error texts name the place and the rule, never the value.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

from molecule_mcp.errors import ConfigurationError

Choice = TypeVar("Choice", bound=str)

_UNEXPANDED = re.compile(r"\$\{|^\$[A-Za-z_]\w*$|^%\w+%$|\{\{")
PLACEHOLDER = re.compile(
    r"^<.*>$|^\[.*\]$|^(.)\1{2,}$|\.\.\.|\u2026|change[-_ ]?me|placeholder"
    r"|^(your|insert|paste|replace)[-_ ]|^(todo|token|secret|none|null|undefined)$",
    re.IGNORECASE,
)


def unexpanded(value: str) -> bool:
    """Whether a host passed on `${NAME}`, `$NAME`, `%NAME%` or `{{...}}` instead of a value."""
    return bool(_UNEXPANDED.search(value))


def given(environ: Mapping[str, str], name: str) -> str | None:
    """A variable's text, None when it is not set. Raises: ConfigurationError, as `worded`."""
    value = environ.get(name)
    return None if value is None else worded(name, value)


def worded(name: str, value: str) -> str:
    """The value, when it is one: not empty, not left unexpanded, of printable characters."""
    if not value.strip():
        raise ConfigurationError(f"{name} is empty.", advice=f"Give {name} a value, or remove it altogether.")
    if unexpanded(value):
        raise ConfigurationError(
            f"{name} holds the name of a variable instead of its value: the host did not expand it.",
            advice=f"Set that variable where the host is started, or write the value of {name} itself.",
        )
    if not value.isprintable() or value != value.strip():
        raise ConfigurationError(
            f"{name} holds control characters, or white space at an end.",
            advice=f"Set {name} again, without a line break, quotation marks or spaces around it.",
        )
    return value


def listed(name: str, text: str) -> list[str]:
    """The entries of a text, separated by commas or white space."""
    items = re.split(r"[,\s]+", worded(name, text).strip(","))
    return [each for each in items if each] or [""]


def one_of(name: str, text: str, values: tuple[Choice, ...]) -> Choice:
    """The one of the values that a text is. Raises: ConfigurationError."""
    for each in values:
        if each == worded(name, text):
            return each
    raise ConfigurationError(f"{name} is not one of its values.", advice=f"Set {name} to one of {', '.join(values)}.")


def widens(flag: str, name: str) -> ConfigurationError:
    """What asks for more than something above it allows."""
    return ConfigurationError(
        f"{flag} asks for more than {name} allows; flags only tighten.",
        advice=f"Narrow {flag}, or have {name} changed where the host sets it.",
    )
