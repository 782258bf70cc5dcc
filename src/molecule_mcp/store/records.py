"""The store's nouns and its protocol: plans, steps, grants, intents, outcomes, chain records.

A plan is what a person is shown and what they allow. A step is one send of it, exactly: method, encoded path with
query, keyed digest of the body. A grant is a yes to one answer of one plan. An intent is written before each
changing send and ends as done, failed or unknown. Every change of these is one record of the chain, in the same
transaction. Times are seconds since the epoch, UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

PlanState = Literal["open", "granted", "refused", "spent"]
StepState = Literal["pending", "claimed", "done", "failed", "unknown"]
OutcomeState = Literal["done", "failed", "unknown"]
CallState = Literal["running", "done", "failed", "unknown"]
Verdict = Literal["happened", "did_not_happen", "cannot_be_told"]
GrantKind = Literal["human", "client_attested", "operator", "none"]
Way = Literal["form", "outside"]
"""How a person is asked: by a form of this process's client, or outside of it, where an answer needs no process."""

RESTS = 1800.0
"""Seconds for which nobody is asked about a target that was refused twice."""

KEPT = 86_400.0
"""Seconds that the outcome of a call is kept."""


@dataclass(frozen=True)
class Step:
    """One send of a plan.

    Args:
        answer: The answer that runs it: "allow", or one of the plan's choices.
        index: Position, from 0; no two steps of one answer share one.
        arguments: The tool's arguments for this send; secrets are references, never values.
        method: HTTP method.
        path: Encoded path with query, exactly as sent.
        body_digest: Keyed digest of the body (hex), "" without one.
        facts: The stable facts it was shown with.
        tool: The tool that sends it.
        call: Which call of the plan it belongs to, from 0; a plan of one tool is one call.
        risk: What its call could cost when it was shown.
    """

    answer: str
    index: int
    arguments: Mapping[str, Any]
    method: str
    path: str
    body_digest: str
    facts: Mapping[str, Any]
    tool: str = ""
    call: int = 0
    risk: str = ""


