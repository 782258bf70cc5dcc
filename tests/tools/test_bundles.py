"""Bundles: out into a file that says whose config it holds, in after a typed yes, and read back."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_checkpoints import fail_reads_after_a_change
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

TREE: dict[str, Any] = {"name": "Copy", "tier": 2, "sub_workspaces": [{"name": "Kid", "tier": 1}]}


def named(rig: Rig, name: str) -> int:
    """How many workspaces of that name are there."""
    return int(rig.app.database.execute("SELECT count(*) FROM workspaces WHERE name = ?", (name,)).fetchone()[0])


def kept(told: dict[str, Any]) -> tuple[str, int, Any]:
    """The name, mode and content of an export's file."""
    path = Path(told["written_to"])
    return path.name, path.stat().st_mode, json.loads(path.read_text())


def replace(told: dict[str, Any], content: Any) -> None:
    """Write something else into an export's file."""
    Path(told["written_to"]).write_text(json.dumps(content))


async def test_a_team_goes_out_to_a_private_file_and_comes_in_as_a_second_team(rig: Rig) -> None:
    told = await read(rig, "export_bundle", workspace_id=rig.named("Finance Lead"))
    assert told["rows"] == [["Finance Lead", "online", "own", 0], ["Bookkeeper", "online", "own", 0]]
    assert "warning" not in told
    name, mode, content = kept(told)
    assert (name, mode & 0o077) == (told["file"], 0)
    assert content["sub_workspaces"][0]["name"] == "Bookkeeper"
    plan = (await asked(rig.road(), "import_bundle", {"file": told["file"]})).plan
    text = "\n".join(plan.question.lines)
    assert plan.risk == "critical"
    assert all(rig.named(name) in text for name in ("Finance Lead", "Bookkeeper"))
    made = await done(rig, "import_bundle", {"file": told["file"]})
    assert (made["state"], [row[1] for row in made["rows"]]) == ("made", ["Finance Lead", "Bookkeeper"])
    assert named(rig, "Bookkeeper") == 2
    assert rig.transport.changes == ["POST /bundles/import"]


async def test_a_foreign_config_is_told_at_export_and_before_an_import(rig: Rig) -> None:
    told = await read(rig, "export_bundle", workspace_id=rig.named("Partner Bot"))
    assert told["rows"][0][2] == "foreign"
    assert told["warning"].startswith("1 of 1 do not run here")
    plan = (await asked(rig.road(), "import_bundle", {"file": told["file"]})).plan
    assert any('its config is of "Claude Code Agent"' in line for line in plan.question.lines)
    scout = await read(rig, "export_bundle", workspace_id=rig.named("Paper Scout"))
    assert (scout["rows"], "warning" in scout) == ([["Paper Scout", "paused", "template", 1]], True)


async def test_a_running_one_whose_config_says_another_name_is_marked(rig: Rig) -> None:
    rig.app.database.execute("UPDATE workspaces SET name = 'Renamed' WHERE name = 'Bookkeeper'")
    rig.app.database.execute(
        "INSERT INTO container_files SELECT id, 'config.yaml', CAST('name: Bookkeeper' AS BLOB) FROM workspaces "
        "WHERE name = 'Renamed'"
    )
    told = await read(rig, "export_bundle", workspace_id=rig.named("Renamed"))
    assert told["rows"][0][2] == "other_name"


async def test_without_any_template_there_is_no_config(rig: Rig) -> None:
    rig.app.database.execute("DELETE FROM folders")
    told = await read(rig, "export_bundle", workspace_id=rig.named("Campaign Planner 2024"))
    assert told["rows"] == [["Campaign Planner 2024", "removed", "none", 0]]


async def test_an_unknown_workspace_has_no_bundle(rig: Rig) -> None:
    error = await refused(rig.road().call(can_ask(), "export_bundle", {"workspace_id": UNKNOWN}))
    assert error.details["status"] == 404


