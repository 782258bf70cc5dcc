"""Resources, prompts and completions over MCP: the part of the server that calls nothing but read tools.

Spec 2026-07-28, server/resources, server/prompts, server/utilities/completion.
"""

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import (
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    GetPromptResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    PromptReference,
    Resource,
    ResourceTemplate,
    ResourceTemplateReference,
    TextContent,
)

from molecule_mcp.capability import Risk
from molecule_mcp.errors import ArgumentError
from molecule_mcp.offers import prompts, resources
from molecule_mcp.prepared import Entry

JSON = "application/json"
SUGGESTED = 100
"""Values of one completion, as the specification has it."""

NO_RESOURCE = "There is no such resource; resources/list and resources/templates/list show those there are."

Session = Context[Any, Any]


class Offering(MCPServer[Any]):
    """An MCP server whose resources and completions are answers of read tools."""

    def __init__(self, name: str, **given: Any) -> None:
        super().__init__(name, **given)
        self.completion()(self.completed)

    @abstractmethod
    def usable(self) -> Mapping[str, Entry]:
        """The tools that a caller can have answered, listed as tools or not."""

    @abstractmethod
    def listed(self) -> Mapping[str, Entry]:
        """The tools that a caller sees."""

    @abstractmethod
    async def answer_of(self, tool: str, arguments: Mapping[str, Any], context: Session | None) -> Mapping[str, Any]:
        """The structured answer of one read tool.

        Raises: MCPError with the tool's own error.
        """

    @property
    def readable(self) -> set[str]:
        """The read tools among the usable ones."""
        return {name for name, entry in self.usable().items() if entry.ability.risk is Risk.READ}

    async def list_resources(self) -> list[Resource]:
        """The addresses without parameters."""
        return [
            Resource(uri=each.uri, name=each.name, title=each.title, description=each.description, mime_type=JSON)
            for each in resources.listed(self.readable, templates=False)
        ]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """The addresses with parameters."""
        return [
            ResourceTemplate(
                uri_template=each.uri, name=each.name, title=each.title, description=each.description, mime_type=JSON
            )
            for each in resources.listed(self.readable, templates=True)
        ]

    async def read_resource(self, uri: Any, context: Session | None = None) -> Iterable[ReadResourceContents]:
        """The answer of the tool behind an address, as JSON text.

        Raises: MCPError -32602 for an address that no resource has; with the tool's error for one it cannot answer.
        """
        known = resources.found(str(uri), self.readable)
        if known is None:
            raise MCPError(code=INVALID_PARAMS, message=NO_RESOURCE, data={"uri": str(uri)[:256]})
        answer = await self.answer_of(*known, context)
        text = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        return [ReadResourceContents(content=text, mime_type=JSON)]

    async def list_prompts(self) -> list[Prompt]:
        """The prompts whose tools a caller sees."""
        return [
            Prompt(
                name=each.name,
                title=each.title,
                description=each.description,
                arguments=[
                    PromptArgument(name=field.name, description=field.description, required=field.required)
                    for field in each.fields
                ],
            )
            for each in prompts.listed(self.listed())
        ]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Session | None = None
    ) -> GetPromptResult:
        """One prompt, filled in.

        Raises: MCPError -32602 for a prompt that is not offered, or arguments that do not fit.
        """
        prompt = next((each for each in prompts.listed(self.listed()) if each.name == name), None)
        if prompt is None:
            raise MCPError(code=INVALID_PARAMS, message="There is no such prompt; prompts/list shows those there are.")
        try:
            text = prompt.filled({key: str(value) for key, value in (arguments or {}).items()})
        except ArgumentError as error:
            raise MCPError(code=INVALID_PARAMS, message=error.message) from error
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=prompt.description, messages=[message])

    async def completed(
        self, ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _context: Any
    ) -> Completion:
        """What a person may mean by the beginning they typed: names and ids, keys, secrets, choices."""
        kind = completes(ref, argument.name)
        values = list(kind) if isinstance(kind, tuple) else await self.suggested(kind, argument.value)
        wanted = argument.value.casefold()
        found = list(dict.fromkeys(each for each in values if wanted in each.casefold()))
        found.sort(key=lambda each: not each.casefold().startswith(wanted))
        return Completion(values=found[:SUGGESTED], total=len(found), has_more=len(found) > SUGGESTED)

    async def suggested(self, kind: str, typed: str) -> list[str]:
        """Every value of one kind that may be meant; none where no usable tool knows them."""
        readable = self.readable
        if kind in {"workspace", "workspace_id"} and "list_workspaces" in readable:
            answer = await self.answer_of("list_workspaces", {"limit": 200, "fields": ["id", "name"]}, None)
            names = [row[1] for row in answer["rows"]] if kind == "workspace" else []
            # Ids are of use once one is begun, or where nothing else is taken.
            ids = [row[0] for row in answer["rows"] if kind == "workspace_id" or (typed and row[0].startswith(typed))]
            named = [
                row[0] for row in answer["rows"] if kind == "workspace_id" and typed.casefold() in row[1].casefold()
            ]
            return [*names, *named, *ids]
        if kind == "org_key" and "list_org_tokens" in readable:
            answer = await self.answer_of("list_org_tokens", {}, None)
            return [str(key.get("name") or key["prefix"]) for key in answer["tokens"]]
        if kind == "secret" and "list_global_secrets" in readable:
            answer = await self.answer_of("list_global_secrets", {}, None)
            return [str(each["key"]) for each in answer["secrets"]]
        return []


def completes(ref: PromptReference | ResourceTemplateReference, name: str) -> str | tuple[str, ...]:
    """What stands for an argument: a kind of `suggested`, or choices; "" for what nobody knows."""
    if isinstance(ref, ResourceTemplateReference):
        return name if any(f"{{{name}}}" in each.uri for each in resources.RESOURCES if each.uri == ref.uri) else ""
    fields = (field for each in prompts.PROMPTS if each.name == ref.name for field in each.fields)
    return next((field.completes for field in fields if field.name == name), "")
