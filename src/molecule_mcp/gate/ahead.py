"""What an operator allowed beforehand: one call with exactly these arguments, so many times, until a date.

Pure: the store counts, the road asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from molecule_mcp.store.forms import canonical


@dataclass(frozen=True)
class Ahead:
    """One pre-authorisation.

    Args:
        arguments: Canonical text of all arguments of the tool, defaults included.
        max_uses: How many plans it may allow, ever.
        expires: Seconds since the epoch.
    """

    tool: str
    arguments: str
    max_uses: int
    expires: float

    def counter(self, profile: str, origin: str) -> str:
        """The text that its uses are counted under: another date is another one, another `max_uses` is not."""
        return canonical(["preauth", profile, origin, self.tool, self.arguments, self.expires])


def matching(known: Iterable[Ahead], tool: str, arguments: Mapping[str, Any], now: float) -> Ahead | None:
    """The one that allows exactly this call now, or None."""
    text = canonical(dict(arguments))
    fits = (each for each in known if each.tool == tool and each.arguments == text and now < each.expires)
    return next(fits, None)