async def test_what_fails_inside_a_success_is_told(rig: Rig) -> None:
    async def partly(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        body = {"workspace_id": UNKNOWN, "name": "Copy", "status": "provisioning"}
        bad = {"workspace_id": UNKNOWN[:-1] + "1", "name": "Kid", "status": "failed", "error": "no room"}
        return httpx.Response(201, json={**body, "children": [bad]})

    rig.transport.before = partly
    told = await done(rig, "import_bundle", {"bundle": TREE})
    assert (told["state"], told["failed"]) == ("partly_failed", ["Kid: no room"])
    assert told["rows"] == [[UNKNOWN, "", "not listed"]]


async def test_a_success_that_made_nothing_is_a_failure(rig: Rig) -> None:
    async def failed(request: httpx.Request) -> httpx.Response | None:
        body = {"workspace_id": UNKNOWN, "name": "Copy", "status": "failed", "error": "no room"}
        return httpx.Response(201, json=body) if request.method == "POST" else None

    question = await asked(road := rig.road(), "import_bundle", {"bundle": TREE})
    rig.transport.before = failed
    phrase = question.plan.question.phrase
    error = await refused(answered(road, "import_bundle", {"bundle": TREE}, question, phrase=phrase))
    assert (error.details["status"], error.sent, "no room" in error.message) == (201, True, True)


async def test_a_lost_answer_is_made_good_by_reading_back(rig: Rig) -> None:
    async def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        await rig.transport.inner.handle_async_request(request)
        raise httpx.ReadTimeout("silence")

    rig.transport.before = lost
    told = await done(rig, "import_bundle", {"bundle": TREE})
    assert (told["state"], [row[1] for row in told["rows"]]) == ("made", ["Copy", "Kid"])
    assert "answer was lost" in told["note"]
    assert rig.transport.changes == ["POST /bundles/import"]


async def test_a_lost_answer_to_what_made_nothing_stays_unknown(rig: Rig) -> None:
    async def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            raise httpx.ReadTimeout("silence")
        return None

    question = await asked(road := rig.road(), "import_bundle", {"bundle": TREE})
    rig.transport.before = lost
    phrase = question.plan.question.phrase
    error = await refused(answered(road, "import_bundle", {"bundle": TREE}, question, phrase=phrase))
    assert (error.sent, error.details["state"], error.details["made"]) == ("unknown", "unknown", [])
    assert "0 of 2" in error.message
    again = await refused(road.call(can_ask(), "import_bundle", {"bundle": {**TREE, "tier": 3}}))
    assert (again.kind, again.sent) == ("outcome_unknown", False)
    assert rig.transport.changes == ["POST /bundles/import"]


async def test_a_success_that_cannot_be_read_back_says_so(rig: Rig) -> None:
    question = await asked(road := rig.road(), "import_bundle", {"bundle": TREE})
    fail_reads_after_a_change(rig, httpx.Response(500, json={"error": "x"}))
    phrase = question.plan.question.phrase
    error = await refused(answered(road, "import_bundle", {"bundle": TREE}, question, phrase=phrase))
    assert (error.kind, error.sent) == ("unreadable_answer", True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"bundle": TREE, "file": "bundle-x"},
        {"bundle": {"name": "x", "teir": 1}},
        {"bundle": {"name": "x", "tier": "two"}},
        {"bundle": {"name": "x", "tier": 2**31}},
        {"bundle": {"name": "x", "description": "a\x00b"}},
        {"bundle": {"name": "", "tier": 2}},
        {"bundle": {"name": "x", "sub_workspaces": [{"name": "y"}] * 100}},
        {"file": "bundle-gone.export"},
        {"file": "org-token-x"},
        {"file": "../secrets/x"},
    ],
)
async def test_what_is_no_bundle_is_refused_before_anybody_is_asked(rig: Rig, given: dict[str, Any]) -> None:
    error = await refused(rig.road().call(can_ask(), "import_bundle", given))
    assert error.kind == "arguments"
    assert rig.transport.changes == []


async def test_a_file_that_changes_after_the_question_is_not_sent(rig: Rig) -> None:
    told = await read(rig, "export_bundle", workspace_id=rig.named("Bookkeeper"))
    given = {"file": told["file"]}
    question = await asked(road := rig.road(), "import_bundle", given)
    replace(told, TREE)
    error = await refused(answered(road, "import_bundle", given, question, phrase=question.plan.question.phrase))
    assert error.kind == "stale_plan"
    assert rig.transport.changes == []
