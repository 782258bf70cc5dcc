"""Instructions: listed, made, changed and deleted; whatever is global asks for a phrase."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

from molecule_mcp.embedded.sample import sample_id

STYLE, TONE, OLD = (sample_id("instructions", title) for title in ("House style", "Tone", "Old format"))


async def titles(rig: Rig, **given: Any) -> list[str]:
    """The titles that a list shows."""
    return [row["title"] for row in (await read(rig, "list_instructions", **given))["instructions"]]


def unread_after_a_change(rig: Rig, answer: httpx.Response) -> None:
    """Let every list after the first change be answered like this."""
    changed = [0]

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        changed[0] += request.method != "GET"
        return answer if changed[0] and str(request.url.path) == "/instructions" and request.method == "GET" else None

    rig.transport.before = step_in


async def test_a_list_is_filtered_paged_and_cut(rig: Rig) -> None:
    triage = rig.named("Ticket Triage")
    assert await titles(rig) == ["No promises", "House style", "Tone", "Old format"]
    assert await titles(rig, scope="workspace") == ["Tone", "Old format"]
    assert await titles(rig, applies_to=triage) == ["No promises", "House style", "Tone"]
    assert await titles(rig, applies_to=triage, scope="workspace") == ["Tone"]
    page = await read(rig, "list_instructions", limit=3)
    assert await titles(rig, cursor=page["next_cursor"]) == ["Old format"]
    rig.app.database.execute("UPDATE instructions SET content = ?", ("long\u200b " * 100,))
    row = (await read(rig, "list_instructions"))["instructions"][0]
    assert (len(row["content"]), row["cut"]) == (300, True)
    row = (await read(rig, "list_instructions", whole=True))["instructions"][0]
    assert (len(row["content"]), "cut" in row) == (500, False)


async def test_the_merged_text_is_what_the_agent_gets(rig: Rig) -> None:
    text = (await read(rig, "resolve_instructions", workspace_id=rig.named("Ticket Triage")))["instructions"]
    assert text.index("No promises") < text.index("House style") < text.index("Role-Specific") < text.index("Tone")


@pytest.mark.parametrize(
    ("tool", "parameter"), [("list_instructions", "applies_to"), ("resolve_instructions", "workspace_id")]
)
async def test_an_unknown_workspace_is_not_one_without_rules(rig: Rig, tool: str, parameter: str) -> None:
    error = await refused(rig.road().call(can_ask(), tool, {parameter: UNKNOWN}))
    assert error.details["status"] == 404


async def test_a_rule_for_one_agent_is_made_at_once_and_tells_who_shares_its_place(rig: Rig) -> None:
    triage = rig.named("Ticket Triage")
    given = {"scope": "workspace", "scope_target": triage, "title": "Hours", "content": "No replies at night."}
    told = await done(rig, "create_instruction", {**given, "priority": 20})
    assert (told["priority"], told["same_priority"]) == (20, 1)
    assert "Hours" in await titles(rig, applies_to=triage)
    error = await refused(rig.road().call(can_ask(), "create_instruction", given))
    assert (error.kind, error.details) == ("nothing_to_do", {"id": told["id"]})


async def test_a_rule_for_all_is_shown_whole_and_typed_for(rig: Rig) -> None:
    given = {"scope": "global", "title": "Language", "content": "Answer in English. " * 60 + "The end."}
    question = (await asked(rig.road(), "create_instruction", given)).plan
    assert (question.risk, question.question.phrase) == ("critical", "language")
    text = "\n".join(question.question.lines)
    assert "The end." in text
    assert "every agent of 26 workspaces" in text
    await done(rig, "create_instruction", given)
    assert "Language" in await titles(rig, scope="global")


@pytest.mark.parametrize(
    "given",
    [
        {"scope": "workspace"},
        {"scope": "global", "scope_target": UNKNOWN},
        {"title": "ä" * 101},
        {"content": "ä" * 4097},
        {"content": "a\x00"},
        {"scope": "team"},
    ],
)
async def test_what_the_tenant_refuses_or_would_never_use_is_not_sent(rig: Rig, given: dict[str, str]) -> None:
    full = {"scope": "global", "title": "t", "content": "c", **given}
    assert (await refused(rig.road().call(can_ask(), "create_instruction", full))).kind == "arguments"
    assert rig.transport.changes == []


async def test_a_misspelt_target_is_refused(rig: Rig) -> None:
    given = {"scope": "workspace", "scope_target": UNKNOWN, "title": "t", "content": "c"}
    error = await refused(rig.road().call(can_ask(), "create_instruction", given))
    assert error.details["status"] == 404
    assert rig.transport.changes == []


async def test_a_change_for_one_agent_returns_what_it_said(rig: Rig) -> None:
    told = await done(rig, "update_instruction", {"instruction_id": TONE, "content": "Be brief.", "priority": 0})
    assert told["before"] == {
        "content": "Thank the customer once, then answer in three sentences at most.",
        "priority": 20,
    }
    assert told["after"] == {"content": "Be brief.", "priority": 0}
    assert (await done(rig, "update_instruction", {"instruction_id": OLD, "enabled": True}))["after"] == {
        "enabled": True
    }


async def test_a_change_for_all_shows_both_texts_and_is_typed_for(rig: Rig) -> None:
    given = {"instruction_id": STYLE, "content": "Write dates as 24.11.2026."}
    question = (await asked(rig.road(), "update_instruction", given)).plan
    text = "\n".join(question.question.lines)
    assert question.risk == "critical"
    assert "Write dates as 2026-11-24" in text
    assert "Write dates as 24.11.2026." in text
    assert (await done(rig, "update_instruction", given))["after"] == {"content": "Write dates as 24.11.2026."}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"instruction_id": TONE}, "arguments"),
        ({"instruction_id": TONE, "title": "Tone", "enabled": True, "priority": 20}, "nothing_to_do"),
        ({"instruction_id": UNKNOWN, "title": "x"}, "arguments"),
        ({"instruction_id": TONE, "title": "ä" * 101}, "arguments"),
    ],
)
async def test_a_change_of_nothing_or_of_nobody_is_refused(rig: Rig, given: dict[str, Any], kind: str) -> None:
    assert (await refused(rig.road().call(can_ask(), "update_instruction", given))).kind == kind
    assert rig.transport.changes == []


async def test_a_rule_is_deleted_after_a_yes_and_one_for_all_after_a_phrase(rig: Rig) -> None:
    question = (await asked(rig.road(), "delete_instruction", {"instruction_id": TONE})).plan
    assert question.risk == "destroy"
    assert any("three sentences" in line for line in question.question.lines)
    told = await done(rig, "delete_instruction", {"instruction_id": TONE})
    assert (told["gone"], told["title"]) == (True, "Tone")
    assert (await asked(rig.road(), "delete_instruction", {"instruction_id": STYLE})).plan.risk == "critical"
    assert (await refused(rig.road().call(can_ask(), "delete_instruction", {"instruction_id": TONE}))).kind == (
        "arguments"
    )


async def test_a_rule_for_a_workspace_that_is_gone_can_be_deleted(rig: Rig) -> None:
    rig.app.database.execute("UPDATE instructions SET scope_target = 'misspelt' WHERE id = ?", (TONE,))
    question = (await asked(rig.road(), "delete_instruction", {"instruction_id": TONE})).plan
    assert any("no present workspace" in line for line in question.question.lines)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("create_instruction", {"scope": "workspace", "title": "t", "content": "c"}),
    ("update_instruction", {"instruction_id": TONE, "title": "t"}),
]


@pytest.mark.parametrize(("tool", "given"), CHANGES)
@pytest.mark.parametrize("answer", [httpx.Response(500, json={"error": "query failed"}), httpx.Response(200, json=[])])
async def test_a_change_that_cannot_be_read_back_is_told_as_sent(
    rig: Rig, tool: str, given: dict[str, Any], answer: httpx.Response
) -> None:
    unread_after_a_change(rig, answer)
    target = {"scope_target": rig.named("Ticket Triage")} if tool.startswith("create") else {}
    assert (await refused(rig.road().call(can_ask(), tool, {**given, **target}))).sent is True