@dataclass(frozen=True)
class Question:
    """What a person is shown: printable ASCII lines from our own template, and what they may answer.

    Args:
        lines: The text, one line each.
        answers: Acceptable answers, e.g. ("allow",) or ("approve", "deny", "leave").
        phrase: What must be typed exactly for a critical plan, or None.
        targets: What it is about, by id, or by name where there is none: two refusals of one let it rest.
        touches: Ids of everything else that it would change; it is not asked while one of them rests.
    """

    lines: tuple[str, ...]
    answers: tuple[str, ...]
    phrase: str | None
    targets: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A call that waits for a person.

    Args:
        id: 32 hex characters, unguessable.
        code: Eight characters a person can type, "7F3K-92QD".
        binding: Keyed digest of principal, profile, origin, tool and canonical arguments; finds the plan of a
            repeated call.
        digest: SHA-256 (hex) over everything below and above but itself; a grant signs it.
        asks: Whether a person is asked; what was allowed beforehand, or by repeating, disturbs nobody.
    """

    id: str
    code: str
    tool: str
    family: str
    arguments: Mapping[str, Any]
    binding: str
    risk: str
    principal: str
    profile: str
    origin: str
    question: Question
    steps: tuple[Step, ...]
    created: float
    expires: float
    digest: str
    asks: bool = True


@dataclass(frozen=True)
class Hindrance:
    """Why a person is not asked now, and until when: `waiting` is the question that is open, None while one rests."""

    until: float
    waiting: Plan | None = None


@dataclass(frozen=True)
class Grant:
    """A yes: of which kind, to which answer.

    Args:
        signature, signed_by: Hex of an Ed25519 signature and the key's fingerprint; only for kind human.
        counted_under: What its uses are counted under; only for kind operator.
    """

    kind: GrantKind
    answer: str
    at: float
    signature: str = ""
    signed_by: str = ""
    counted_under: str = ""


@dataclass(frozen=True)
class StoredPlan:
    """A plan as the store holds it."""

    plan: Plan
    state: PlanState
    grant: Grant | None = None
    steps: Mapping[int, StepState] = field(default_factory=dict[int, StepState])


@dataclass(frozen=True)
class Intent:
    """Written durably before a changing send.

    `plan_id` and `index` are None for a call that needed no plan; `call` is the id of its `Call`. Where a secret was
    masked in the path, `exact` is false: reading what it names then tells nothing of the request.
    """

    id: str
    tool: str
    principal: str
    profile: str
    origin: str
    client: str
    method: str
    path: str
    body_digest: str
    arguments_digest: str
    at: float
    plan_id: str | None = None
    index: int | None = None
    grant: GrantKind | None = None
    call: str | None = None
    exact: bool = True


@dataclass(frozen=True)
class Call:
    """A changing call, as it is found again when it is repeated.

    Args:
        id: 32 hex characters.
        scope: Whose it is, and of which tenant: canonical JSON of principal, profile and origin, and of `plan` unless
            it is "".
        binding: Keyed digest of everything that makes a call the same call.
        token: Keyed digest of whose call it is and of the caller's own name for it; "" without one.
        at: When it is made.
        plan: Keyed digest of whose and which plan of several calls this is one of; "" for a call by itself.
        recent: What was done after this time counts.
        planned: The same for what was done as part of the same plan.
        latest: Whether it counts only as long as no other call of this origin, whoever made it, was under way since it
            was done: that may have undone it. Those of the same plan do not matter.
        doubtful: What became unknown after this time counts.
    """

    id: str
    scope: str
    tool: str
    binding: str
    token: str
    at: float
    plan: str
    recent: float
    planned: float
    latest: bool
    doubtful: float


@dataclass(frozen=True)
class RecordedCall:
    """A call as the store holds it; `answer` is redacted, None while it runs and when it was cut off.

    Once reads settled what an unknown one sent, `answer` has `settled`: a verdict on all of it, and each request's.
    """

    id: str
    binding: str
    state: CallState
    ended: float | None
    answer: Mapping[str, Any] | None


@dataclass(frozen=True)
class Outcome:
    """How an intent ended. `status` is the tenant's HTTP status, None when no answer came."""

    state: OutcomeState
    status: int | None
    at: float
    note: str = ""


@dataclass(frozen=True)
class Settlement:
    """What reading the tenant said, later, of an intent whose outcome is unknown.

    Args:
        read: What was read, each as its request line and the status.
    """

    verdict: Verdict
    read: tuple[str, ...]
    at: float


@dataclass(frozen=True)
class Record:
    """One link of the chain; `mac` is `chain.Key.mac` of domain "record" over seq, at, kind, body and prev as stored.

    `kind` is the state a plan took (open, granted, refused, spent), or intent, outcome or settled.
    """

    seq: int
    at: float
    kind: str
    body: Mapping[str, Any]
    prev: str
    mac: str


