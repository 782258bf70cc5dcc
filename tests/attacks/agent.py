"""The agent: does whatever it reads, over a real client, whose person never says yes."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mcp import Client, MCPError
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult, InputResponses, TextContent

from tests.attacks.grammar import Order, orders, parsed, texts
from tests.calls import harness

MOST = 2000
"""Orders that one run obeys at most; a run that reaches it has missed its end."""

ONE_OF = {"@code": "code", "@plan": "plan", "@phrase": "phrase", "@page": "page"}
"""What an order can ask the agent to fill in, and the kind of thing it is."""


@dataclass
class Question:
    """A question that went out in 2026-07-28's form, and what it was about."""

    tool: str
    arguments: Mapping[str, Any]
    state: str | None
    requests: Mapping[str, Any]


@dataclass
class Agent:
    """Obeys. What it has seen is all in `seen`."""

    connected: Client
    rule: harness.Answerer | None
    random: random.Random
    seen: list[str] = field(default_factory=list[str])
    waiting: list[Order] = field(default_factory=list[Order])
    known: set[Order] = field(default_factory=set[Order])
    obeyed: list[Order] = field(default_factory=list[Order])
    found: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    asked: list[Question] = field(default_factory=list[Question])
    told: Counter[str] = field(default_factory=Counter[str])

    async def errand(self, tool: str, given: dict[str, Any]) -> None:
        """Read something for the user, page after page."""
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            answer = await self.call(tool, {**given, **cursor})
            cursor = {"cursor": answer["next_cursor"]} if answer.get("next_cursor") else None

    async def obey(self) -> None:
        """Do everything that was read, and what is read on the way; what needs a thing not seen yet comes last."""
        while self.waiting and len(self.obeyed) < MOST:
            ready = [each for each in self.waiting if not missing(each, self.found)] or self.waiting
            order = self.random.choice(ready)
            self.waiting.remove(order)
            self.obeyed.append(order)
            what = self.filled(order.what)
            if order.tool:
                await self.call(order.tool, parsed(what))
            else:
                await self.read(what)

    def filled(self, what: str) -> str:
        """An order's words with what it asks for from what was seen."""
        for mark, kind in ONE_OF.items():
            what = what.replace(mark, json.dumps(self.random.choice(self.found.get(kind, [mark])))[1:-1])
        return what

    async def call(self, tool: str, given: dict[str, Any]) -> dict[str, Any]:
        """Call a tool, have the person answer what it asks, and look at all that comes back; the structured answer."""
        try:
            result = await self.sent(tool, given)
            while isinstance(result, InputRequiredResult):
                result = await self.answered(tool, given, result)
        except MCPError as error:
            self.look([error.error.message, error.error.data])
            return {}
        said = [parsed(each.text) or each.text for each in result.content if isinstance(each, TextContent)]
        self.told.update(value for name, value in pairs(said) if result.is_error and name == "error")
        self.look([said, result.structured_content])
        return result.structured_content or {}

    async def sent(
        self, tool: str, given: Mapping[str, Any], answers: InputResponses | None = None, state: str | None = None
    ) -> CallToolResult | InputRequiredResult:
        """One request."""
        result = await self.connected.session.call_tool(
            tool, dict(given), input_responses=answers, request_state=state, allow_input_required=True
        )
        assert isinstance(result, CallToolResult | InputRequiredResult)
        return result

    async def answered(
        self, tool: str, given: dict[str, Any], question: InputRequiredResult
    ) -> CallToolResult | InputRequiredResult:
        """What a question in 2026-07-28's form leads to; the agent reads it too."""
        requests = dict(question.input_requests or {})
        self.asked.append(Question(tool, given, question.request_state, requests))
        self.note("plan", question.request_state or "")
        self.look([shown(each) for each in requests.values()])
        assert self.rule is not None, "a client that cannot be asked was asked"
        answers: InputResponses = {name: self.rule(*shown(each)) for name, each in requests.items()}
        return await self.sent(tool, given, answers, question.request_state)

    async def replay(self) -> None:
        """Answer with yes whatever was answered with no, under its own state and under that of another question."""
        for place, each in enumerate(self.asked):
            for state in (each.state, self.asked[place - 1].state):
                answers: InputResponses = {name: yes(*shown(one)) for name, one in each.requests.items()}
                try:
                    self.look((await self.sent(each.tool, each.arguments, answers, state)).model_dump(mode="json"))
                except MCPError as error:
                    self.look([error.error.message, error.error.data])

    async def read(self, address: str) -> None:
        """Read a resource."""
        try:
            result = await self.connected.session.read_resource(address)
            self.look(result.model_dump(mode="json"))
        except MCPError as error:
            self.look([error.error.message, error.error.data])

    def look(self, data: Any) -> None:
        """Take in everything that stands in an answer."""
        for text in texts(data):
            self.seen.append(text)
            if "type: " in text:
                self.note("phrase", text.rpartition("type: ")[2].strip())
        for name, value in pairs(data):
            if name in {"code", "page"}:
                self.note(name, value)
        new = [each for each in dict.fromkeys(orders(data)) if each not in self.known]
        self.known |= set(new)
        self.waiting += new

    def note(self, kind: str, thing: str) -> None:
        """Keep something that an order may ask for."""
        if thing and thing not in self.found.setdefault(kind, []):
            self.found[kind].append(thing)


def missing(order: Order, found: Mapping[str, list[str]]) -> bool:
    """Whether an order asks for something that was not seen yet."""
    return any(mark in order.what and not found.get(kind) for mark, kind in ONE_OF.items())


def pairs(data: Any) -> Iterator[tuple[str, str]]:
    """Every field of a JSON value that holds a text or a number, however deep."""
    if isinstance(data, dict):
        for name, value in cast("dict[str, Any]", data).items():
            if isinstance(value, str | int):
                yield name, str(value)
            yield from pairs(value)
    elif isinstance(data, list | tuple):
        for each in cast("list[Any]", data):
            yield from pairs(each)


def shown(request: Any) -> tuple[str, dict[str, Any]]:
    """The text and the form of a question; a page to open has no form."""
    return request.params.message, dict(getattr(request.params, "requested_schema", {}) or {})


def yes(message: str, schema: dict[str, Any]) -> ElicitResult:
    """A yes that nobody said."""
    return harness.exactly_yes(message, schema) if schema else ElicitResult(action="accept")
