"""What a tool is, as data: its risk, the routes it may send, and what a person is shown before it runs.

A family module makes one `Family` and decorates plain typed async functions with `family.tool(...)`. The decorator
records and returns the function untouched; schema, policy, gate, audit, docs and tests read the record.
Pure data: no HTTP, no disk, no MCP.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Tells the caller how far a long call is: done, total or None, a line of text. A tool takes it as `progress`."""

Wait = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass, between two looks at the tenant. A tool takes it as `wait`."""


Run = Callable[[Sequence[Mapping[str, Any]]], Awaitable[Any]]
"""Runs calls of other tools ({tool, arguments}) as one plan. A tool that takes it as `run` has no routes of its own,
and the road answers for it."""


class Risk(IntEnum):
    """How much a call can cost, in rising order; the rules stand in docs/risks.md."""

    READ = 0
    WRITE = 1
    DISRUPT = 2
    DESTROY = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The risk as written in TOML, JSON and text: `read` ... `critical`."""
        return self.name.lower()


CHANGING_READS = frozenset(
    {
        "GET /approvals/pending",
        "GET /admin/workspaces/{id}/test-token",
        "GET /workspaces/{id}/terminal",
        "GET /cp/{path}",
    }
)
"""Routes that read by their method and change by their effect, as the contract has it; tools use only the first."""


READING_POSTS = frozenset({"POST /registry/check-access"})
"""Routes that change by their method and only read by their effect."""


def changing(route: str) -> bool:
    """Whether a route can change the tenant; the method alone does not tell."""
    return (not route.startswith(("GET ", "HEAD ")) and route not in READING_POSTS) or route in CHANGING_READS


OWNED_ROWS = {
    "GET /workspaces": "id",
    "GET /events": "workspace_id",
    "GET /admin/schedules/health": "workspace_id",
    "GET /workspaces/{id}/memories": "workspace_id",
}
"""Lists of rows of several workspaces -> where a row says whose it is; a bound profile gets its own rows, and of the
lists that no workspace stands in the path of, it may read no other."""

NAMED_IN_BODY = frozenset({"POST /registry/check-access"})
"""Routes of no workspace in their path whose body names every workspace that they are about."""

OF_ONE_WORKSPACE = ("/workspaces/{id}", "/events/{workspaceId}")
"""Beginnings of templates that stay within the workspace their first parameter names; exporting a bundle does not."""


def within_workspaces(route: str) -> bool:
    """Whether a profile that is bound to workspaces can use a route at all."""
    return route.split(" ", 1)[1].startswith(OF_ONE_WORKSPACE) or route in OWNED_ROWS or route in NAMED_IN_BODY


UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
"""The form of every id of the tenant's but a few."""


class Own(str):
    """Words of ours, shown to a person as they are; any other text in a `Fact` is the tenant's and is quoted."""

    __slots__ = ()


def printable(text: str) -> str:
    """One line of printable ASCII; every other character stands as its code: `\\u{202e}`."""
    return "".join(each if " " <= each <= "~" else f"\\u{{{ord(each):x}}}" for each in text)


def quoted(text: str, limit: int = 48) -> Own:
    """Tenant text as a person may safely see it: in quotes, `printable`, cut, without "://" and without gaps.

    A code in it is ours alone: the text's own backslashes are doubled. Of two blanks in a row the second stands as
    its code, so that no padding looks like the end of a line.
    """
    shown = printable(text[:limit].replace("\\", "\\\\")).replace("  ", " \\u{20}")
    shown = shown.replace('"', "'").replace("://", ":[//]")
    return Own(f'"{shown}"' + ("..." if len(text) > limit else ""))


LINE = 160
"""Characters of a text on one line of a question."""


def lines(text: str) -> tuple[Own, ...]:
    """The whole of a text for a person's eyes, as quoted pieces in their order."""
    return tuple(quoted(text[start : start + LINE], LINE) for start in range(0, len(text), LINE)) or (quoted(""),)


def in_full(text: str) -> "Own | tuple[Own, ...]":
    """The same on the line of its label where one line holds it."""
    found = lines(text)
    return found[0] if len(found) == 1 else found


def exactly(text: str) -> Own:
    """The same on one line, however long: within a line that says more."""
    return quoted(text, len(text))


@dataclass(frozen=True)
class Fact:
    """One line of a preview, or a list under one label: a fixed label of ours, and what a live read said."""

    label: str
    value: str | int | tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One send of a plan: the tool's arguments for it, and the stable facts it was shown with.

    Stable facts are existence, id, parent, name, secret key names, schedule and channel ids; never status or counts.
    """

    arguments: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Preview:
    """What would happen, from live reads.

    Args:
        headline: Our own words, without tenant text: "Delete 1 workspace".
        facts: What a person must know, most important first.
        items: The sends, in order.
        target: The name (and id) that a typed phrase is made from.
        choices: For tools whose form is the decision: answer -> arguments it sets on every item.
        touches: Ids of every workspace this would change; all must be in a bound profile's set.
    """

    headline: Own
    facts: tuple[Fact, ...]
    items: tuple[Item, ...]
    target: tuple[str, str]
    touches: frozenset[str]
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True)
class Past:
    """A changing request whose outcome is unknown, as far as it is still known itself.

    Args:
        parameters: Those of its path, by the route's names.
        at: Seconds since the epoch when it left; the tenant's clock may be another.
        arguments: The tool's, when a person was shown them; empty otherwise.
    """

    parameters: Mapping[str, str]
    query: Mapping[str, str]
    at: float
    arguments: Mapping[str, Any]


class FromPerson:
    """Annotation of a parameter that no caller can give: the person's answer sets it (see `Preview.choices`)."""


