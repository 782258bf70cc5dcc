"""What a road is made of; the composition root builds it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from molecule_mcp.capability import Capability, Wait
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.policy import Ability, Profile
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.turns import Turns
from molecule_mcp.secrets import Outputs, Secrets
from molecule_mcp.store.records import Settler, Store
from molecule_mcp.tenant import Wire


@dataclass(frozen=True)
class Context:
    """Everything a road is made of; built once by the composition root.

    Args:
        origin: The tenant's origin, bound into every plan.
        sample: Whether this is the embedded tenant; every answer then says so.
        wire: The connection, made at first use.
        store: The durable record, opened at the first changing call.
        keyed_digest: Keyed digest (hex) of a text or of bytes, by the store's key.
        approver: The approver's public key (32 bytes), or None when none is set up.
        find: A tool's record by name, or None.
        missing: What a name without a record is answered.
        allow_wait: Seconds a call waits for a yes from outside the model's channel.
        wait: How time passes between two looks: of a tool that follows something, or at what a person does.
        allow_line: The command a person runs, up to the code; approver_line: the one that sets up an approver.
        runnable: Makes commands in an advice those that a person can run here.
        settler: What settles by reads what became unknown; None: nothing is.
        turns: Which sends of this process are under way together.
        recalls: Whether a question tells by which names a workspace went, which the store knows.
        page: Address of the page that this process serves people, None when it serves none.
    """

    profile: Profile
    origin: str
    sample: bool
    wire: Callable[[], Wire]
    store: Callable[[], Store]
    keyed_digest: Callable[[str | bytes], str]
    approver: Callable[[], bytes | None]
    secrets: Secrets
    outputs: Outputs
    redactor: Redactor
    find: Callable[[str], Capability | None]
    missing: Callable[[str], MoleculeError]
    allow_wait: float
    allow_line: str
    approver_line: str
    page: Callable[[], str | None] = lambda: None
    runnable: Callable[[str], str] = str
    settler: Settler | None = None
    recalls: bool = True
    clock: Callable[[], float] = field(default=time.time)
    wait: Wait = anyio.sleep
    turns: Turns = field(default_factory=Turns)

    async def opened(self) -> None:
        """Open the store in a thread, before anything of it is used: that makes files, and may wait for others."""
        await anyio.to_thread.run_sync(self.store)


def ability(capability: Capability) -> Ability:
    """What policy reads of a tool."""
    return Ability(capability.name, capability.risk, capability.sends, capability.optional)