class Store(Protocol):
    """Durable plans, grants, claims and the chain. Every method is one transaction and may block for disk.

    Raises (all methods): StoreError when the transaction did not happen.
    """

    def keyed_digest(self, value: str | bytes) -> str:
        """HMAC-SHA256 (hex) of a value by the store's key, for bindings, bodies and arguments."""
        ...

    def open_plan(self, plan: Plan) -> Hindrance | None:
        """Write a new plan, state open; of one that asks, only if no other question of its principal is open, and
        nothing of what it is about or would change rests: a principal refused it twice within `RESTS`, the last time
        less than `RESTS` ago.

        Returns: what stands against it; nothing was written then.
        """
        ...

    def asked(self, plan_id: str, how: Way) -> None:
        """Note how a person is asked about an open plan.

        A plan that only forms of processes that are gone ask about ends where it stands in the way of another.
        """
        ...

    def plan(self, plan_id: str) -> StoredPlan | None:
        """Read one plan by id."""
        ...

    def plan_by_code(self, code: str) -> StoredPlan | None:
        """Read the newest plan with this code (case and dash do not matter)."""
        ...

    def latest(self, binding: str, now: float) -> StoredPlan | None:
        """The newest unexpired plan of a binding that is open or granted, or None."""
        ...

    def waiting(self, now: float) -> list[StoredPlan]:
        """Unexpired open plans, oldest first."""
        ...

    def grant(self, plan_id: str, grant: Grant, most: int | None = None) -> bool:
        """open -> granted, if open and unexpired at `grant.at`; the first decision wins.

        Args:
            most: How many plans may ever be granted under `grant.counted_under`; None: not counted.
        Returns: False when it was not open, or as many were granted before.
        """
        ...

    def refuse(self, plan_id: str, reason: str, now: float) -> bool:
        """open -> refused; `declined` counts for the rest of its targets. False: it was not open."""
        ...

    def claim(self, intent: Intent) -> bool:
        """Claim and intent in one durable transaction.

        With a plan: its step must be pending, of the answer that was granted, and exactly this method, path and body;
        the plan granted, unexpired at `intent.at`, and of this principal, profile and origin. The step becomes
        claimed, and the intent takes the kind of that grant. Without a plan only the intent is written.
        False: the claim is not to be had, and nothing was written.
        """
        ...

    def settle(self, intent_id: str, outcome: Outcome) -> None:
        """Write how an intent ended; its step takes the same state. The intent must still be open."""
        ...

    def recover(self, now: float) -> None:
        """Settle as unknown every open intent whose process is gone; its calls become unknown too."""
        ...

    def earlier(self, call: Call) -> RecordedCall | None:
        """The call that this one repeats, or None.

        With a token: the first of that token in the last `KEPT` seconds, however it ended. Without: the newest of the
        same binding that runs, was done after `call.recent` or `call.planned` (and see `call.latest`), or became
        unknown after `call.doubtful`.
        """
        ...

    def begin(self, call: Call) -> RecordedCall | None:
        """Write a call that runs, unless it repeats one: that is returned, and nothing was written."""
        ...

    def recorded(self, call_id: str) -> RecordedCall | None:
        """One call, None once it is forgotten."""
        ...

    def answers(self, tool: str, origin: str, since: float) -> list[tuple[float, dict[str, Any]]]:
        """When calls of a tool on a tenant ended, after `since`, and their redacted answers; the oldest first."""
        ...

    def forget(self, call_id: str) -> None:
        """Drop a call that sent nothing."""
        ...

    def finish(self, call_id: str, state: CallState, at: float, answer: Mapping[str, Any]) -> None:
        """Write how a running call ended, with its redacted answer; one without an intent is dropped."""
        ...

    def spend(self, plan_id: str, reason: str, now: float) -> None:
        """granted -> spent: nothing more of it may be claimed."""
        ...

    def records(self) -> Iterator[Record]:
        """The chain, oldest first."""
        ...

    def verify(self) -> tuple[int, str | None]:
        """Check the chain. Returns the count of good records, and what is wrong with the first bad one, or None."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class Settler(Protocol):
    """What settles by reads what became unknown. Every method is one transaction, and raises as `Store` does."""

    def unsettled(self) -> bool:
        """Whether there may be something to recover or to settle; where nothing was ever written, nothing is made."""
        ...

    def take(self, profile: str, origin: str, now: float, most: int) -> list[Intent]:
        """Recover (see `Store.recover`), then take unknown intents of this profile and tenant to settle them by reads.

        Only of processes that are gone, and none that another living process has taken.
        Returns: the newest of them, at most so many, oldest first.
        """
        ...

    def settled(self, intent: Intent, settlement: Settlement) -> bool:
        """Write what was read of an intent that this store took, as a record of its own; the outcome stays as it is.

        When the same request was sent again since, nothing can be told. Of a call of which nothing happened the plan
        is spent, and the call forgotten, so that it can be made anew. False: it was not this store's to settle.
        """
        ...

    def let_go(self, intent_id: str) -> None:
        """Leave an intent that was taken to whoever comes next."""
        ...

    def plan(self, plan_id: str) -> StoredPlan | None:
        """Read one plan by id."""
        ...
