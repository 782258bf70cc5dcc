"""What one embedded tenant is started with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """Settings of one tenant.

    Args:
        admin_token: The deployment's admin secret; None leaves admin routes open until a workspace token exists.
        org_id: Makes the tenant a hosted one: requests need `X-Molecule-Org-Id`, secret changes restart nothing.
        db: SQLite file; None keeps everything in memory. A file that exists is opened as it is.
        empty: Start without the sample organization.
        rate_limit: Requests a minute and peer address; None switches every limit off.
        agents: Simulate agents at work: workspaces turn busy and idle as time passes.
        clock: Where the time comes from, as aware datetimes.
        pause: Lets so many seconds pass inside a request that takes its time.
        canvas_proxy: Let same-origin requests of the canvas pass without a bearer where the contract says so.
        artifacts: The outside service of Git repositories: answering, failing, or not set up for this tenant.
        docker: False plays a container daemon that is down: starts fail, and so do stops.
    """

    admin_token: str | None = None
    org_id: str | None = None
    db: Path | None = None
    empty: bool = False
    rate_limit: int | None = 600
    agents: bool = True
    clock: Callable[[], datetime] = utc_now
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    canvas_proxy: bool = False
    artifacts: Literal["ok", "unavailable", "absent"] = "ok"
    docker: bool = True

    @property
    def hosted(self) -> bool:
        """Whether a control plane, not Docker, runs the workspaces."""
        return self.org_id is not None

    @property
    def stops_fail(self) -> bool:
        """Whether stopping a container fails; a hosted tenant stops none."""
        return not (self.docker or self.hosted)

    @property
    def starts_fail(self) -> bool:
        """Whether every start of a container fails."""
        return not (self.docker or self.hosted)
