"""What a row is made of, and short ways to write one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from molecule_mcp.embedded.sample import sample_id

SECRET = "env:MOLECULE_SECRET_TEST"
BOT = "env:MOLECULE_SECRET_BOT"
ENVIRON = {
    "MOLECULE_SECRET_TEST": "sesame-0123456789",
    "MOLECULE_SECRET_BOT": "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQ",
}
"""What the server's environment holds, for references."""


@dataclass(frozen=True)
class Case:
    """One call.

    Args:
        arguments: As a model gives them.
        says: Text that its answer holds; a row of a tool that only reads needs one.
        at: Path that is read past the server, before and after.
        seen: Of what is read there: whether the effect is there. It must not be before the call.
        unseen: Why no read of the tenant shows the effect; then the request that arrived has to do.
        hosted: Whether only a hosted tenant does it.
        vague: Whether its answer itself says what could not be read back, or claims nothing.
        doubt: Whether a refusal, too, may leave open what it did.
        follows: Whether it goes on looking for half a minute when the answer to its change is lost.
        raw: Whether what it reads before its change may be anything, or nothing.
        blind: Whether the tool changes something without a read before.
    """

    arguments: dict[str, Any]
    says: str = ""
    at: str = ""
    seen: Callable[[Any], bool] | None = None
    unseen: str = ""
    hosted: bool = False
    vague: bool = False
    doubt: bool = False
    follows: bool = False
    raw: bool = False
    blind: bool = False


def workspace(key: str) -> str:
    """The id of a workspace of the sample."""
    return sample_id("workspaces", key)


def of(key: str, /, **more: Any) -> dict[str, Any]:
    """Arguments that begin with a workspace."""
    return {"workspace_id": workspace(key), **more}


def under(key: str, *parts: str) -> str:
    """A path below a workspace of the sample."""
    return "/".join(["", "workspaces", workspace(key), *parts])


def has(**fields: Any) -> Callable[[Any], bool]:
    """Whether an object, or one of a list of them, has these values."""

    def seen(told: Any) -> bool:
        rows = cast("list[dict[str, Any]]", told if isinstance(told, list) else [told])
        return any(all(row.get(name) == value for name, value in fields.items()) for row in rows)

    return seen


def lacks(**fields: Any) -> Callable[[Any], bool]:
    """Whether no object of a list has these values."""
    return lambda told: not has(**fields)(told)


def within(name: str, seen: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The same of one field of an object."""
    return lambda told: seen(told.get(name))
