"""One changing call: its preview from live reads, and its requests, rehearsed by the tool itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from molecule_mcp import arguments as strict
from molecule_mcp.capability import Capability, Item, Preview, Risk
from molecule_mcp.errors import GateStop, PolicyRefusal, TenantError
from molecule_mcp.gate import policy
from molecule_mcp.gate.plan import fingerprint, still
from molecule_mcp.gate.question import plain_preview, question
from molecule_mcp.road.context import Context, ability
from molecule_mcp.road.deciding import Decision, Shown
from molecule_mcp.road.renames import renamed
from molecule_mcp.road.sending import body_digest, injected, reading, rehearse
from molecule_mcp.road.traffic import Caller
from molecule_mcp.secrets import Purpose
from molecule_mcp.store.records import Plan, Step
from molecule_mcp.tenant import Request


@dataclass(frozen=True)
class Asking:
    """One changing call: the tool, its checked arguments, and the risk they lead to."""

    context: Context
    caller: Caller
    capability: Capability
    arguments: Mapping[str, Any]
    risk: Risk

    async def no_riskier(self) -> None:
        """Stop before a send that live facts, read once more, have made riskier than what was decided about.

        Raises: GateStop `stale_plan`; PolicyRefusal.
        """
        if await weighed(self.context, self.capability, self.arguments) > self.risk:
            raise GateStop(
                "stale_plan",
                "What would be changed has grown riskier since this call began; nothing was sent.",
                advice="Call the tool again: a person is then asked.",
            )

    def decision(self) -> Decision:
        """The same for a person to decide."""
        return Decision(self.context, self.caller, self.capability, self.arguments, self.risk, self.show)

    def untyped(self) -> "Asking":
        """The same without anybody typing a secret: a stand-in takes its place, and nothing may be sent of it."""
        return replace(self, context=replace(self.context, secrets=self.context.secrets.rehearsing()))

    @property
    def purpose(self) -> Purpose:
        """Binds what a person types for this call to this call."""
        return Purpose(
            lambda: self.decision().binding,
            self.capability.name,
            self.caller.principal,
            self.context.profile.name,
            tenant(self.context),
        )

    async def show(self, code: str) -> Shown:
        """What a person is asked about this call alone."""
        preview = await self.preview(self.arguments)
        return question(preview, self.risk, tenant(self.context)), await self.steps(preview, code)

    async def preview(self, arguments: Mapping[str, Any]) -> Preview:
        """What would happen now.

        Raises: PolicyRefusal when it would touch a workspace outside the profile; TenantError when it cannot be read
        in full, since what a person is not shown they cannot allow.
        """
        preview = await self.previewed(self.capability.preview, arguments)
        if not policy.within(self.context.profile, preview.touches):
            raise PolicyRefusal(
                f"{self.capability.name}: it would reach a workspace outside this profile's.",
                advice=f"Profile {self.context.profile.name!r} {policy.BINDING}; a person widens it and restarts the "
                "server.",
            )
        # First, since who knows a workspace by another name must not take it for this one.
        names = renamed(self.context, preview.touches) if self.context.recalls else ()
        return replace(preview, facts=(*names, *preview.facts))

    async def previewed(
        self, preview: Callable[..., Awaitable[Preview]] | None, arguments: Mapping[str, Any]
    ) -> Preview:
        """What the tool itself says; of a tool that is asked about only because this profile says so, the request."""
        if preview is None:
            touched = policy.workspaces_in(arguments, strict.workspace_parameters(self.capability.function))
            return plain_preview(self.capability.title, arguments, frozenset(touched))
        tenant = reading(self.context, self.capability, whole=True)
        offers = injected(self.context, self.capability, tenant)
        given = {name: value for name, value in offers.items() if name in preview.__annotations__}
        return await preview(**given, **arguments)

    async def rehearsed(self, preview: Preview, code: str) -> list[tuple[str, Item, Request]]:
        """Every send of every answer: the answer, the item with all its arguments, the request."""
        found: list[tuple[str, Item, Request]] = []
        for answer, extra in (preview.choices or {"allow": {}}).items():
            for item in preview.items:
                whole = replace(item, arguments={**item.arguments, **extra})
                request = await rehearse(self.context, self.capability, whole.arguments, code)
                found.append((answer, whole, request))
        return found

    async def steps(self, preview: Preview, code: str, call: int = 0, first: int = 0) -> tuple[Step, ...]:
        """The same as steps of a plan.

        Args:
            call: Which call of the plan this is.
            first: The position of its first step.
        """
        return tuple(
            Step(
                answer=answer,
                index=index,
                arguments=item.arguments,
                method=request.method,
                path=request.path,
                body_digest=body_digest(self.context, request),
                facts=item.facts,
                tool=self.capability.name,
                call=call,
                risk=self.risk.label,
            )
            for index, (answer, item, request) in enumerate(await self.rehearsed(preview, code), first)
        )

    async def as_shown(self, plan: Plan, steps: Sequence[Step]) -> bool:
        """Whether this call of a plan still shows and sends exactly what was shown of it."""
        fresh = await self.steps(await self.preview(self.arguments), plan.code, steps[0].call, steps[0].index)
        return fingerprint(fresh) == fingerprint(steps)

    async def still(self, step: Step) -> bool:
        """Whether one later step still stands alone as it was shown: nothing new below it, the same names."""
        return still(step, await self.preview(self.own(step)))

    def own(self, step: Step) -> dict[str, Any]:
        """A step's arguments less those that the person's answer set."""
        return {name: value for name, value in step.arguments.items() if name in self.arguments}


async def weighed(context: Context, capability: Capability, arguments: Mapping[str, Any]) -> Risk:
    """What a call can cost, by its arguments and by live facts; policy decides before and after these are read.

    Raises: PolicyRefusal.
    """
    able = ability(capability)
    touched = policy.workspaces_in(arguments, strict.workspace_parameters(capability.function))
    risk = capability.raised(arguments)
    policy.check(context.profile, able, risk, touched)
    if not capability.facts:
        return risk
    tenant = reading(context, capability, whole=True)
    try:
        facts = await capability.facts(tenant, **arguments)
    except TenantError:
        facts = dict[str, bool]()
    # A fact that could not be read counts as true.
    risk = max([risk, *(by for fact, by in capability.raised_by_fact.items() if facts.get(fact, True))])
    policy.check(context.profile, able, risk, touched)
    return risk


def tenant(context: Context) -> str:
    """The tenant as a person is told."""
    return "the embedded sample tenant" if context.sample else context.origin
