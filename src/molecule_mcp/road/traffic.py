"""Who calls a road, and what comes out of it; light enough to be imported at start."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from molecule_mcp.capability import Progress
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.store.records import Plan


async def silent(_done: float, _total: float | None, _line: str) -> None:
    """Progress for a caller that asked for none."""


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Args:
        principal: Plans and grants belong to it; "local" for everything this user starts on this machine.
        client: The client's self-reported name and version, for the audit only.
        can_ask: Whether the client can show a form to a person.
        progress: Where progress goes.
        offered: The only tools that this caller is offered; None: all of the process.
    """

    principal: str = "local"
    client: str = ""
    can_ask: bool = False
    progress: Progress = silent
    offered: Container[str] | None = None


@dataclass(frozen=True)
class Done:
    """A finished call: the structured answer, redacted, and its JSON text."""

    structured: dict[str, Any]
    text: str


@dataclass(frozen=True)
class Asked:
    """The call waits for a person: show `plan.question`, then call again with the answer."""

    plan: Plan


class Calls(Protocol):
    """What a server needs of a road."""

    async def call(
        self, caller: Caller, name: str, given: Mapping[str, Any], answer: FormAnswer | None = None
    ) -> Done | Asked:
        """Run one call; see `road.calls.Road.call`."""
        ...

    async def typed(self, code: str, caller: Caller) -> None:
        """Wait a while until a person has typed the secret of this code.

        Raises: GateStop `declined`.
        """
        ...

    async def untyped(self, code: str, action: str) -> None:
        """Raises: GateStop `declined`, which is kept: the client did not open the page for this code."""
        ...

    async def settle(self) -> None:
        """Settle by reads what earlier processes left unknown."""
        ...

    def told(self, error: BaseException) -> str:
        """An error as redacted JSON text; unexpected ones without their own text."""
        ...


class Broken:
    """A road for a program that cannot run: every call tells why, since hosts hide what stands on stderr."""

    def __init__(self, error: MoleculeError) -> None:
        self.error = error

    async def call(
        self, caller: Caller, name: str, given: Mapping[str, Any], answer: FormAnswer | None = None
    ) -> Done | Asked:
        """Raises: the error that stopped the program."""
        raise self.error

    async def typed(self, code: str, caller: Caller) -> None:
        """Nothing is ever asked for."""

    async def untyped(self, code: str, action: str) -> None:
        """Nothing is ever asked for."""

    async def settle(self) -> None:
        """Nothing can be read."""

    def told(self, error: BaseException) -> str:
        """The error as JSON text."""
        told = error.told() if isinstance(error, MoleculeError) else self.error.told()
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False)
