"""Plans: made from what is shown, found again for a repeated call, decided by a person, never by the model."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import anyio.to_thread

from molecule_mcp.capability import Capability, Risk
from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.gate import grants
from molecule_mcp.gate.ahead import Ahead, matching
from molecule_mcp.gate.answer import FormAnswer, meaning
from molecule_mcp.gate.plan import LIFETIME, bound_text, fingerprint
from molecule_mcp.road.context import Context
from molecule_mcp.road.traffic import Asked, Caller
from molecule_mcp.store.forms import canonical, flat
from molecule_mcp.store.records import Grant, Hindrance, Plan, Question, Step, StoredPlan, Way

Shown = tuple[Question, tuple[Step, ...]]
"""What a person is asked, and every send of every answer."""

POLL = 0.2
"""Seconds between looks at the store while a person decides elsewhere."""

SOONEST = 1.0
"""Seconds after which a repeated call may count as another step: what comes sooner was made without a look."""

NOTICED = 25
"""How often that is before the caller is told once more that a person is waited for."""

NO = {
    "declined": "The question was declined, by a person or by the client itself: some clients decline without asking.",
    "cancelled": "The question was dismissed without an answer.",
    "not_confirmed": "The form came back without the exact confirmation it asks for.",
    "left": "The person chose to leave it undecided.",
}


@dataclass(frozen=True)
class Decision:
    """One call that a person decides about.

    Args:
        arguments: What makes it this call, as JSON values.
        risk: The highest of everything in it.
        show: Reads what would happen now, given the code of a plan.
    """

    context: Context
    caller: Caller
    capability: Capability
    arguments: Mapping[str, Any]
    risk: Risk
    show: Callable[[str], Awaitable[Shown]]

    @property
    def by_form(self) -> bool:
        """Whether the client's form may ask about this call; a strict profile takes no client's word for critical."""
        return self.caller.can_ask and not self.outside_only

    @property
    def outside_only(self) -> bool:
        """Whether only a signature from outside of the client lets this call through."""
        return self.context.profile.strict and self.risk is Risk.CRITICAL

    @property
    def by_repeating(self) -> bool:
        """Whether nobody is asked, and repeating the call allows it: an opt-in of the profile, never for critical."""
        return self.context.profile.two_step and not self.caller.can_ask and self.risk < Risk.CRITICAL

    @property
    def hopeless(self) -> bool:
        """Whether nobody can allow this call however it is asked, so that nobody shall type a secret for it either."""
        ahead = self.covered is not None and not self.outside_only
        return not (self.by_form or self.by_repeating or ahead) and self.context.approver() is None

    @property
    def binding(self) -> str:
        """Finds the plan of this call again when the model repeats it.

        A plan that repeating may allow is another one than a person is shown in a form meanwhile.
        """
        text = bound_text(
            self.caller.principal,
            self.context.profile.name,
            self.context.origin,
            f"{self.capability.name}{' by repeating' if self.by_repeating else ''}",
            self.arguments,
        )
        return self.context.keyed_digest(text)

    async def plan(self) -> Plan:
        """The open plan of this call if everything shown in it is still so, else a new one."""
        store = self.context.store()
        now = self.context.clock()
        waiting = store.latest(self.binding, now)
        if waiting and waiting.state == "open":
            _, steps = await self.show(waiting.plan.code)
            if fingerprint(steps) == fingerprint(waiting.plan.steps):
                return waiting.plan
        code = grants.code()
        plan = self.drawn(*await self.show(code), code, now)
        if waiting and waiting.state == "open":
            # What it shows is no longer so: nobody shall answer it any more.
            await anyio.to_thread.run_sync(store.refuse, waiting.plan.id, "stale", now)
        hindrance = await anyio.to_thread.run_sync(store.open_plan, plan)
        if hindrance is not None:
            raise self.hindered(hindrance, now)
        return plan

    def hindered(self, found: Hindrance, now: float) -> GateStop:
        """Why nobody is asked now, and what to do."""
        left = int(found.until - now) + 1
        if found.waiting is None:
            return GateStop(
                "cooling_off",
                f"This was refused twice; nobody is asked about it for another {left} s, and nothing was sent.",
                advice="Look for no other way to it; tell the person what you wanted, and let them decide.",
                details={"seconds": left},
            )
        return GateStop(
            "question_open",
            f"Another question waits for the person: {found.waiting.question.lines[0]}. Nothing was sent.",
            advice="Have that one answered first, or refused with the `how` line; several changes are one run_plan.",
            details={"seconds": left, "how": f"{self.context.allow_line} {found.waiting.code}"},
        )

    @property
    def covered(self) -> Ahead | None:
        """What an operator allowed beforehand and covers this call, used up or not."""
        return matching(self.context.profile.ahead, self.capability.name, self.arguments, self.context.clock())

    def drawn(self, question: Question, steps: tuple[Step, ...], code: str, now: float) -> Plan:
        """A plan and its digest.

        Raises: ArgumentError when a request of it holds a secret value: it would be stored, and shown to nobody.
        """
        self.refuse_values(steps)
        plan = Plan(
            id=token_hex(16),
            code=code,
            tool=self.capability.name,
            family=self.capability.family,
            arguments=dict(self.arguments),
            binding=self.binding,
            risk=self.risk.label,
            principal=self.caller.principal,
            profile=self.context.profile.name,
            origin=self.context.origin,
            question=question,
            steps=steps,
            created=now,
            expires=now + LIFETIME,
            digest="",
            asks=not self.by_repeating and self.covered is None,
        )
        return replace(plan, digest=grants.digest(plan))

    def refuse_values(self, steps: tuple[Step, ...]) -> None:
        """Raises: ArgumentError when the arguments, or the requests made of them, hold a known secret value."""
        text = canonical([dict(self.arguments), [flat(step) for step in steps]])
        if self.context.redactor.text(text) is not text:
            raise ArgumentError(
                "The arguments hold a secret value that this server keeps; nothing was sent.",
                advice="Leave the value out; where a tool takes a secret, it takes a reference to it.",
            )

    async def made(self, answer: FormAnswer | None) -> Asked | tuple[Plan, Grant]:
        """The plan and the yes to it, or the question that a person has to answer first.

        Args:
            answer: What the client's form said, when it was asked before.
        Raises: GateStop when there is none, or it is a no.
        """
        if answer is not None:
            return await self.decide(answer)
        stored = self.granted()
        if stored is None:
            plan = await self.plan()
            stored = await self.ahead(plan)
            if stored is None and self.by_form:
                await self.noted(plan, "form")
                return Asked(plan)
            stored = stored or await self.allowed(plan)
        assert stored.grant is not None
        return stored.plan, stored.grant

    async def noted(self, plan: Plan, how: Way) -> None:
        """Say in the store how a person is asked, before they are."""
        await anyio.to_thread.run_sync(self.context.store().asked, plan.id, how)

    def granted(self) -> StoredPlan | None:
        """A plan of this call that the approver signed, not yet used up."""
        stored = self.context.store().latest(self.binding, self.context.clock())
        return stored if stored and self.signed(stored) else None

    def signed(self, stored: StoredPlan) -> bool:
        """Whether a stored grant is the approver's own; a row that merely says so is nothing."""
        grant = stored.grant
        if stored.state != "granted" or grant is None or grant.kind != "human":
            return False
        key = self.context.approver()
        return key is not None and grants.verify(key, stored.plan, grant)

    async def allowed(self, plan: Plan) -> StoredPlan:
        """The plan once it is allowed without a form. Raises: GateStop when it is not."""
        if self.by_repeating and plan.question.answers == ("allow",):
            return await self.repeated(plan)
        return await self.wait(plan)

    async def ahead(self, plan: Plan) -> StoredPlan | None:
        """The plan, granted by what an operator allowed beforehand; None when nothing covers it, or is used up."""
        context = self.context
        now = context.clock()
        found = self.covered
        if found is None or self.outside_only or plan.question.answers != ("allow",):
            return None
        counter = context.keyed_digest(found.counter(context.profile.name, context.origin))
        grant = Grant("operator", "allow", now, counted_under=counter)
        return await self.granted_as(plan, grant, found.max_uses)

    async def repeated(self, plan: Plan) -> StoredPlan:
        """The plan, granted because the same call came before, was shown what would happen, and comes again.

        Raises: GateStop `repeat_to_confirm` with the preview, the first time or too soon after it.
        """
        now = self.context.clock()
        if now - plan.created >= SOONEST and (stored := await self.granted_as(plan, Grant("none", "allow", now))):
            return stored
        raise GateStop(
            "repeat_to_confirm",
            "Nothing was sent. This profile asks no person; the same call, made again, does what stands under `would`.",
            advice="Check that against what you were asked to do; repeat exactly this call only if it is that.",
            details={
                "code": plan.code,
                "expires_in_s": max(0, int(plan.expires - now)),
                "would": list(plan.question.lines),
            },
        )

    async def granted_as(self, plan: Plan, grant: Grant, most: int | None = None) -> StoredPlan | None:
        """The plan under this grant; None when the store gives none."""
        store = self.context.store()
        if not await anyio.to_thread.run_sync(store.grant, plan.id, grant, most):
            return None
        return store.plan(plan.id)

    async def wait(self, plan: Plan) -> StoredPlan:
        """Wait for a yes from outside the model's channel.

        Raises: GateStop `no_approver`, `declined`, or `allow_required` with the line a person runs.
        """
        store = self.context.store()
        if self.context.approver() is None:
            # Nobody can answer it, so it shall not stand in the way of another question.
            await anyio.to_thread.run_sync(store.refuse, plan.id, "no_approver", self.context.clock())
            raise GateStop(
                "no_approver",
                "This client cannot ask a person, and no approver is set up on this machine; nothing was sent.",
                advice=self.to_be_set_up,
                details={"would": list(plan.question.lines)},
            )
        await self.noted(plan, "outside")
        for look in range(int(self.context.allow_wait / POLL) + 1):
            if look:
                await self.context.wait(POLL)
            stored = store.plan(plan.id)
            if stored and self.signed(stored):
                return stored
            if stored and stored.state == "refused":
                raise declined("declined")
            if look % NOTICED == 0:
                line = f"waiting for a person: {self.context.allow_line} {plan.code}"
                await self.caller.progress(look * POLL, self.context.allow_wait, line)
        raise self.waits(plan)

    @property
    def to_be_set_up(self) -> str:
        """What to do where nobody can be asked."""
        return f"A person runs once: {self.context.approver_line} - then repeat exactly this call."

    def waits(self, plan: Plan) -> GateStop:
        """Where a person allows a plan that nobody has answered yet."""
        return GateStop(
            "allow_required",
            "A person has to allow this outside of this conversation; nothing was sent.",
            advice="Tell the person where to allow it, and repeat exactly this call once they have.",
            details={
                "code": plan.code,
                **({"page": f"{page}/plan/{plan.code}"} if (page := self.context.page()) else {}),
                "how": f"{self.context.allow_line} {plan.code}",
                "expires_in_s": max(0, int(plan.expires - self.context.clock())),
                "would": list(plan.question.lines),
            },
        )

    async def decide(self, answer: FormAnswer) -> tuple[Plan, Grant]:
        """Turn a client's form answer into a grant of kind client_attested.

        Raises: GateStop when it is a no, or belongs to no open plan of exactly this call.
        """
        if self.outside_only:
            raise used("This profile takes no form's answer for a critical call; nothing was sent.")
        store = self.context.store()
        now = self.context.clock()
        stored = store.plan(answer.plan_id)
        if stored is None or stored.plan.binding != self.binding:
            raise used("The answer belongs to another call; nothing was sent.")
        if stored.state != "open" or stored.plan.expires <= now:
            raise used("The answer belongs to a plan that was used, refused or has expired; nothing was sent.")
        if not grants.intact(stored.plan):
            raise used("The plan was changed after it was shown; nothing was sent.")
        chosen, why = meaning(stored.plan.question, answer)
        if chosen is None:
            await anyio.to_thread.run_sync(store.refuse, stored.plan.id, why, now)
            raise declined(why)
        grant = Grant("client_attested", chosen, now)
        if not await anyio.to_thread.run_sync(store.grant, stored.plan.id, grant):
            raise used("The plan was decided meanwhile; nothing was sent by this call.")
        return stored.plan, grant

    async def unchanged(self, plan: Plan) -> bool:
        """Whether a fresh reading shows every stable fact and every request of the plan as it was shown."""
        try:
            _, steps = await self.show(plan.code)
        except GateStop:
            return False
        return fingerprint(steps) == fingerprint(plan.steps)


def declined(why: str) -> GateStop:
    """A no. It offers no other way: a person's no is not to be turned into a detour."""
    return GateStop(
        "declined",
        f"{NO[why]} Nothing was sent.",
        advice="Do not repeat the call unless the person asks for it.",
    )


def used(message: str) -> GateStop:
    """An answer that can grant nothing."""
    return GateStop("plan_used", message, advice="Call the tool again without an answer to have a person asked anew.")
