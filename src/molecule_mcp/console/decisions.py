"""A person's decision on a waiting call: found by its code, shown as this program renders it, signed with a passphrase.

The one way to a grant of kind `human`, whatever it is typed into. Blocks: for disk, and for the passphrase's scrypt.
"""

import time
from pathlib import Path

from molecule_mcp.errors import ArgumentError, GateStop
from molecule_mcp.gate import grants
from molecule_mcp.store import approver
from molecule_mcp.store.records import Grant, Store, StoredPlan


def state_of(stored: StoredPlan, now: float) -> str:
    """Open, granted, refused or spent, as the store has it; or "expired" for what nothing more can come of."""
    return "expired" if stored.state in {"open", "granted"} and stored.plan.expires <= now else stored.state


def found(store: Store, code: str) -> StoredPlan:
    """The plan under this code, whatever became of it.

    Raises: ArgumentError when there is none; GateStop `damaged_plan` when it is not the one that was made.
    """
    stored = store.plan_by_code(code)
    if stored is None:
        raise ArgumentError("No call waits under this code.", advice="Run: molecule-mcp allow")
    if not grants.intact(stored.plan):
        raise GateStop("damaged_plan", "The plan was changed after it was made; it cannot be allowed.")
    return stored


def looked_up(store: Store, code: str) -> tuple[StoredPlan, str]:
    """The plan under this code, and its state now.

    Raises: as `found`.
    """
    stored = found(store, code)
    return stored, state_of(stored, time.time())


def waiting(store: Store) -> list[StoredPlan]:
    """Every plan that waits for a person and is still the one that was made, oldest first."""
    return [stored for stored in store.waiting(time.time()) if grants.intact(stored.plan)]


def open_plan(store: Store, code: str) -> StoredPlan:
    """The plan that waits under this code.

    Raises: as `found`; GateStop `plan_used` when it has ended.
    """
    stored, state = looked_up(store, code)
    if state != "open":
        raise GateStop("plan_used", f"That plan is {state}.", advice="The agent has to call the tool again.")
    return stored


def requests(stored: StoredPlan) -> list[str]:
    """The exact requests a yes lets through, per answer: "allow: DELETE /workspaces/..."."""
    return [f"{step.answer}: {step.method} {step.path}" for step in stored.plan.steps]


def refuse(store: Store, stored: StoredPlan, reason: str = "declined") -> bool:
    """A no; it needs no passphrase. False: the plan had ended meanwhile."""
    return store.refuse(stored.plan.id, reason, time.time())


def allow(store: Store, folder: Path, stored: StoredPlan, chosen: str, passphrase: str) -> None:
    """Sign the yes to one of the plan's answers with the approver's key.

    Args:
        folder: The state folder, which holds the approver's files.
    Raises: GateStop for a wrong passphrase, a locked key, or a plan decided meanwhile; then nothing is granted.
    """
    signer = approver.unlock(folder, passphrase)
    now = time.time()
    signature = signer.sign(grants.message(stored.plan.digest, chosen, now)).hex()
    if not store.grant(stored.plan.id, Grant("human", chosen, now, signature, signer.fingerprint)):
        raise GateStop("plan_used", "The plan ended meanwhile; nothing was allowed.")
