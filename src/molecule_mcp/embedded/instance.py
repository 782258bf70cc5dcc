"""One running tenant: its options, database, vault, clock and limits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.limits import Limiter
from molecule_mcp.embedded.options import Options
from molecule_mcp.embedded.streams import Hub
from molecule_mcp.embedded.times import stored
from molecule_mcp.embedded.vault import vault_beside

MINTS = 10
MINT_WINDOW = timedelta(hours=1)


class Instance:
    """What handlers share; one per tenant.

    Args:
        options: How it was started.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.db = Database(options.db)
        self.hub = Hub()
        self.db.ended = self.hub.settle
        self.tick: Callable[[], None] = lambda: None
        """Applies what is due by now; set by what runs the instance."""
        self.vault = vault_beside(options.db)
        self.started = self.now()
        limit = options.rate_limit
        self.requests = None if limit is None else Limiter(limit, timedelta(minutes=1), self.started)
        self.mints = None if limit is None else Limiter(MINTS, MINT_WINDOW, self.started)
        self.counted: dict[tuple[str, str, int], tuple[int, float]] = {}
        """Requests so far by method, route and status: how many, and their seconds in all."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return self.options.clock().astimezone(UTC)

    def stamp(self, *, after: float = 0) -> str:
        """The time in `after` seconds, as rows hold it."""
        return stored(self.now() + timedelta(seconds=after))

    def new_id(self) -> str:
        """A fresh row id."""
        return str(uuid4())
