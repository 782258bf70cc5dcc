"""The store on one SQLite file, shared by processes: each change and its chain record are one durable transaction.

Safe to call from any thread. Nothing is opened before the first use. A plan and a yes in a row are sealed with the
chain's key, so a row written from outside is not taken for one; a human yes is verified by the gate besides. Whether a
yes is still unused, and how many were counted, the chain says: a row that was set back changes nothing.
Limits: a process of the same user that reads `chain.key` can write anything here but a signature. By that, or by an
older copy of the whole file, a used yes can be made to look unused, for as long as it would have been good, to a
process that did not use it itself.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from molecule_mcp.errors import StoreError
from molecule_mcp.store import calls, chain, owners, plans, questions, settlements
from molecule_mcp.store.database import BUSY, Database
from molecule_mcp.store.forms import canonical, flat, grant_from, masked, plain_code, plan_from
from molecule_mcp.store.owners import Owner
from molecule_mcp.store.records import (
    Call,
    CallState,
    Grant,
    Hindrance,
    Intent,
    Outcome,
    Plan,
    Record,
    RecordedCall,
    Settlement,
    StoredPlan,
    Way,
)

logger = logging.getLogger(__name__)

_PLAN = "SELECT id, state, given, seal, plan FROM plans WHERE "

_LATEST = (
    f"{_PLAN} binding = ? AND expires > ? AND state IN ('open', 'granted') ORDER BY created DESC, rowid DESC LIMIT 1"
)

# The plan's own word for when it expires: that is what was signed.
_MAY_CLAIM = (
    "SELECT id, digest, given, seal FROM plans WHERE id = ? AND state = 'granted'"
    " AND json_extract(plan, '$.expires') > ?"
    " AND principal = ? AND profile = ? AND origin = ?"
)

_CLAIM = (
    "UPDATE steps SET state = 'claimed' WHERE plan = ? AND answer = ? AND position = ? AND state = 'pending'"
    " AND method = ? AND path = ? AND body_digest = ?"
)

_COUNTED = "SELECT COUNT(*) FROM chain WHERE kind = 'granted' AND json_extract(body, '$.counted_under') = ?"


def unchanged(text: str) -> str:
    """The redaction of a store that was given none."""
    return text


class SqliteStore:
    """`records.Store` and `records.Settler` in `state.db`, with `chain.key` beside it.

    Args:
        folder: The state folder; made with mode 0700 when missing.
        redact: Applied to what intents and chain records hold of the texts of others, before it is sealed and stored.
        busy: Seconds a write waits for another process's write.
    Raises (all methods): StoreError with nothing written; ConfigurationError when the folder or its files are links,
        another user's, open to others, or of another version.
    """

    def __init__(self, folder: Path, *, redact: Callable[[str], str] = unchanged, busy: float = BUSY) -> None:
        self._database = Database(folder, busy)
        self._owner = Owner(folder)
        self._redact = redact
        self._used: set[tuple[str | None, int | None]] = set()

    def keyed_digest(self, value: str | bytes) -> str:
        """HMAC-SHA256 (hex) of a value by the store's key; a short secret cannot be guessed from it."""
        return self._database.key.mac("value", value.encode() if isinstance(value, str) else value)

    def open_plan(self, plan: Plan) -> Hindrance | None:
        """Write a new plan, state open, unless something stands against it; see `records.Store.open_plan`."""
        with self._database.writing() as sql:
            if plan.asks and (found := questions.hindrance(sql, plan, self._living, self._unanswerable)) is not None:
                return found
            plans.write(sql, plan, self._plan_seal(plan))
            names = ("code", "tool", "family", "risk", "principal", "profile", "origin", "digest", "expires")
            told = {"targets": plan.question.targets, **{name: getattr(plan, name) for name in names}}
            self._record(sql, plan.created, "open", {"plan": plan.id, "steps": len(plan.steps), **told})
            return None

    def plan(self, plan_id: str) -> StoredPlan | None:
        """Read one plan by id."""
        return self._found(f"{_PLAN} id = ?", plan_id)

    def plan_by_code(self, code: str) -> StoredPlan | None:
        """Read the newest plan with this code (case, dash and misread letters do not matter)."""
        return self._found(f"{_PLAN} code = ? ORDER BY created DESC, rowid DESC LIMIT 1", plain_code(code))

    def latest(self, binding: str, now: float) -> StoredPlan | None:
        """The newest unexpired plan of a binding that is open or granted, or None."""
        return self._found(_LATEST, binding, now)

    def waiting(self, now: float) -> list[StoredPlan]:
        """Unexpired open plans, oldest first."""
        with self._database.reading() as sql:
            rows = sql.execute(f"{_PLAN} state = 'open' AND expires > ? ORDER BY created, rowid", (now,)).fetchall()
            return [self._stored(sql, row) for row in rows]

    def asked(self, plan_id: str, how: Way) -> None:
        """Note how an open plan is asked about; see `records.Store.asked`."""
        with self._database.writing() as sql:
            if how == "form":
                self._owner.hold()
            questions.asked(sql, plan_id, self._owner.name if how == "form" else "")

    def grant(self, plan_id: str, grant: Grant, most: int | None = None) -> bool:
        """open -> granted, if open and unexpired at `grant.at`, and fewer than `most` were under `counted_under`."""
        given = canonical(flat(grant))
        with self._database.writing() as sql:
            if most is not None and self._counted(sql, grant.counted_under) >= most:
                return False
            row = sql.execute(
                "SELECT digest FROM plans WHERE id = ? AND state = 'open' AND expires > ?", (plan_id, grant.at)
            ).fetchone()
            if row is None:
                return False
            seal = self._seal(plan_id, row[0], given)
            sql.execute("UPDATE plans SET state = 'granted', given = ?, seal = ? WHERE id = ?", (given, seal, plan_id))
            self._record(sql, grant.at, "granted", {"plan": plan_id, "digest": row[0], **flat(grant)})
        return True

    def refuse(self, plan_id: str, reason: str, now: float) -> bool:
        """open -> refused; `declined` counts for the rest of its targets. False: it was not open."""
        return self._end(plan_id, "open", "refused", reason, now)

    def spend(self, plan_id: str, reason: str, now: float) -> None:
        """granted -> spent: nothing more of it may be claimed. Any other state stays."""
        self._end(plan_id, "granted", "spent", reason, now)

    def claim(self, intent: Intent) -> bool:
        """Claim and intent in one durable transaction.

        With a plan: its step must be pending, of the answer that was granted, and exactly this method, path and body;
        the plan granted, unexpired at `intent.at`, and of this principal, profile and origin. The intent takes the
        kind of that grant. Without a plan only the intent is written. False: nothing was written.
        """
        with self._database.writing() as sql:
            answer = None
            if intent.plan_id is not None or intent.index is not None:
                grant = self._claimed(sql, intent)
                if grant is None:
                    return False
                answer, intent = grant.answer, replace(intent, grant=grant.kind)
            self._owner.hold()
            told = masked(flat(intent), self._redact)
            told["exact"] = told["path"] == intent.path
            sql.execute(
                "INSERT INTO intents VALUES (?, ?, ?, ?, ?, 'open', ?, ?)",
                (intent.id, self._owner.name, intent.plan_id, answer, intent.index, canonical(told), intent.call),
            )
            self._record(sql, intent.at, "intent", {**told, "answer": answer})
        self._used.add((intent.plan_id, intent.index))
        return True

    def settle(self, intent_id: str, outcome: Outcome) -> None:
        """Write how an intent ended; its step takes the same state.

        Raises: StoreError, also when no such intent is open; `sent` is then "unknown", since a request may have left.
        """
        try:
            with self._database.writing() as sql:
                self._settle(sql, intent_id, outcome)
        except StoreError as fault:
            raise StoreError(
                f"how a request ended could not be recorded: {fault.message}",
                sent="unknown",
                advice="Read the tenant to learn what became of it; do not simply repeat the call.",
            ) from fault

    def earlier(self, call: Call) -> RecordedCall | None:
        """The call that this one repeats, or None; see `records.Store.earlier`."""
        with self._database.reading() as sql:
            return calls.earlier(sql, call)

    def begin(self, call: Call) -> RecordedCall | None:
        """Write a call that runs, unless it repeats one: that is returned, and nothing was written."""
        with self._database.writing() as sql:
            if (found := calls.earlier(sql, call)) is None:
                self._owner.hold()
                calls.begin(sql, self._owner.name, call)
            return found

    def recorded(self, call_id: str) -> RecordedCall | None:
        """One call, None once it is forgotten."""
        with self._database.reading() as sql:
            return calls.recorded(sql, call_id)

    def answers(self, tool: str, origin: str, since: float) -> list[tuple[float, dict[str, Any]]]:
        """When calls of a tool ended and what they were answered; see `records.Store.answers`."""
        with self._database.reading() as sql:
            return calls.answers(sql, tool, origin, since)

    def forget(self, call_id: str) -> None:
        """Drop a call that sent nothing."""
        with self._database.writing() as sql:
            calls.forget(sql, call_id)

    def finish(self, call_id: str, state: CallState, at: float, answer: Mapping[str, Any]) -> None:
        """Write how a running call ended, with its redacted answer; one without an intent is dropped."""
        with self._database.writing() as sql:
            calls.finish(sql, call_id, state, at, answer)

    def recover(self, now: float) -> None:
        """Settle as unknown every open intent whose process is gone.

        A process that still lives keeps its own; what became of a send can only be learned by reading the tenant.
        """
        with self._database.writing() as sql:
            self._recover(sql, now)

    def unsettled(self) -> bool:
        """Whether there may be something to recover or to settle; without a file there is none, and none is made."""
        if not self._database.exists():
            return False
        with self._database.reading() as sql:
            return settlements.waiting(sql)

    def take(self, profile: str, origin: str, now: float, most: int) -> list[Intent]:
        """Recover, then take unknown intents to settle them; see `records.Settler.take`."""
        with self._database.writing() as sql:
            living = self._recover(sql, now)
            self._owner.hold()
            for intent_id, call in settlements.unreadable(sql, self._owner.name, living):
                logger.warning("intent %s cannot be read; what became of it cannot be told", intent_id)
                settlement = Settlement("cannot_be_told", (), now)
                settlements.write(sql, self._owner.name, intent_id, settlement)
                self._record(sql, now, "settled", {"intent": intent_id, **flat(settlement)})
                calls.settle(sql, call)
            return settlements.take(sql, self._owner.name, living, profile, origin, most)

    def settled(self, intent: Intent, settlement: Settlement) -> bool:
        """Write what was read of an intent that this store took; see `records.Settler.settled`."""
        with self._database.writing() as sql:
            if not intent.exact or settlements.repeated(sql, intent.id):
                settlement = replace(settlement, verdict="cannot_be_told")
            settlement = replace(settlement, read=tuple(map(self._redact, settlement.read)))
            if not settlements.write(sql, self._owner.name, intent.id, settlement):
                return False
            names = ("tool", "method", "path")
            told = {"intent": intent.id, **{name: getattr(intent, name) for name in names}, **flat(settlement)}
            self._record(sql, settlement.at, "settled", told)
            if settlement.verdict == "did_not_happen" and intent.plan_id is not None:
                self._ended(sql, intent.plan_id, "granted", "spent", "settled", settlement.at)
            calls.settle(sql, intent.call)
        return True

    def let_go(self, intent_id: str) -> None:
        """Leave an intent that was taken to whoever comes next."""
        with self._database.writing() as sql:
            settlements.let_go(sql, self._owner.name, intent_id)

    def records(self) -> Iterator[Record]:
        """The chain, oldest first, unchecked; read as it is asked for."""
        with self._database.scanning() as sql:
            yield from chain.records(sql)

    def verify(self) -> tuple[int, str | None]:
        """Check the chain. Returns the count of good records, and what is wrong with the first bad one, or None."""
        with self._database.scanning(bytes) as sql:
            return chain.verify(sql, self._database.key)

    def close(self) -> None:
        """Release the file; every later use is a StoreError."""
        self._database.close()
        self._owner.leave()

    def _record(self, sql: Connection, at: float, kind: str, body: dict[str, Any]) -> None:
        chain.append(sql, self._database.key, at, kind, canonical(masked(body, self._redact)))

    def _seal(self, plan_id: str, digest: str, given: str) -> str:
        return self._database.key.mac("grant", plan_id.encode(), digest.encode(), given.encode())

    def _plan_seal(self, plan: Plan) -> str:
        return self._database.key.mac("plan", plan.id.encode(), plan.digest.encode())

    def _counted(self, sql: Connection, counter: str) -> int:
        """How many yeses were counted under this, as long as none of the chain is missing."""
        with self._database.scanning(bytes) as whole:
            _, wrong = chain.verify(whole, self._database.key)
        if wrong is not None:
            raise StoreError(
                f"the audit chain was changed from outside: {wrong}", advice="Run: molecule-mcp audit verify"
            )
        return sql.execute(_COUNTED, (counter,)).fetchone()[0]

    def _unused(self, sql: Connection, plan_id: str, index: int | None) -> bool:
        """Whether a plan's yes was neither ended nor used for this step since it was given, by the chain's word.

        Raises: StoreError when the chain does not tell of that yes.
        """
        if (plan_id, index) in self._used:
            return False
        for record in chain.newest(sql, self._database.key):
            body = record.body
            if record.kind == "intent" and (body["plan_id"], body["index"]) == (plan_id, index):
                return False
            if record.kind in {"granted", "spent"} and body["plan"] == plan_id:
                return record.kind == "granted"
        raise StoreError("a plan's grant is not in the audit chain; it grants nothing")

    def _given(self, plan_id: str, digest: str, given: str | None, seal: str | None) -> Grant:
        if given is None or seal != self._seal(plan_id, digest, given):
            raise StoreError("a plan's grant was changed from outside; it grants nothing")
        return grant_from(given)

    def _found(self, query: str, *values: object) -> StoredPlan | None:
        with self._database.reading() as sql:
            row = sql.execute(query, values).fetchone()
            return None if row is None else self._stored(sql, row)

    def _stored(self, sql: Connection, row: tuple[Any, ...]) -> StoredPlan:
        plan_id, state, given, seal, text = row
        plan = plan_from(text)
        if state in ("open", "refused"):
            if seal != self._plan_seal(plan):
                raise StoreError("a plan was changed from outside; it cannot be allowed")
            return StoredPlan(plan, state)
        grant = self._given(plan_id, plan.digest, given, seal)
        query = "SELECT position, state FROM steps WHERE plan = ? AND answer = ? ORDER BY position"
        return StoredPlan(plan, state, grant, dict(sql.execute(query, (plan_id, grant.answer))))

    def _recover(self, sql: Connection, now: float) -> set[str]:
        """Settle as unknown what the dead left open. Returns: who lives."""
        living, left = owners.survey(self._database.folder)
        rows = sql.execute("SELECT id, owner FROM intents WHERE state = 'open' ORDER BY rowid").fetchall()
        for intent_id, owner in rows:
            if owner not in living:
                note = "the process ended before the outcome was recorded"
                self._settle(sql, intent_id, Outcome("unknown", None, now, note))
        calls.recover(sql, living, now)
        for path in left:
            path.unlink(missing_ok=True)
        return living

    def _living(self) -> set[str]:
        return owners.survey(self._database.folder)[0]

    def _unanswerable(self, sql: Connection, plan_id: str, now: float) -> None:
        self._ended(sql, plan_id, "open", "refused", "unanswerable", now)

    def _end(self, plan_id: str, before: str, after: str, reason: str, now: float) -> bool:
        with self._database.writing() as sql:
            return self._ended(sql, plan_id, before, after, reason, now)

    def _ended(self, sql: Connection, plan_id: str, before: str, after: str, reason: str, now: float) -> bool:
        change = sql.execute("UPDATE plans SET state = ? WHERE id = ? AND state = ?", (after, plan_id, before))
        if change.rowcount == 0:
            return False
        if reason == "declined":
            questions.declined(sql, plan_id, now)
        self._record(sql, now, after, {"plan": plan_id, "reason": reason})
        return True

    def _claimed(self, sql: Connection, intent: Intent) -> Grant | None:
        asked = (intent.plan_id, intent.at, intent.principal, intent.profile, intent.origin)
        row = sql.execute(_MAY_CLAIM, asked).fetchone()
        if row is None:
            return None
        grant = self._given(*row)
        wanted = (intent.plan_id, grant.answer, intent.index, intent.method, intent.path, intent.body_digest)
        unused = self._unused(sql, row[0], intent.index)
        return grant if unused and sql.execute(_CLAIM, wanted).rowcount == 1 else None

    def _settle(self, sql: Connection, intent_id: str, outcome: Outcome) -> None:
        row = sql.execute(
            "SELECT plan, answer, position FROM intents WHERE id = ? AND state = 'open'", (intent_id,)
        ).fetchone()
        if row is None:
            raise StoreError("no such intent is open")
        sql.execute("UPDATE intents SET state = ? WHERE id = ?", (outcome.state, intent_id))
        sql.execute("UPDATE steps SET state = ? WHERE plan = ? AND answer = ? AND position = ?", (outcome.state, *row))
        self._record(sql, outcome.at, "outcome", {"intent": intent_id, **flat(outcome)})
