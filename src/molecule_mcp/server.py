"""The MCP server: one subclass of the SDK's, listing the prepared catalogue and sending every call down the road.

One code path asks in both protocol eras: `InputRequiredResult` in 2026-07-28, a form request before. The sealed
round-trip state is the plan's id; the store lets a plan be decided once, so a replayed answer grants nothing.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from mcp import MCPError
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.caching import CacheHint
from mcp.types import (
    INTERNAL_ERROR,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
    TextContent,
    Tool,
)

from molecule_mcp import __version__
from molecule_mcp.errors import GateStop, MoleculeError
from molecule_mcp.gate import policy
from molecule_mcp.gate.answer import FormAnswer, form
from molecule_mcp.offering import Offering, Session
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.road.answers import compact
from molecule_mcp.road.traffic import Asked, Caller, Calls, Done
from molecule_mcp.road.underway import UnderWay
from molecule_mcp.settings import Selection
from molecule_mcp.store.records import Plan
from molecule_mcp.toolsets import ALL, missing, unoffered

MODERN = "2026-07-28"
FORM = "allow"
"""Key of the one question in an `InputRequiredResult`."""
OPEN, SECRET = "open", "secret:"
"""Key of the wish to have the page opened, and how the round's state begins that holds the secret's code."""

logger = logging.getLogger(__name__)


class MoleculeServer(Offering):
    """The server of one profile.

    Args:
        entries: The catalogue.
        profile: What is in force; tools it can never use are not listed.
        road: Makes the road at the first call, so that a start loads no tool.
        instructions: At most 1,900 characters: hosts cut what is longer.
        choose: The tools of a selection that a caller's address asks for; None: every caller is offered the same.
    """

    def __init__(
        self,
        *,
        entries: Mapping[str, Entry],
        profile: policy.Profile,
        road: Callable[[], Calls],
        instructions: str,
        choose: Callable[[Selection], Mapping[str, Entry]] | None = None,
    ) -> None:
        super().__init__(
            "molecule",
            title="Molecule AI",
            version=__version__,
            instructions=instructions,
            cache_hints={"tools/list": CacheHint(ttl_ms=300_000, scope="private")},
        )
        self._entries = entries
        self._profile = profile
        self._make_road = road
        self._choose = choose
        self.under_way = UnderWay()
        self._settling: asyncio.Task[None] | None = None
        self._tools: dict[str, Tool] = {}

    @cached_property
    def road(self) -> Calls:
        """The road, made at the first call."""
        return self._make_road()

    def offered(self, names: tuple[str, ...]) -> Mapping[str, Entry]:
        """The tools that a caller who named these toolsets is offered."""
        return self._choose(Selection(names)) if names and self._choose else self._entries

    def usable(self) -> Mapping[str, Entry]:
        """What resources may be answers of: every tool that these settings offer to whoever asks for it."""
        return self._usable

    @cached_property
    def _usable(self) -> Mapping[str, Entry]:
        wide = self._choose(Selection((ALL,))) if self._choose else self._entries
        return {name: entry for name, entry in wide.items() if policy.refusal(self._profile, entry.ability) is None}

    def listed(self) -> Mapping[str, Entry]:
        """The tools that the caller sees."""
        offered = self.offered(toolsets_of_caller())
        return {name: entry for name, entry in offered.items() if name in self._usable}

    async def answer_of(self, tool: str, arguments: Mapping[str, Any], context: Session | None) -> Mapping[str, Any]:
        """The structured answer of one read tool.

        Raises: MCPError with the tool's own error.
        """
        try:
            with self.under_way.one():
                outcome = await self.road.call(caller_of(context), tool, arguments)
        except MoleculeError as error:
            told = json.loads(self.road.told(error))
            # Hosts show a person the message alone.
            message = ". ".join(part.rstrip(".") for part in (told["message"], told.get("advice")) if part)
            raise MCPError(code=INTERNAL_ERROR, message=message, data=told) from error
        assert not isinstance(outcome, Asked)
        return outcome.structured

    async def list_tools(self) -> list[Tool]:
        """The prepared list, by name, of what this profile can use; the same for every connection to one address."""
        return [self._tool(name, entry) for name, entry in sorted(self.listed().items())]

    def _tool(self, name: str, entry: Entry) -> Tool:
        # Each made once: an address may name any choice of them, and their number bounds what is kept.
        if name not in self._tools:
            self._tools[name] = Tool.model_validate(entry.tool)
        return self._tools[name]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Session | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Send one call down the road; a failure is a result with `is_error`, so that the model reads it."""
        try:
            with self.under_way.one():
                return await self.answered(name, arguments, context)
        except MoleculeError as error:
            logger.info("%s: %s", name if name in self._entries else "unknown tool", error.kind)
            return self.failed(error)
        except Exception as error:
            logger.exception("defect in %s", name if name in self._entries else "an unknown tool")
            return self.failed(error)
        finally:
            # Behind the first answer: before the first call nothing goes to the network.
            self._settling = self._settling or asyncio.create_task(self.settle())

    async def settle(self) -> None:
        """Settle by reads what earlier processes left unknown; no call waits for it or fails with it."""
        try:
            await self.road.settle()
        except Exception:
            logger.exception("what earlier processes left unknown could not be settled")

    async def answered(
        self, name: str, arguments: dict[str, Any], context: Session | None
    ) -> CallToolResult | InputRequiredResult:
        """Call, ask where the client can be asked, and call again with the answer."""
        if name not in (offered := self.offered(toolsets_of_caller())):
            raise missing(name, offered, entries())
        caller = replace(caller_of(context), offered=offered)
        outcome = await self.with_secrets(caller, name, arguments, context)
        if isinstance(outcome, InputRequiredResult):
            return outcome
        if isinstance(outcome, Asked):
            assert context is not None
            if (context.protocol_version or "") >= MODERN:
                return asked(outcome.plan)
            answer = await asked_before_2026(context, outcome.plan)
            outcome = await self.road.call(caller, name, arguments, answer)
            assert not isinstance(outcome, Asked)
        if more := unoffered(outcome.structured, offered, entries()):
            outcome = done({**outcome.structured, "not_offered": more})
        return CallToolResult(
            content=[TextContent(type="text", text=outcome.text)], structured_content=outcome.structured
        )

    async def with_secrets(
        self, caller: Caller, name: str, arguments: dict[str, Any], context: Session | None
    ) -> Done | Asked | InputRequiredResult:
        """Call; a secret that a person has to type first is asked for where the client opens addresses.

        Raises: what the call raises, `secret_required` too when it was not typed in time; GateStop `declined`.
        """
        opened, action = opened_before(context)
        if opened:
            await self.opened(opened, action, caller)
        while True:
            try:
                return await self.road.call(caller, name, arguments, given_answer(context))
            except GateStop as stop:
                if context is None or not can_open(context, stop) or stop.details["code"] == opened:
                    raise
                opened = str(stop.details["code"])
                if (context.protocol_version or "") >= MODERN:
                    return to_open(stop)
                await self.opened(opened, await open_before_2026(context, stop), caller)

    async def opened(self, code: str, action: str, caller: Caller) -> None:
        """Wait for the person to type, unless they did not want to.

        Raises: GateStop `declined`.
        """
        await (self.road.typed(code, caller) if action == "accept" else self.road.untyped(code, action))

    def failed(self, error: BaseException) -> CallToolResult:
        """An error result; no structured content, since hosts check that against the schema of success."""
        told = json.loads(text := self.road.told(error))
        if more := unoffered(told, self.offered(toolsets_of_caller()), entries()):
            text = done({**told, "advice": f"{told.get('advice', '')} {more}".strip()}).text
        return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def done(structured: dict[str, Any]) -> Done:
    """An answer with its text as a model reads it."""
    return Done(structured, compact(structured))


