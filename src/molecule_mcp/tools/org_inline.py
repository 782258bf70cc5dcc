"""An organization template given in a call: checked more strictly than the tenant does, and shown to a person.

Contract schema OrgTemplate. The tenant ignores what it does not know, skips bad schedules without a word, and fills
`${NAME}` from its own environment; here all of that is refused. Secrets of channels come by reference.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from molecule_mcp.capability import Fact, Own, exactly, quoted
from molecule_mcp.errors import ArgumentError
from molecule_mcp.secrets import Secrets
from molecule_mcp.tools.channel_config import SECRET, Platform, a_reference
from molecule_mcp.tools.cron import complaint
from molecule_mcp.tools.texts import every_part, storable
from molecule_mcp.tools.workspaces import counted

MOST = 100
"""Workspaces of one template; nobody reads a longer list."""
INT32 = 2**31

Number = Annotated[int, Field(ge=-INT32, lt=INT32)]


class Part(BaseModel):
    """Base of what a template is made of."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Group(Part):
    """Secrets of which one is enough."""

    any_of: Annotated[list[str], Field(min_length=1)]


class Memory(Part):
    """A memory that a workspace begins with."""

    content: Annotated[str, Field(min_length=1)]
    scope: Literal["LOCAL", "TEAM", "GLOBAL"] = "LOCAL"


class Schedule(Part):
    """When an agent is told what."""

    name: str
    cron_expr: str
    timezone: str = "UTC"
    prompt: Annotated[str, Field(min_length=1)]
    enabled: bool = True


class Channel(Part):
    """A chat channel; its secrets are references."""

    type: Platform
    config: dict[str, str]
    allowed_users: list[str] | None = None
    enabled: bool = True


class Defaults(Part):
    """What holds for every workspace that says nothing else."""

    runtime: str = ""
    tier: Number = 0
    model: str = ""
    plugins: list[str] | None = None
    initial_prompt: str = ""
    idle_prompt: str = ""
    idle_interval_seconds: Number = 0
    category_routing: dict[str, list[str]] | None = None
    initial_memories: list[Memory] | None = None


class Canvas(Part):
    """A place on the canvas."""

    x: float
    y: float


class Node(Defaults):
    """A workspace, and those below it."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    role: str = ""
    template: str = ""
    system_prompt: str = ""
    workspace_dir: str = ""
    workspace_access: Literal["", "none", "read_only", "read_write"] = ""
    max_concurrent_tasks: Number = 1
    schedules: list[Schedule] | None = None
    channels: list[Channel] | None = None
    external: bool = False
    url: str = ""
    canvas: Canvas | None = None
    required_env: list[str | Group] | None = None
    recommended_env: list[str | Group] | None = None
    children: "list[Node] | None" = None

    def nodes(self) -> "Iterator[Node]":
        """This one and every one below it, parents first."""
        yield self
        for each in self.children or []:
            yield from each.nodes()


class OrgTemplate(Part):
    """A whole template."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: str = ""
    defaults: Defaults | None = None
    workspaces: Annotated[list[Node], Field(min_length=1)]
    global_memories: list[Memory] | None = None
    required_env: list[str | Group] | None = None
    recommended_env: list[str | Group] | None = None

    @property
    def nodes(self) -> list[Node]:
        """Every workspace, in the order it is made in."""
        return [each for root in self.workspaces for each in root.nodes()]

    @property
    def required(self) -> list[tuple[str, ...]]:
        """What must be there: of each entry one name."""
        every = [*(self.required_env or []), *(one for node in self.nodes for one in node.required_env or [])]
        return sorted({(each,) if isinstance(each, str) else tuple(each.any_of) for each in every})


KNOWN = frozenset(
    name
    for part in (OrgTemplate, Node, Channel, Schedule, Memory, Group, Canvas, Defaults)
    for name in part.model_fields
)


def checked(given: dict[str, Any]) -> OrgTemplate:
    """A template that the tenant would make as it stands.

    Raises: ArgumentError saying where it is none.
    """
    try:
        template = OrgTemplate.model_validate_json(json.dumps(given))
    except ValidationError as error:
        places = {
            ".".join(str(part) for part in detail["loc"] if isinstance(part, int) or part in KNOWN)
            for detail in error.errors(include_input=False, include_url=False, include_context=False)
        }
        raise ArgumentError(
            f"template is not as it has to be, at: {', '.join(sorted(places))[:300] or 'the top'}",
            advice=f"Known fields: {', '.join(sorted(KNOWN))}.",
        ) from None
    storable(template=given)
    if len(template.nodes) > MOST:
        raise ArgumentError(f"template makes {len(template.nodes)} workspaces; at most {MOST} at once")
    for node in template.nodes:
        refuse_unmakeable(node)
    return template


def refuse_unmakeable(node: Node) -> None:
    """Raises: ArgumentError for what would end the import half way, or be skipped without a word."""
    if "${" in node.workspace_dir or any("${" in value for one in node.channels or [] for value in one.config.values()):
        raise ArgumentError("template asks for ${...}, which the tenant would fill from its own environment")
    if node.workspace_dir and (not node.workspace_dir.startswith("/") or ".." in node.workspace_dir):
        raise ArgumentError("a workspace_dir of template is not absolute, or has .. in it")
    if node.workspace_access in {"read_only", "read_write"} and not node.workspace_dir:
        raise ArgumentError("a workspace_access of template needs a workspace_dir")
    if why := next((why for one in node.schedules or [] if (why := complaint(one.cron_expr))), None):
        raise ArgumentError(f"a cron_expr of template {why}")
    try:
        for value in (value for one in node.channels or [] for key, value in one.config.items() if key in SECRET):
            a_reference(value)
    except ValueError:
        raise ArgumentError(
            "a secret of a channel of template is no reference", advice="Give env:MOLECULE_SECRET_NAME or file:NAME."
        ) from None


def body(template: OrgTemplate, secrets: Secrets) -> dict[str, Any]:
    """The template as it is sent, references resolved.

    Raises: ArgumentError for a reference without a value.
    """
    for channel in (one for node in template.nodes for one in node.channels or []):
        for key in SECRET:
            if channel.config.get(key):
                channel.config[key] = secrets.resolve(channel.config[key])
    return template.model_dump(exclude_unset=True)


def line(node: Node) -> Own:
    """One workspace for a person's eyes."""
    parts = [
        f"runtime {quoted(node.runtime)}" if node.runtime else "",
        f"under it {counted(len(node.children), 'workspace')}" if node.children else "",
        counted(len(node.schedules), "schedule") if node.schedules else "",
        "channels " + " ".join(one.type for one in node.channels) if node.channels else "",
        f"MOUNTS {exactly(node.workspace_dir)} {node.workspace_access or 'none'}" if node.workspace_dir else "",
        f"plugins {', '.join(quoted(each) for each in node.plugins)}" if node.plugins else "",
        f"EXTERNAL at {exactly(node.url or 'no address')}" if node.external else "",
    ]
    return Own("; ".join([str(quoted(node.name)), *(part for part in parts if part)]))


def facts(template: OrgTemplate) -> tuple[Fact, ...]:
    """What a template makes, in short, and the whole of it; of a secret the reference, since none is resolved yet."""
    return (
        Fact("Makes", tuple(line(node) for node in template.nodes)),
        Fact("The whole template", every_part(template.model_dump(exclude_unset=True))),
    )
