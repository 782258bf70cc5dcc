"""Resources: the reads that a person attaches to a conversation, each the answer of one tool.

A resource has no way of its own to the tenant: reading one is a call of a read tool, with the same profile, limits,
redaction and errors. Spec 2026-07-28, server/resources.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SCHEME = "molecule://"


@dataclass(frozen=True)
class Resource:
    """One address, or one template of addresses.

    Args:
        uri: As listed; `{name}` stands for one segment, a last `{+name}` for the rest.
        tool: The read tool whose answer it is.
        given: Arguments that are always the same.
    """

    uri: str
    name: str
    title: str
    description: str
    tool: str
    given: tuple[tuple[str, Any], ...] = ()

    @property
    def is_template(self) -> bool:
        """Whether the address has parameters."""
        return "{" in self.uri

    def arguments(self, uri: str) -> dict[str, Any] | None:
        """The tool's arguments for one address, or None when this is not its resource, or no text when unquoted."""
        try:
            return self._arguments(uri)
        except UnicodeDecodeError:
            return None

    def _arguments(self, uri: str) -> dict[str, Any] | None:
        wanted, segments = self.uri.split("/"), uri.split("/")
        if wanted[-1].startswith("{+"):
            segments = [*segments[: len(wanted) - 1], "/".join(segments[len(wanted) - 1 :])]
        if len(wanted) != len(segments):
            return None
        found = dict(self.given)
        for part, segment in zip(wanted, segments, strict=True):
            if part.startswith("{") and segment:
                found[part.strip("{+}")] = unquote(segment, errors="strict")
            elif part != segment:
                return None
        return found


RESOURCES = (
    Resource(
        f"{SCHEME}org",
        "organization",
        "The organization",
        "Tree, status, load, what fails and why, spend.",
        "get_overview",
    ),
    Resource(
        f"{SCHEME}workspaces/{{workspace}}",
        "workspace",
        "A workspace",
        "One workspace by id or exact name.",
        "get_workspace",
    ),
    Resource(
        f"{SCHEME}workspaces/{{workspace_id}}/config",
        "workspace-config",
        "A workspace's config",
        "Its stored configuration.",
        "get_config",
    ),
    Resource(
        f"{SCHEME}workspaces/{{workspace_id}}/files",
        "workspace-files",
        "A workspace's files",
        "Names and sizes.",
        "list_files",
    ),
    Resource(
        f"{SCHEME}workspaces/{{workspace_id}}/files/{{+path}}",
        "workspace-file",
        "A file of a workspace",
        "Its text.",
        "read_file",
    ),
    Resource(
        f"{SCHEME}workspaces/{{workspace_id}}/memories",
        "workspace-memories",
        "A workspace's memories",
        "What its agent remembers, newest first.",
        "search_memories",
    ),
)
"""Every resource; a profile sees those whose tool it can use."""


def listed(tools: Container[str], *, templates: bool) -> list[Resource]:
    """The resources, or the templates, whose tools are among these."""
    return [each for each in RESOURCES if each.tool in tools and each.is_template is templates]


def found(uri: str, tools: Container[str]) -> tuple[str, dict[str, Any]] | None:
    """The tool and the arguments behind an address, or None when no resource has it."""
    for each in RESOURCES:
        if each.tool in tools and (arguments := each.arguments(uri)) is not None:
            return each.tool, arguments
    return None