def caller_of(context: Session | None) -> Caller:
    """Who calls, and whether a person can be asked through this client."""
    if context is None:
        return Caller()

    async def progress(done: float, total: float | None, line: str) -> None:
        await context.report_progress(done, total, line)

    return Caller(principal_of(), client_of(context), can_ask(context), progress)


def principal_of() -> str:
    """Whose plans a call can use: the bearer's on HTTP, this machine's user on stdio."""
    token = get_access_token()
    return f"http:{token.client_id}" if token else "local"


def toolsets_of_caller() -> tuple[str, ...]:
    """The toolsets that the address of a caller on HTTP names; the door put them beside who called."""
    token = get_access_token()
    return tuple(token.scopes) if token else ()


def client_of(context: Session) -> str:
    """The client's own name and version, as it reports them; "" when it does not."""
    params = context.session.client_params
    info = params.client_info if params else None
    return f"{info.name} {info.version}"[:80] if info else ""


def can_ask(context: Session) -> bool:
    """Whether the client declared form elicitation and a question can reach it."""
    capabilities = context.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return (context.protocol_version or "") >= MODERN or context.session.can_send_request


def given_answer(context: Session | None) -> FormAnswer | None:
    """The answer a 2026-07-28 client brings along: of the plan that the sealed state names."""
    if context is None or context.request_state is None or context.request_state.startswith(SECRET):
        return None
    response = (context.input_responses or {}).get(FORM)
    if not isinstance(response, ElicitResult):
        return FormAnswer(context.request_state, "accept", {})
    return FormAnswer(context.request_state, response.action, response.content or {})


