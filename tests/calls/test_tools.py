"""Every tool over a real client: its effect is seen at the tenant, and its answer is as its schema and model say."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent, Tool

from molecule_mcp.prepared import entries
from molecule_mcp.tools import catalogue
from tests import answers
from tests.calls import harness
from tests.calls.cases import cases
from tests.calls.cases.case import ENVIRON, Case
from tests.calls.faults import Faulty, faulty
from tests.calls.harness import Person, http_process


def test_every_tool_has_a_row() -> None:
    assert sorted(entries().keys() - cases().keys()) == [], "add a row in tests/calls/cases/"
    assert sorted(cases().keys() - entries().keys()) == []


@pytest.mark.parametrize("org_id", [None, "org-1"])
async def test_every_tool_does_what_its_row_says(tmp_path: Path, org_id: str | None) -> None:
    complaints = list[str]()
    environ = ENVIRON | ({"MOLECULE_ORG_ID": org_id} if org_id else {})
    rows = {name: case for name, case in cases().items() if case.hosted == bool(org_id)}
    async with faulty(org_id) as place:
        with http_process(place, tmp_path, environ=environ) as doors:
            async with doors.client("http", person=Person(harness.exactly_yes)) as connected:
                tools = {tool.name: tool for tool in (await connected.list_tools()).tools}
                for name, case in rows.items():
                    place.renew()
                    complaints += [f"{name}: {each}" for each in await tried(place, connected, tools[name], case)]
    assert not complaints, "\n".join(complaints)


async def tried(place: Faulty, client: Client, tool: Tool, case: Case) -> list[str]:
    """Call a tool as its row says. Returns what is wrong."""
    before = bool(case.seen and case.seen(await place.read(case.at)))
    result = await client.call_tool(tool.name, case.arguments)
    assert isinstance(result.content[0], TextContent)
    if result.is_error:
        return [result.content[0].text]
    answer: dict[str, Any] = result.structured_content or {}
    found = answers.wrong(tool.output_schema or {}, answer)
    found += answers.complaints(catalogue()[tool.name], answer)
    if case.says not in result.content[0].text:
        found.append(f"does not say {case.says!r}: {result.content[0].text[:300]}")
    return found + await effect(place, case, before, result.structured_content)


async def effect(place: Faulty, case: Case, before: bool, answer: dict[str, Any] | None) -> list[str]:
    """What is wrong with what the call did at the tenant."""
    if not place.changes:
        return ["changed nothing"] if case.seen or not case.says else []
    found = list[str]()
    if (answer or {}).get("sent") != place.changes:
        found.append(f"says it sent {(answer or {}).get('sent')}, and {place.changes} arrived")
    if case.blind != (place.seen[0] == place.changes[0]):
        found.append(f"begins with {place.seen[0]}")
    if not case.seen:
        return found if case.unseen else [*found, "has an effect that its row does not look at"]
    told = await place.read(case.at)
    if before:
        found.append("its effect was there before")
    elif not case.seen(told):
        found.append(f"its effect is not there: {str(told)[:1000]}")
    return found