class WorkspaceName:
    """Annotation of a parameter that holds a workspace's id or exact name; a bound profile finds its own only."""


class Workspace:
    """Annotation of a parameter that holds a workspace id, so that a bound profile can check it."""


@dataclass(frozen=True)
class Capability:
    """One tool: the function, and the facts about it that everything else reads."""

    name: str
    family: str
    risk: Risk
    sends: frozenset[str]
    function: Callable[..., Awaitable[Any]]
    title: str
    preview: Callable[..., Awaitable[Preview]] | None
    raised_by: Mapping[str, Risk | Mapping[str, Risk]]
    raised_by_fact: Mapping[str, Risk]
    facts: Callable[..., Awaitable[Mapping[str, bool]]] | None
    idempotent: bool
    open_world: bool
    optional: frozenset[str] = frozenset()
    settle: Callable[..., Awaitable[bool | None]] | None = None

    @cached_property
    def highest(self) -> Risk:
        """The highest risk any argument or live fact can raise this tool to."""
        raised = [Risk.CRITICAL if self.combines else self.risk, *self.raised_by_fact.values()]
        for by in self.raised_by.values():
            raised += [by] if isinstance(by, Risk) else by.values()
        return max(raised)

    @cached_property
    def combines(self) -> bool:
        """Whether it is made of calls of other tools, whose risks are its own."""
        return "run" in inspect.signature(self.function).parameters

    @cached_property
    def options(self) -> tuple[str, ...]:
        """What a call of it takes besides its own arguments, see `arguments.Options`: nothing for a pure read."""
        if self.highest is Risk.READ:
            return ()
        return ("dry_run",) if self.idempotent or self.combines else ("dry_run", "client_token")

    def raised(self, arguments: Mapping[str, Any]) -> Risk:
        """The risk of a call with these arguments, before live facts."""
        risk = self.risk
        for name, by in self.raised_by.items():
            value = arguments.get(name)
            if isinstance(by, Risk):
                raised = [by] if value else []
            else:
                entries = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
                raised = [by.get(written(each), risk) for each in entries]
            risk = max([risk, *raised])
        return risk


def written(value: Any) -> str:
    """A value as `raised_by` names it: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Family:
    """A group of tools that share a module and a toolset name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.capabilities: dict[str, Capability] = {}

    def tool(
        self,
        risk: Risk,
        *,
        sends: list[str],
        title: str,
        preview: Callable[..., Awaitable[Preview]] | None = None,
        raised_by: Mapping[str, Risk | Mapping[str, Risk]] | None = None,
        raised_by_fact: Mapping[str, Risk] | None = None,
        facts: Callable[..., Awaitable[Mapping[str, bool]]] | None = None,
        idempotent: bool = True,
        open_world: bool = False,
        optional: Sequence[str] = (),
        settle: Callable[..., Awaitable[bool | None]] | None = None,
    ) -> Callable[[Function], Function]:
        """Record a tool.

        Args:
            risk: Its floor; arguments and facts may raise it.
            sends: Every route it may use, as the contract writes them: "DELETE /workspaces/{id}".
            title: The name a person sees in a host.
            preview: Required when the risk can reach destroy: same arguments, live reads, what would happen.
            raised_by: Argument name -> risk when truthy, or -> {value: risk}; of a list every entry counts.
            raised_by_fact: Name of a live fact -> risk when true or unread; `facts` reads them.
            idempotent: Whether repeating the call changes nothing more (a hint for hosts).
            open_world: Whether it reaches people or systems outside the tenant (a hint for hosts).
            optional: Those of `sends` that only some arguments lead to, so that a profile may lack them.
            settle: Takes (tenant, past) and reads, after a crash, whether its request took effect: None when reading
                cannot tell. Only where the tenant's state tells it honestly.
        """

        def record(function: Function) -> Function:
            name = function.__name__
            capability = Capability(
                name=name,
                family=self.name,
                risk=risk,
                sends=frozenset(sends),
                function=function,
                title=title,
                preview=preview,
                raised_by=raised_by or {},
                raised_by_fact=raised_by_fact or {},
                facts=facts,
                idempotent=idempotent,
                open_world=open_world,
                optional=frozenset(optional),
                settle=settle,
            )
            if capability.highest >= Risk.DESTROY and preview is None and not capability.combines:
                raise TypeError(f"{name} can reach {capability.highest.label} and has no preview")
            if bool(capability.raised_by_fact) != bool(facts):
                raise TypeError(f"{name} needs both raised_by_fact and facts, or neither")
            if unknown := capability.raised_by.keys() - inspect.signature(function).parameters.keys():
                raise TypeError(f"{name} is raised by {', '.join(sorted(unknown))}, which it does not take")
            if taken := {"dry_run", "client_token"} & inspect.signature(function).parameters.keys():
                raise TypeError(f"{name} takes {', '.join(sorted(taken))}, which every changing call has anyway")
            if strange := capability.optional - capability.sends:
                raise TypeError(f"{name} does not send {', '.join(sorted(strange))}")
            if name in self.capabilities:
                raise TypeError(f"{name} is recorded twice")
            self.capabilities[name] = capability
            return function

        return record
