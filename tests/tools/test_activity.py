"""What a workspace did and wrote, read over the embedded tenant; and a word to the people who watch it."""

import json
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused
from tests.tools.test_schedules import done

from molecule_mcp.road.traffic import Caller

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def dicts(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table by column."""
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


def log(rig: Rig, name: str, number: int, **columns: Any) -> None:
    """So many rows in a workspace's log, the newest last."""
    for place in range(number):
        row = {
            "id": f"row-{place}",
            "workspace_id": rig.named(name),
            "activity_type": "agent_log",
            "summary": f"step {place}",
            "created_at": f"2030-01-01T00:00:00.{place:06}Z",
            **columns,
        }
        marks = ", ".join("?" * len(row))
        rig.app.database.execute(f"INSERT INTO activity ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def answering(rig: Rig, ending: str, answer: Any) -> None:
    """Have the tenant answer one route so."""

    async def instead(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json=answer) if request.url.path.endswith(ending) else None

    rig.transport.before = instead


async def test_the_log_is_a_table_newest_first_without_columns_that_hold_nothing(rig: Rig) -> None:
    told = await done(rig, "list_activity", {"workspace": "Backend Engineer"})
    assert [row["summary"] for row in dicts(told)] == [
        "Reproduced the timeout with 40,000 invoices",
        "Ran 312 tests, 2 failed",
    ]
    assert told["columns"] == ["created_at", "type", "status", "summary", "source_id"]


async def test_an_unknown_workspace_is_no_empty_log(rig: Rig) -> None:
    for tool in ("list_activity", "search_session", "list_traces", "query_audit_log"):
        error = await refused(rig.road().call(Caller(), tool, {"workspace": UNKNOWN}))
        assert "404" in error.message


async def test_a_log_is_narrowed_by_type_and_by_who_asked(rig: Rig) -> None:
    chief = rig.named("Chief of Staff")
    (row,) = dicts(await done(rig, "list_activity", {"workspace": chief, "kind": "a2a_receive", "source": "canvas"}))
    assert row["summary"] == "message/send: what is the state of the launch?"
    assert dicts(await done(rig, "list_activity", {"workspace": chief, "source": "agent"})) == []
    assert dicts(await done(rig, "list_activity", {"workspace": chief, "kind": "error"})) == []


async def test_pages_of_a_log_are_together_the_whole_log(rig: Rig) -> None:
    log(rig, "SEO Analyst", 25)
    told: dict[str, Any] = {"next_cursor": ""}
    seen: list[str] = []
    while "next_cursor" in told:
        given = {"workspace": rig.named("SEO Analyst"), "limit": 10, "cursor": told["next_cursor"]}
        told = await done(rig, "list_activity", given)
        seen += [row["summary"] for row in dicts(told)]
    assert sorted(seen) == sorted(f"step {place}" for place in range(25))
    assert "/activity?limit=11" in rig.transport.lines[1]


async def test_long_rows_are_cut_at_a_row_with_how_to_go_on(rig: Rig) -> None:
    log(rig, "SEO Analyst", 80, error_detail="x" * 5000)
    told = await done(rig, "list_activity", {"workspace": rig.named("SEO Analyst"), "limit": 80})
    assert len(json.dumps(told["rows"], separators=(",", ":")).encode()) <= 25_000
    assert 10 < len(told["rows"]) < 80
    assert told["next_cursor"] == f"row-{80 - len(told['rows'])}"
    assert dicts(told)[0]["error"] == "x" * 400 + "…"


async def test_bodies_come_when_asked_for_cleaned_and_cut(rig: Rig) -> None:
    told = {"task": "do\u202e it", "more": "y" * 9000}
    log(rig, "SEO Analyst", 1, request_body=json.dumps(told), response_body=json.dumps({"text": "ok\u200b"}))
    given = {"workspace": rig.named("SEO Analyst")}
    assert "request" not in (await done(rig, "list_activity", given))["columns"]
    (row,) = dicts(await done(rig, "list_activity", {**given, "bodies": True}))
    assert row["request"].startswith('{"task": "do it"')
    assert len(row["request"]) == 4000
    assert row["response"] == {"text": "ok"}


async def test_a_search_finds_memories_and_activity_alike(rig: Rig) -> None:
    told = await done(rig, "search_session", {"workspace": "Ticket Triage", "q": "ticket"})
    assert [(row["kind"], row["label"]) for row in dicts(told)] == [("activity", "task_update"), ("memory", "LOCAL")]
    assert dicts(await done(rig, "search_session", {"workspace": "Ticket Triage", "q": "nothing like it"})) == []
    page = await done(rig, "search_session", {"workspace": "Ticket Triage", "limit": 1})
    rest = await done(rig, "search_session", {"workspace": "Ticket Triage", "cursor": page["next_cursor"]})
    assert [len(page["rows"]), len(rest["rows"])] == [1, 1]
    assert "next_cursor" not in rest


async def test_no_traces_may_have_several_reasons(rig: Rig) -> None:
    told = await done(rig, "list_traces", {"workspace": "Backend Engineer"})
    assert (told["traces"], "does not tell which" in told["note"]) == ([], True)


async def test_traces_are_cleaned_and_cut_and_those_that_do_not_fit_are_counted(rig: Rig) -> None:
    traces = [{"id": f"t{place}", "name": "a\u202eb", "input": "z" * 8000} for place in range(20)]
    answering(rig, "/traces", {"data": traces, "meta": {"page": 1}})
    told = await done(rig, "list_traces", {"workspace": rig.named("Backend Engineer")})
    assert told["traces"][0].startswith('{"id": "t0", "name": "ab"')
    assert told["note"] == f"{20 - len(told['traces'])} older ones did not fit."
    answering(rig, "/traces", {"data": [{"id": "t"}]})
    assert await done(rig, "list_traces", {"workspace": rig.named("Backend Engineer")}) == {"traces": [{"id": "t"}]}


async def test_the_ledger_is_read_in_pages_oldest_first(rig: Rig) -> None:
    given: dict[str, Any] = {"workspace": "Bookkeeper", "limit": 3}
    first = await done(rig, "query_audit_log", given)
    assert (first["total"], first["next_offset"], len(first["rows"])) == (4, 3, 3)
    rest = await done(rig, "query_audit_log", {**given, "offset": 3})
    assert [row["operation"] for row in dicts(first) + dicts(rest)] == [
        "task_start",
        "llm_call",
        "tool_call",
        "task_end",
    ]
    assert (rest["rows"][0][5], "next_offset" in rest) == (True, False)


async def test_an_empty_ledger_is_told_as_such(rig: Rig) -> None:
    told = await done(rig, "query_audit_log", {"workspace": "Backend Engineer"})
    assert (told["rows"], told["total"], told["chain"]) == ([], 0, "unchecked")
    assert "never do" in told["note"]


@pytest.mark.parametrize(
    ("valid", "given", "total", "chain"),
    [
        (False, {}, 1, "broken"),
        (True, {}, 1, "valid"),
        (None, {}, 1, "unchecked"),
        (False, {"agent_id": "a"}, 1, "unchecked"),
        (False, {"session_id": "s"}, 1, "unchecked"),
        (False, {"since": "2026-11-23T00:00:00Z"}, 1, "unchecked"),
        (True, {"until": "2026-11-23T00:00:00+01:00"}, 1, "unchecked"),
        (False, {}, 2, "unchecked"),
        (True, {"offset": 1}, 1, "unchecked"),
    ],
)
async def test_a_part_of_the_chain_is_never_told_as_tampered_with_nor_as_whole(
    rig: Rig, valid: bool | None, given: dict[str, Any], total: int, chain: str
) -> None:
    event = {"timestamp": "2026-11-23T07:01:39.25Z", "agent_id": "a", "session_id": "s", "operation": "llm_call",
             "human_oversight_flag": False, "risk_flag": True}  # fmt: skip
    answering(rig, "/audit", {"events": [event], "total": total, "chain_valid": valid})
    told = await done(rig, "query_audit_log", {"workspace": rig.named("Bookkeeper"), **given})
    assert told["chain"] == chain


async def test_filters_of_the_ledger_leave_as_the_tenant_names_them(rig: Rig) -> None:
    given = {
        "agent_id": "bookkeeper",
        "session_id": "s",
        "since": "2026-01-01T00:00:00Z",
        "until": "2027-01-01T00:00:00Z",
    }
    await done(rig, "query_audit_log", {"workspace": rig.named("Bookkeeper"), **given})
    assert rig.transport.lines[-1].endswith(
        "/audit?agent_id=bookkeeper&session_id=s&from=2026-01-01T00%3A00%3A00Z&to=2027-01-01T00%3A00%3A00Z&limit=100&offset=0"
    )


async def test_a_bare_date_is_refused_before_anything_is_read(rig: Rig) -> None:
    given = {"workspace": rig.named("Bookkeeper"), "since": "2026-01-01"}
    assert (await refused(rig.road().call(Caller(), "query_audit_log", given))).kind == "arguments"
    assert rig.transport.lines == []


async def test_a_notice_is_told_as_attempted_and_stands_in_the_log(rig: Rig) -> None:
    attached = {"uri": "workspace:/a.txt", "name": "a.txt", "mimeType": "text/plain"}
    given = {"workspace_id": rig.named("Copywriter"), "message": "Look at this", "attachments": [attached]}
    assert await done(rig, "notify_user", given) == {"state": "attempted"}
    assert json.loads(rig.transport.bodies[-1]) == {"message": "Look at this", "attachments": [attached]}
    told = await done(rig, "list_activity", {"workspace": "Copywriter", "bodies": True, "limit": 1})
    assert dicts(told)[0]["response"]["result"] == "Look at this"


async def test_nobody_is_notified_for_a_workspace_that_is_gone_or_with_text_the_tenant_cannot_keep(rig: Rig) -> None:
    gone = {"workspace_id": rig.named("Campaign Planner 2024"), "message": "x"}
    assert "404" in (await refused(rig.road().call(Caller(), "notify_user", gone))).message
    for wrong in (
        {"message": "x\0"},
        {"attachments": [{"uri": "u"}]},
        {"attachments": [{"uri": "u", "name": "n", "x": ""}]},
    ):
        given = {"workspace_id": rig.named("Copywriter"), "message": "x", **wrong}
        assert (await refused(rig.road().call(Caller(), "notify_user", given))).kind == "arguments"
    assert len(rig.transport.changes) == 1
