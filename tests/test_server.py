"""The server in memory, in both protocol eras."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitRequestURLParams, ElicitResult, TextContent

from molecule_mcp.cli import serving
from molecule_mcp.cli.profile import InForce
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.road.calls import Road
from molecule_mcp.road.context import Context
from molecule_mcp.road.traffic import Calls
from molecule_mcp.server import MoleculeServer
from molecule_mcp.settings import Settings
from molecule_mcp.store import approver
from tests import answers
from tests.calls import harness
from tests.calls.harness import Person
from tests.road.rig import PASSPHRASE, Rig
from tests.road.test_settling import left, settled

ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


@asynccontextmanager
async def connected(
    rig: Rig, mode: str, *, person: Any = None, profile: Profile | None = None, **changes: Any
) -> AsyncGenerator[Client]:
    """A client of a server in this process."""
    profile = profile or Profile()

    def road() -> Calls:
        return rig.road(profile, **changes)

    server = MoleculeServer(entries=entries(), profile=profile, road=road, instructions="x")
    async with Client(server, mode=mode, elicitation_callback=person) as client:
        yield client


async def called(client: Client, tool: str, given: dict[str, Any]) -> tuple[bool, Any, Any]:
    """Whether it worked, the text as JSON, and the structured content."""
    result = await client.call_tool(tool, given)
    assert isinstance(result.content[0], TextContent)
    return not result.is_error, json.loads(result.content[0].text), result.structured_content


@ERAS
async def test_the_text_of_an_answer_is_its_structured_content_and_fits_its_schema(rig: Rig, mode: str) -> None:
    reads: list[tuple[str, dict[str, Any]]] = [
        ("list_workspaces", {"limit": 5}),
        ("get_workspace", {"workspace": "Copywriter"}),
        ("find_idle_workspaces", {}),
        ("list_pending_approvals", {}),
        ("list_org_tokens", {}),
        ("list_global_secrets", {}),
        ("list_workspace_secrets", {"workspace_id": rig.named("Copywriter")}),
        ("list_workspace_tokens", {"workspace_id": rig.named("Copywriter")}),
    ]
    async with connected(rig, mode) as client:
        for tool, given in reads:
            worked, text, structured = await called(client, tool, given)
            assert worked, (tool, text)
            assert text == structured
            assert answers.wrong(entries()[tool].tool["outputSchema"], structured) == []


@ERAS
async def test_a_changing_answer_fits_its_schema(rig: Rig, mode: str) -> None:
    async with connected(rig, mode, person=Person(harness.exactly_yes)) as client:
        given = {"workspace_id": rig.named("SEO Analyst")}
        worked, text, structured = await called(client, "delete_workspace", given)
    assert worked, text
    assert answers.wrong(entries()["delete_workspace"].tool["outputSchema"], structured) == []


@ERAS
async def test_an_error_is_told_without_structured_content(rig: Rig, mode: str) -> None:
    async with connected(rig, mode) as client:
        worked, text, structured = await called(client, "get_workspace", {"workspace": "nobody", "bogus": 1})
        assert (worked, text["error"], structured) == (False, "arguments", None)
        assert "known are: workspace" in text["message"]
        worked, text, _ = await called(client, "list_workspace", {})
        assert (worked, "list_workspaces" in text["advice"]) == (False, True)


@ERAS
async def test_what_a_profile_can_never_use_is_not_listed_and_refused_by_name(rig: Rig, mode: str) -> None:
    async with connected(rig, mode, profile=Profile(role="READ")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "list_workspaces" in names
        assert "delete_workspace" not in names
        _, text, _ = await called(client, "delete_workspace", {"workspace_id": rig.named("Copywriter")})
    assert text["error"] == "forbidden_by_policy"
    assert rig.transport.lines == []


@ERAS
async def test_a_defect_is_told_without_its_text(rig: Rig, mode: str) -> None:
    def broken(_name: str) -> None:
        raise RuntimeError("sesame-0123456789")

    async with connected(rig, mode, find=broken) as client:
        worked, text, _ = await called(client, "list_workspaces", {})
    assert (worked, text["error"]) == (False, "internal")
    assert "sesame" not in str(text)


async def test_a_client_that_fails_to_ask_has_not_said_yes(rig: Rig) -> None:
    def fails(_message: str, _schema: dict[str, Any]) -> Any:
        raise RuntimeError("no screen")

    async with connected(rig, "legacy", person=Person(fails)) as client:
        worked, text, _ = await called(client, "delete_workspace", {"workspace_id": rig.named("SEO Analyst")})
    assert (worked, text["error"]) == (False, "declined")
    assert rig.transport.changes == []


@pytest.mark.parametrize("url", [None, "https://tenant.example"])
def test_the_instructions_fit_and_name_the_sample(tmp_path: Path, url: str | None) -> None:
    settings = Settings(state=tmp_path, config=tmp_path, api_url=url)
    text = serving.instructions(InForce(settings, Profile(), None))
    assert len(text) <= 1900
    assert ("SAMPLE" in text) is (url is None)


@ERAS
async def test_a_tool_that_is_not_offered_is_neither_listed_nor_called(rig: Rig, mode: str) -> None:
    offered = {"list_workspaces": entries()["list_workspaces"]}
    server = MoleculeServer(entries=offered, profile=Profile(), road=rig.road, instructions="x")
    async with Client(server, mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_workspaces"]
        worked, told, _ = await called(client, "find_idle_workspaces", {})
    assert not worked
    assert "--tools find_idle_workspaces" in told["advice"]
    assert rig.transport.lines == []


async def test_tools_are_made_once_however_many_choices_of_them_are_listed(rig: Rig) -> None:
    choices = iter([("list_workspaces",), ("list_workspaces", "get_workspace")])

    class Chosen(MoleculeServer):
        def offered(self, names: tuple[str, ...]) -> Mapping[str, Entry]:
            return {name: entries()[name] for name in next(choices)}

    server = Chosen(entries=entries(), profile=Profile(), road=rig.road, instructions="x")
    first, second = await server.list_tools(), await server.list_tools()
    assert [tool.name for tool in second] == ["get_workspace", "list_workspaces"]
    assert first[0] is second[1]


@ERAS
async def test_advice_names_no_tool_that_is_not_offered_without_how_to_get_it(rig: Rig, mode: str) -> None:
    offered = {name: entries()[name] for name in ("diagnose_workspace", "send_message", "run_plan")}
    server = MoleculeServer(entries=offered, profile=Profile(), road=rig.road, instructions="x")
    broke = rig.named("SEO Analyst")
    rig.app.database.execute("UPDATE workspaces SET budget_limit = 0 WHERE id = ?", (broke,))
    line = "set_budget is not offered here; a person adds it: --tools set_budget"
    async with Client(server, mode=mode) as client:
        worked, told, structured = await called(client, "diagnose_workspace", {"workspace": broke})
        assert (worked, told["not_offered"], told) == (True, line, structured)
        worked, told, _ = await called(client, "send_message", {"workspace_id": broke, "text": "hello"})
        assert not worked
        assert told["advice"].endswith(" a person adds them: --tools get_spend --tools set_budget")


class Settling(Road):
    """A road that tells when it has settled, and waits or fails before it, if told to."""

    def __init__(self, context: Context, broken: bool = False) -> None:
        super().__init__(context)
        self.broken = broken
        self.go, self.ended = asyncio.Event(), asyncio.Event()
        self.times = 0

    async def settle(self) -> None:
        self.times += 1
        await self.go.wait()
        try:
            if self.broken:
                raise RuntimeError("no disk")
            await super().settle()
        finally:
            self.ended.set()


async def test_the_first_call_has_what_was_left_unknown_settled_and_waits_for_none_of_it(rig: Rig) -> None:
    path = f"/workspaces/{rig.named('Copywriter')}"
    left(rig, "DELETE", path, "delete_workspace")
    road = Settling(rig.road().context)
    server = MoleculeServer(entries=entries(), profile=Profile(), road=lambda: road, instructions="x")
    for _ in range(2):
        await server.call_tool("list_workspaces", {"limit": 1})
    assert settled(rig.folder) == []
    road.go.set()
    await road.ended.wait()
    assert [each["verdict"] for each in settled(rig.folder)] == ["did_not_happen"]
    assert road.times == 1


async def test_what_cannot_be_settled_is_logged_and_harms_no_call(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    road = Settling(rig.road().context, broken=True)
    server = MoleculeServer(entries=entries(), profile=Profile(), road=lambda: road, instructions="x")
    road.go.set()
    await server.call_tool("list_workspaces", {"limit": 1})
    await road.ended.wait()
    result = await server.call_tool("list_workspaces", {"limit": 1})
    assert isinstance(result, CallToolResult)
    assert not result.is_error
    assert "could not be settled" in caplog.text


@dataclass
class Typist:
    """A person who opens pages: types there what is asked for, or does not, and says yes to forms."""

    rig: Rig
    action: Literal["accept", "decline", "cancel"] = "accept"
    value: str = "typed-by-a-person"
    opened: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        if not isinstance(params, ElicitRequestURLParams):
            return harness.exactly_yes(params.message, dict(params.requested_schema))
        self.opened.append(params.url)
        code = params.url.rsplit("/", 1)[1]
        assert code in params.message
        if self.value:
            self.rig.types(code, self.value)
        return ElicitResult(action=self.action)


class Decliner(Typist):
    """A person who opens the page and declines there."""

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        answer = await super().__call__(context, params)
        assert isinstance(params, ElicitRequestURLParams)
        self.rig.road().context.secrets.unanswered(params.url.rsplit("/", 1)[1], declined=True)
        return answer


PAGE = "http://127.0.0.1:1"


@ERAS
async def test_a_client_opens_the_page_for_a_secret_and_then_asks_for_the_yes(rig: Rig, mode: str) -> None:
    rig.page = PAGE
    person = Typist(rig)
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    async with connected(rig, mode, person=person) as client:
        worked, text, _ = await called(client, "set_workspace_secret", given)
    assert worked, text
    assert [url.rsplit("/", 1)[0] for url in person.opened] == [f"{PAGE}/secret"]
    assert any(b"typed-by-a-person" in body for body in rig.transport.bodies)
    assert "typed-by-a-person" not in str(text)


@ERAS
async def test_a_page_that_was_opened_and_left_empty_sends_nothing(rig: Rig, mode: str) -> None:
    rig.page = PAGE
    person = Typist(rig, value="")
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    async with connected(rig, mode, person=person) as client:
        worked, text, _ = await called(client, "set_workspace_secret", given)
    assert (worked, text["error"], text["sent"]) == (False, "secret_required", False)
    assert text["page"] == person.opened[0]
    assert len(person.opened) == 1
    assert rig.transport.changes == []


@ERAS
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_page_that_is_not_opened_is_a_no(rig: Rig, mode: str, action: Literal["decline", "cancel"]) -> None:
    rig.page = PAGE
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    person = Typist(rig, action, value="")
    async with connected(rig, mode, person=person) as client:
        told = [(await called(client, "set_workspace_secret", given))[1] for _ in range(3)]
    last = "cooling_off" if action == "decline" else "declined"
    assert [(each["error"], each["sent"]) for each in told] == [("declined", False)] * 2 + [(last, False)]
    assert len(set(person.opened)) == len(person.opened) == (2 if action == "decline" else 3)
    assert rig.transport.changes == []


@ERAS
async def test_a_secret_that_is_declined_on_the_page_is_a_no(rig: Rig, mode: str) -> None:
    rig.page = PAGE
    person = Decliner(rig, value="")
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    async with connected(rig, mode, person=person) as client:
        worked, text, _ = await called(client, "set_workspace_secret", given)
    assert (worked, text["error"], text["sent"], len(person.opened)) == (False, "declined", False, 1)
    assert rig.transport.changes == []


@ERAS
@pytest.mark.parametrize("page", [None, PAGE])
async def test_a_client_that_opens_nothing_is_told_link_and_code(rig: Rig, mode: str, page: str | None) -> None:
    rig.page = page
    approver.init(rig.folder, PASSPHRASE)  # without one nobody could allow it, and nobody would be asked to type
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    async with connected(rig, mode) as client:
        worked, text, _ = await called(client, "set_workspace_secret", given)
    assert (worked, text["error"], text["how"]) == (False, "secret_required", "molecule-mcp page")
    assert text.get("page") == (f"{page}/secret/{text['code']}" if page else None)


async def test_a_client_that_fails_to_open_the_page_is_told_link_and_code(rig: Rig) -> None:
    async def fails(_context: ClientRequestContext, _params: ElicitRequestParams) -> ElicitResult:
        raise RuntimeError("no browser")

    rig.page = PAGE
    given = {"workspace_id": rig.named("SEO Analyst"), "key": "OWN_KEY"}
    async with connected(rig, "legacy", person=fails) as client:
        worked, text, _ = await called(client, "set_workspace_secret", given)
    assert (worked, text["error"]) == (False, "secret_required")
