"""The tenant's own state: whether it answers, what it counts, whether its loops tick, where its canvas looks.

Contract: get_health (touches no database), get_prometheus_metrics, get_subsystem_liveness, get_canvas_viewport.
"""

import math
import re
from typing import Annotated, Any

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.cleaning import clean
from molecule_mcp.errors import TenantUnreadable
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text
from molecule_mcp.tools.tables import fitting

family = Family("admin")

SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(\{.*\})?[ \t]+([^\s]+)(?:[ \t]+-?\d+)?[ \t]*", re.ASCII)
"""A line of the exposition format: a name, labels or none, a value, a time or none."""
SERIES = 300
"""Characters of a series that are shown."""
LATE = {"scheduler": 60, "hibernation-monitor": 240}
"""Seconds since the last tick from which a loop is late: twice its interval."""


class Health(Answer):
    """That the process answers."""

    status: str


class Metrics(Answer):
    """Series as a table: plain ones first, then the largest."""

    columns: list[str]
    rows: list[list[Any]]
    left_out: int


class Tick(Answer):
    """What we read of a loop."""

    seconds_ago: int


class Ticks(Answer):
    """What we read of all loops."""

    subsystems: dict[str, Tick]


class Loop(Answer):
    """One background loop."""

    name: Text
    seconds_ago: int
    state: str


class Loops(Answer):
    """The loops that report; `missing` names those that we know and that do not."""

    loops: list[Loop]
    missing: Annotated[list[str], Field(description="Never started.")]


class Viewport(Answer):
    """The shared canvas position."""

    x: float
    y: float
    zoom: float


@family.tool(Risk.READ, sends=["GET /health"], title="Check that the tenant answers")
async def get_health(tenant: Tenant) -> Health:
    """Check that the tenant's process answers; its database and key may fail all the same."""
    return await tenant.read("/health", Health)


@family.tool(Risk.READ, sends=["GET /metrics"], title="Read process metrics")
async def get_prometheus_metrics(
    tenant: Tenant,
    contains: Annotated[str, Field(max_length=100, description='Part of a series: status="500".')] = "",
    limit: Annotated[int, Field(ge=1, le=200, description="Rows at most.")] = 40,
) -> Metrics:
    """Read what the tenant's process counts: memory, requests and seconds by method, route and status."""
    text = (await tenant.read("/metrics", bytes)).decode("utf-8", "replace")
    found = samples(text)
    kept = [[series[:SERIES], value] for series, value in found if contains in series]
    rows = fitting(kept[:limit])
    return Metrics(columns=["series", "value"], rows=rows, left_out=len(kept) - len(rows))


def samples(text: str) -> list[tuple[str, float | str]]:
    """The series of an exposition text with their values: those without labels first, then by value, falling.

    Raises: TenantUnreadable when it is no such text.
    """
    lines = [line for line in clean(text).splitlines() if line.strip() and not line.startswith("#")]
    found = [match for line in lines if (match := SAMPLE.fullmatch(line))]
    if len(found) != len(lines) or not found:
        raise TenantUnreadable("The tenant's metrics are no text that Prometheus reads.")
    plain = [(match[1], number(match[3])) for match in found if not match[2]]
    labelled = [(match[1] + match[2], number(match[3])) for match in found if match[2]]
    return [*plain, *sorted(labelled, key=lambda one: -one[1] if isinstance(one[1], int | float) else math.inf)]


def number(text: str) -> float | str:
    """A value as JSON can hold it: NaN and infinities stay text."""
    try:
        value = float(text)
    except ValueError:
        raise TenantUnreadable("A value in the tenant's metrics is no number.") from None
    if not math.isfinite(value):
        return text
    return int(value) if value == int(value) else value


@family.tool(Risk.READ, sends=["GET /admin/liveness"], title="Read whether background loops tick")
async def get_subsystem_liveness(tenant: Tenant) -> Loops:
    """Read whether the tenant's background loops tick; without the scheduler no schedule fires."""
    ticks = (await tenant.read("/admin/liveness", Ticks)).subsystems
    return Loops(
        loops=[
            Loop(name=name, state=state(name, tick.seconds_ago), **tick.model_dump()) for name, tick in ticks.items()
        ],
        missing=sorted(LATE.keys() - ticks.keys()),
    )


def state(name: str, seconds: int) -> str:
    """How a loop is by the seconds since its last tick; of a loop that we do not know the interval is not known."""
    if name not in LATE:
        return "unknown"
    return "late" if seconds >= LATE[name] else "ticking"


@family.tool(Risk.READ, sends=["GET /canvas/viewport"], title="Read the canvas position")
async def get_canvas_viewport(tenant: Tenant) -> Viewport:
    """Read where the shared canvas looks; 0, 0, zoom 1 may mean never saved, or a failing database."""
    return await tenant.read("/canvas/viewport", Viewport)
