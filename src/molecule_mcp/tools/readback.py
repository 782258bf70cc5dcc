"""Reading the state after a change that the tenant accepted: a failure there is no failure of the change."""

from collections.abc import Generator
from contextlib import contextmanager

from molecule_mcp.errors import ArgumentError, TenantError, TenantUnreadable


@contextmanager
def reading_back() -> Generator[None]:
    """Around the reads that follow an accepted change.

    Raises: TenantUnreadable with `sent` true instead of whatever a read inside raises; also when it finds
        nothing of the id that was given.
    """
    try:
        yield
    except (TenantError, ArgumentError) as error:
        raise TenantUnreadable(f"The tenant accepted it; reading back failed: {error.message}", sent=True) from error
