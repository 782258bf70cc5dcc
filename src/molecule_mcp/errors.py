"""Every error of the program, in one tree, each named by what the caller now knows.

    MoleculeError
    +-- ConfigurationError       the settings are half or wrong; nothing can be called
    +-- ArgumentError            the arguments are not acceptable; nothing was sent
    +-- PolicyRefusal            this profile may not do that; nothing was sent
    +-- GateStop                 a person's yes is missing, refused, used up or out of date
    +-- StoreError               the durable record could not be written; `sent` says whether that was before a send
    +-- TenantError
        +-- TenantUnreachable    no answer came back; `sent` says whether bytes may have left
        +-- TenantRefused        the tenant answered with an error status
        +-- TenantUnreadable     an answer came, but not one the contract knows

Every error says `sent`: False (no changing request left), True, or "unknown".
No error text ever holds a credential, a secret value or a rejected argument value.
"""

from typing import Any, ClassVar, Literal

Sent = bool | Literal["unknown"]


class MoleculeError(Exception):
    """Root of the tree.

    Args:
        message: One sentence for a person or an agent.
        sent: Whether a changing request left the process.
        advice: One thing to try next, or None.
        details: Further JSON-able facts, merged into what is told.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        sent: Sent = False,
        advice: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sent: Sent = sent
        self.advice = advice
        self.details = details or {}

    def told(self) -> dict[str, Any]:
        """The error as the JSON object that an agent reads."""
        told: dict[str, Any] = {"error": self.kind, "message": self.message, "sent": self.sent, **self.details}
        if self.advice:
            told["advice"] = self.advice
        return told

    @property
    def kind(self) -> str:
        """The machine-readable name of what happened."""
        return self.code


class ConfigurationError(MoleculeError):
    """The settings are incomplete or contradict each other."""

    code = "configuration"


class ArgumentError(MoleculeError):
    """An argument is missing, unknown or not of its kind; the text names fields and rules, never values."""

    code = "arguments"


class PolicyRefusal(MoleculeError):
    """The profile in force does not allow this call."""

    code = "forbidden_by_policy"


class StoreError(MoleculeError):
    """The durable record could not be written; before a send that means nothing was sent, `sent` says so."""

    code = "store"


class GateStop(MoleculeError):
    """The gate did not let the call through, or stopped it on the way; `status` says why."""

    code = "gate"

    def __init__(
        self,
        status: str,
        message: str,
        *,
        sent: Sent = False,
        advice: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, sent=sent, advice=advice, details=details)
        self.status = status

    @property
    def kind(self) -> str:
        return self.status


class TenantError(MoleculeError):
    """Anything that went wrong between this process and the tenant."""

    code = "tenant"


class TenantUnreachable(TenantError):
    """No answer came back."""

    code = "unreachable"


class TenantUnreadable(TenantError):
    """The tenant answered, but not with what the contract describes."""

    code = "unreadable_answer"


class TenantRefused(TenantError):
    """The tenant answered 3xx, 4xx or 5xx; after a 5xx to a changing request what changed is unknown, and after any of
    them to a message, which may be the agent's own answer, what the agent did."""

    code = "refused"

    def __init__(
        self,
        status: int,
        message: str,
        *,
        sent: Sent = False,
        advice: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message, sent=sent, advice=advice, details={"status": status})
        self.status = status
        self.body = body
