"""The store's protocol in memory, so that a whole state can be copied; the rules of the SQLite one, without disk."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from molecule_mcp.errors import StoreError
from molecule_mcp.store.forms import plain_code
from molecule_mcp.store.records import (
    KEPT,
    Call,
    CallState,
    Grant,
    Hindrance,
    Intent,
    Outcome,
    OutcomeState,
    Plan,
    PlanState,
    Record,
    RecordedCall,
    StepState,
    StoredPlan,
    Way,
)

Place = tuple[str, str, int]
"""Plan, answer, position."""


Kept = tuple[Call, RecordedCall, int]
"""A call, how it ended, and the process that made it."""


@dataclass
class Data:
    """Everything that is durable."""

    plans: dict[str, Plan] = field(default_factory=dict[str, Plan])
    states: dict[str, PlanState] = field(default_factory=dict[str, PlanState])
    grants: dict[str, Grant] = field(default_factory=dict[str, Grant])
    steps: dict[Place, StepState] = field(default_factory=dict[Place, StepState])
    intents: dict[str, tuple[Intent, OutcomeState | None, str, int]] = field(
        default_factory=dict[str, tuple[Intent, OutcomeState | None, str, int]]
    )
    calls: dict[str, Kept] = field(default_factory=dict[str, Kept])

    def copy(self) -> "Data":
        """A copy that shares nothing that changes."""
        return Data(
            dict(self.plans), dict(self.states), dict(self.grants), dict(self.steps), dict(self.intents),
            dict(self.calls),
        )  # fmt: skip


class MemoryStore:
    """`records.Store` over `Data`; `owner` is the process it belongs to."""

    def __init__(self, data: Data, owner: int) -> None:
        self.data = data
        self.owner = owner

    def keyed_digest(self, value: str | bytes) -> str:
        """A digest; the key is of no account here."""
        return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()

    def open_plan(self, plan: Plan) -> Hindrance | None:
        """Write a new plan, state open; the search has questions side by side, so none stands against another."""
        self.data.plans[plan.id] = plan
        self.data.states[plan.id] = "open"
        for step in plan.steps:
            self.data.steps[plan.id, step.answer, step.index] = "pending"
        return None

    def asked(self, plan_id: str, how: Way) -> None:
        """Nothing depends on it here, where no question stands against another."""

    def plan(self, plan_id: str) -> StoredPlan | None:
        """Read one plan by id."""
        return self._stored(plan_id) if plan_id in self.data.plans else None

    def plan_by_code(self, code: str) -> StoredPlan | None:
        """Read the newest plan with this code."""
        found = [key for key, plan in self.data.plans.items() if plain_code(plan.code) == plain_code(code)]
        return self._stored(found[-1]) if found else None

    def latest(self, binding: str, now: float) -> StoredPlan | None:
        """The newest unexpired plan of a binding that is open or granted, or None."""
        found = [
            key
            for key, plan in self.data.plans.items()
            if plan.binding == binding and plan.expires > now and self.data.states[key] in ("open", "granted")
        ]
        return self._stored(found[-1]) if found else None

    def waiting(self, now: float) -> list[StoredPlan]:
        """Unexpired open plans, oldest first."""
        return [
            self._stored(key)
            for key, plan in self.data.plans.items()
            if self.data.states[key] == "open" and plan.expires > now
        ]

    def grant(self, plan_id: str, grant: Grant, most: int | None = None) -> bool:
        """open -> granted; the first decision wins, and no more than `most` under one counter."""
        counted = sum(each.counted_under == grant.counted_under for each in self.data.grants.values())
        if most is not None and counted >= most:
            return False
        if self.data.states.get(plan_id) != "open" or self.data.plans[plan_id].expires <= grant.at:
            return False
        self.data.states[plan_id] = "granted"
        self.data.grants[plan_id] = grant
        return True

    def refuse(self, plan_id: str, reason: str, now: float) -> bool:
        """open -> refused."""
        return self._end(plan_id, "open", "refused")

    def spend(self, plan_id: str, reason: str, now: float) -> None:
        """granted -> spent."""
        self._end(plan_id, "granted", "spent")

    def claim(self, intent: Intent) -> bool:
        """Claim and intent at once."""
        answer = ""
        if intent.plan_id is not None:
            grant = self._claimed(intent.plan_id, intent)
            if grant is None:
                return False
            answer, intent = grant.answer, replace(intent, grant=grant.kind)
        self.data.intents[intent.id] = intent, None, answer, self.owner
        return True

    def settle(self, intent_id: str, outcome: Outcome) -> None:
        """Write how an intent ended.

        Raises: StoreError when no such intent is open.
        """
        intent, state, answer, owner = self.data.intents[intent_id]
        if state is not None:
            raise StoreError("no such intent is open", sent="unknown")
        self.data.intents[intent_id] = intent, outcome.state, answer, owner
        if intent.plan_id is not None and intent.index is not None:
            self.data.steps[intent.plan_id, answer, intent.index] = outcome.state

    def open_intents(self) -> list[Intent]:
        """Intents without an outcome."""
        return [intent for intent, state, _, _ in self.data.intents.values() if state is None]

    def recover(self, now: float) -> None:
        """Settle as unknown what processes before this one left open."""
        left = [
            intent for intent, state, _, owner in self.data.intents.values() if state is None and owner < self.owner
        ]
        for intent in left:
            self.settle(intent.id, Outcome("unknown", None, now))
        for key, (_, recorded, owner) in list(self.data.calls.items()):
            if recorded.state == "running" and owner < self.owner:
                self._finish(key, "unknown", now, None)

    def earlier(self, call: Call) -> RecordedCall | None:
        """The call that this one repeats, or None; there are no plans of several calls here."""
        known = list(self.data.calls.values())
        if call.token:
            return next(
                (recorded for one, recorded, _ in known if one.token == call.token and one.at > call.at - KEPT), None
            )
        counting = [
            recorded
            for place, (one, recorded, _) in enumerate(known)
            if one.binding == call.binding and self._counts(call, recorded, known[:place], known[place + 1 :])
        ]
        return counting[-1] if counting else None

    def begin(self, call: Call) -> RecordedCall | None:
        """Write a call that runs, unless it repeats one."""
        found = self.earlier(call)
        if found is None:
            self.data.calls[call.id] = call, RecordedCall(call.id, call.binding, "running", None, None), self.owner
        return found

    def recorded(self, call_id: str) -> RecordedCall | None:
        """One call."""
        return self.data.calls[call_id][1] if call_id in self.data.calls else None

    def answers(self, tool: str, origin: str, since: float) -> list[tuple[float, dict[str, Any]]]:
        """Nothing in the search is told from its name."""
        return []

    def forget(self, call_id: str) -> None:
        """Drop a call that sent nothing."""
        self.data.calls.pop(call_id, None)

    def finish(self, call_id: str, state: CallState, at: float, answer: Mapping[str, Any]) -> None:
        """Write how a running call ended."""
        self._finish(call_id, state, at, answer)

    def records(self) -> Iterator[Record]:
        """No chain is kept."""
        return iter(())

    def verify(self) -> tuple[int, str | None]:
        """No chain is kept."""
        return 0, None

    def close(self) -> None:
        """Nothing is open."""

    def _counts(self, call: Call, recorded: RecordedCall, before: list[Kept], after: list[Kept]) -> bool:
        ended = recorded.ended or 0.0
        if recorded.state == "done":
            since = [other for _, other, _ in before if other.ended != ended] + [other for _, other, _ in after]
            followed = any(other.ended is None or other.ended >= ended for other in since)
            return ended > call.recent and not (call.latest and followed)
        return recorded.state == "running" or (recorded.state == "unknown" and ended > call.doubtful)

    def _finish(self, call_id: str, state: CallState, at: float, answer: Mapping[str, Any] | None) -> None:
        if not any(intent.call == call_id for intent, _, _, _ in self.data.intents.values()):
            self.forget(call_id)
            return
        call, _, owner = self.data.calls[call_id]
        self.data.calls[call_id] = call, RecordedCall(call_id, call.binding, state, at, answer), owner

    def _stored(self, plan_id: str) -> StoredPlan:
        state, plan = self.data.states[plan_id], self.data.plans[plan_id]
        grant = self.data.grants.get(plan_id)
        if grant is None:
            return StoredPlan(plan, state)
        steps: dict[int, StepState] = {
            place[2]: kept for place, kept in self.data.steps.items() if place[:2] == (plan_id, grant.answer)
        }
        return StoredPlan(plan, state, grant, steps)

    def _end(self, plan_id: str, before: PlanState, after: PlanState) -> bool:
        if self.data.states.get(plan_id) != before:
            return False
        self.data.states[plan_id] = after
        return True

    def _claimed(self, plan_id: str, intent: Intent) -> Grant | None:
        plan, grant = self.data.plans.get(plan_id), self.data.grants.get(plan_id)
        if plan is None or grant is None or self.data.states[plan_id] != "granted" or plan.expires <= intent.at:
            return None
        if (plan.principal, plan.profile, plan.origin) != (intent.principal, intent.profile, intent.origin):
            return None
        for step in plan.steps:
            place = (plan_id, step.answer, step.index)
            same = (step.method, step.path, step.body_digest) == (intent.method, intent.path, intent.body_digest)
            if (
                (step.answer, step.index) == (grant.answer, intent.index)
                and same
                and self.data.steps[place] == "pending"
            ):
                self.data.steps[place] = "claimed"
                return grant
        return None
