"""What the tenant still says of a change whose outcome was lost; for the `settle` of tools that delete or mint.

Ids are never given twice, so a thing with an id that is still there was not deleted. A thing with a name may have been
made again since; only one that nobody touched since before the request is the same.
"""

from datetime import datetime

SKEW = 300.0
"""Seconds by which the tenant's clock may differ from this machine's."""


def before(stamp: str, at: float) -> bool:
    """Whether a time of the tenant's lies before the request for sure."""
    return datetime.fromisoformat(stamp).timestamp() < at - SKEW


def named_gone(stamp: str | None, at: float) -> bool | None:
    """Whether something with a name was deleted.

    Args:
        stamp: When the thing of that name was last touched, None when there is none now.
    """
    if stamp is None:
        return True
    return False if before(stamp, at) else None