def asked(plan: Plan) -> InputRequiredResult:
    """The question in the form of 2026-07-28."""
    params = ElicitRequestFormParams(message=text(plan), requested_schema=form(plan.question))
    return InputRequiredResult(input_requests={FORM: ElicitRequest(params=params)}, request_state=plan.id)


async def asked_before_2026(context: Session, plan: Plan) -> FormAnswer:
    """Ask over the connection's back channel; a client that fails to ask has not said yes."""
    try:
        result = await context.session.elicit_form(text(plan), form(plan.question), context.request_id)
    except MCPError as error:
        logger.info("the client could not ask: %s", error.code)
        return FormAnswer(plan.id, "cancel", {})
    return FormAnswer(plan.id, result.action, result.content or {})


def can_open(context: Session, stop: GateStop) -> bool:
    """Whether this stop can be settled by a page that the client opens for the person."""
    capabilities = context.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if stop.kind != "secret_required" or "page" not in stop.details or elicitation is None or elicitation.url is None:
        return False
    return (context.protocol_version or "") >= MODERN or context.session.can_send_request


def opened_before(context: Session | None) -> tuple[str, str]:
    """The code of the secret that a 2026-07-28 client was to open the page for, and what came of it; "" without one."""
    state = (context.request_state or "") if context else ""
    if context is None or not state.startswith(SECRET):
        return "", ""
    response = (context.input_responses or {}).get(OPEN)
    return state.removeprefix(SECRET), response.action if isinstance(response, ElicitResult) else "cancel"


def to_open(stop: GateStop) -> InputRequiredResult:
    """The wish to have the page opened, in the form of 2026-07-28."""
    params = ElicitRequestURLParams(message=what_to_open(stop), url=stop.details["page"])
    state = SECRET + stop.details["code"]
    return InputRequiredResult(input_requests={OPEN: ElicitRequest(params=params)}, request_state=state)


async def open_before_2026(context: Session, stop: GateStop) -> str:
    """Have the page opened over the connection's back channel: accept, decline or cancel.

    Raises: the stop itself, where the client could not.
    """
    code = str(stop.details["code"])
    try:
        result = await context.session.elicit_url(what_to_open(stop), stop.details["page"], code, context.request_id)
    except MCPError as error:
        logger.info("the client could not open the page: %s", error.code)
        raise stop from None
    return result.action


def what_to_open(stop: GateStop) -> str:
    """What a person is told before the page opens."""
    return f"{stop.message} The page shows code {stop.details['code']}; if it shows another one, close it."


def text(plan: Plan) -> str:
    """The question's lines as one text."""
    return "\n".join(plan.question.lines)
