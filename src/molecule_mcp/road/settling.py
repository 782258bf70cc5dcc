"""Settle by reads, behind the first call of a new process, what processes that are gone left unknown.

It grants nothing and sends nothing: its permit has no claim, so only reads leave. What was read is a record of its own;
the outcome on record stays unknown, since the tenant's state tells what is, and never quite who made it so.
"""

import logging
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

import anyio.to_thread

from molecule_mcp.capability import Capability, Past, Risk, changing
from molecule_mcp.errors import MoleculeError, TenantUnreachable
from molecule_mcp.gate import policy
from molecule_mcp.road.context import Context, ability
from molecule_mcp.store.records import Intent, Settlement, Settler, Verdict
from molecule_mcp.tenant import Exchange, Permit, Tenant, paths

MOST = 50
"""Intents that one start settles, the newest."""

STILL_COMING = 120.0
"""Seconds in which a request may still take effect whose sender is gone; only after them nothing happened."""

VERDICTS: dict[bool | None, Verdict] = {True: "happened", False: "did_not_happen", None: "cannot_be_told"}

logger = logging.getLogger(__name__)


async def settle(context: Context) -> None:
    """Settle what this profile left unknown at this tenant; what cannot be read now is left for a later start.

    Raises: StoreError.
    """
    settler = context.settler
    if settler is None or policy.expired(context.profile, context.clock()) is not None:
        return
    if not await anyio.to_thread.run_sync(settler.unsettled):
        return
    take = partial(settler.take, context.profile.name, context.origin, context.clock(), MOST)
    settling = Settling(context, settler, await anyio.to_thread.run_sync(take))
    await settling.run()


@dataclass
class Settling:
    """What one start settles: first whatever can be told at once, then what has to be waited for."""

    context: Context
    settler: Settler
    left: list[Intent]

    async def run(self) -> None:
        """Settle all that can be read."""
        for early in (True, False):
            for intent in list(self.left):
                if intent in self.left:
                    await self.one(intent, early)

    async def one(self, intent: Intent, early: bool) -> None:
        """Settle one intent; `early` leaves for later what may still take effect."""
        rest = min(intent.at + STILL_COMING - self.context.clock(), STILL_COMING)
        if not early and rest > 0:
            await self.context.wait(rest)
        try:
            settlement = await judged(self.context, self.settler, intent)
        except MoleculeError as error:
            logger.info("%s: what became of it could not be read: %s", intent.tool, error.kind)
            return await self.let_go(list(self.left) if isinstance(error, TenantUnreachable) else [intent])
        if early and rest > 0 and settlement.verdict == "did_not_happen":
            return None
        self.left.remove(intent)
        await anyio.to_thread.run_sync(self.settler.settled, intent, settlement)
        return None

    async def let_go(self, intents: list[Intent]) -> None:
        """Leave intents to a later start."""
        for each in intents:
            self.left.remove(each)
            await anyio.to_thread.run_sync(self.settler.let_go, each.id)


async def judged(context: Context, settler: Settler, intent: Intent) -> Settlement:
    """What reading the tenant says of one intent now.

    Raises: PolicyRefusal, ArgumentError or TenantError when this process cannot read it.
    """
    capability = context.find(intent.tool)
    if capability is None:
        raise context.missing(intent.tool)
    policy.check(context.profile, ability(capability), Risk.READ, [])
    past = await anyio.to_thread.run_sync(past_of, settler, capability, intent)
    if capability.settle is None or past is None:
        return Settlement(VERDICTS[None], (), context.clock())
    reads = list[Exchange]()
    permit = Permit(
        routes=frozenset(route for route in capability.sends if not changing(route)),
        bound=context.profile.bound,
        redactor=context.redactor,
        masked=True,
        reads=reads,
    )
    seen = await capability.settle(Tenant(context.wire(), permit), past)
    return Settlement(VERDICTS[seen], tuple(map(line, reads)), context.clock())


def past_of(settler: Settler, capability: Capability, intent: Intent) -> Past | None:
    """What an intent still tells of its request; None when its path belongs to no route of the tool."""
    path, _, query = intent.path.partition("?")
    for route in capability.sends:
        method, _, template = route.partition(" ")
        parameters = paths.taken(template, path.encode()) if method == intent.method else None
        if parameters is not None:
            return Past(parameters, dict(parse_qsl(query)), intent.at, arguments_of(settler, intent))
    return None


def arguments_of(settler: Settler, intent: Intent) -> dict[str, object]:
    """The arguments of a planned send; of others only a digest is kept, so there are none."""
    stored = settler.plan(intent.plan_id) if intent.plan_id else None
    if stored is None or stored.grant is None:
        return {}
    own = (stored.grant.answer, intent.index)
    return next(dict(step.arguments) for step in stored.plan.steps if (step.answer, step.index) == own)


def line(read: Exchange) -> str:
    """A read as the record tells it."""
    return f"GET {read.path} {read.status}"
