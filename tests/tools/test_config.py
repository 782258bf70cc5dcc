"""Model overrides and stored configs, over the embedded tenant."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, can_ask, refused

from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Caller, Done


async def done(road: Road, tool: str, **given: Any) -> dict[str, Any]:
    """The first item of a change, or the whole answer of a read."""
    outcome = await road.call(can_ask(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured.get("items", [outcome.structured])[0]


def data(rig: Rig, workspace_id: str) -> Any:
    """The stored document."""
    sql = "SELECT data FROM configs WHERE workspace_id = ?"
    return json.loads(rig.app.database.execute(sql, (workspace_id,)).fetchone()[0])


def kept(path: str) -> Any:
    """The JSON in a file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


async def test_a_model_is_read_and_unknown_ids_are_not_answered_with_the_default(rig: Rig) -> None:
    told = await done(rig.road(), "get_model", workspace_id=rig.named("Benchmark Runner"))
    assert told == {"model": "anthropic:claude-sonnet-4", "source": "workspace_secrets"}
    unknown = {"workspace_id": "00000000-0000-4000-8000-000000000000"}
    for tool in ("get_model", "get_config"):
        assert (await refused(rig.road().call(Caller(), tool, unknown))).kind == "refused"


async def test_a_new_model_tells_the_former_one_and_that_the_workspace_restarts(rig: Rig) -> None:
    bench = rig.named("Benchmark Runner")
    told = await done(rig.road(), "set_model", workspace_id=bench, model="x:y")
    assert (told["before"], told["model"]) == ("anthropic:claude-sonnet-4", "x:y")
    assert told["restart"].startswith("It restarts")
    assert rig.statuses()[bench] == "provisioning"
    assert (await done(rig.road(), "set_model", workspace_id=bench, model=""))["model"] == ""


@pytest.mark.parametrize(
    ("name", "said"), [("Partner Bot", "external"), ("Paper Scout", "paused"), ("Night Shift", "hibernated")]
)
async def test_what_does_not_restart_is_said_so(rig: Rig, name: str, said: str) -> None:
    before = rig.statuses()
    told = await done(rig.road(), "set_model", workspace_id=rig.named(name), model="x")
    assert f"it is {said}" in told["restart"]
    assert rig.statuses() == before


async def test_a_hosted_tenant_restarts_nothing_and_the_answer_says_so(hosted: Road) -> None:
    given = {"workspace_id": sample_id("workspaces", "chief"), "model": "x"}
    assert "restart_workspace" in (await done(hosted, "set_model", **given))["restart"]


async def test_the_same_model_and_a_removed_workspace_cause_nothing(rig: Rig) -> None:
    for name, model in (("Benchmark Runner", "anthropic:claude-sonnet-4"), ("Campaign Planner 2024", "x")):
        given = {"workspace_id": rig.named(name), "model": model}
        assert (await refused(rig.road().call(Caller(), "set_model", given))).kind == "nothing_to_do"
    assert rig.transport.changes == []


async def test_a_model_that_is_not_there_afterwards_is_not_reported(rig: Rig) -> None:
    async def pretend(request: httpx.Request) -> httpx.Response | None:
        saved = {"status": "saved", "model": "x"}
        return httpx.Response(200, json=saved) if request.method == "PUT" else None

    rig.transport.before = pretend
    given = {"workspace_id": rig.named("Benchmark Runner"), "model": "x"}
    error = await refused(rig.road().call(Caller(), "set_model", given))
    assert (error.sent, "another one" in error.message) == (True, True)


async def test_a_merge_tells_former_values_and_which_keys_stay_for_good(rig: Rig) -> None:
    bench = rig.named("Benchmark Runner")
    told = await done(rig.road(), "patch_config", workspace_id=bench, changes={"nightly": None, "owner": {"a": 1}})
    assert kept(told.pop("former_file")) == {"nightly": True}
    assert told == {"id": bench, "before": {"nightly": True}, "added": ["owner"], "not_stored": []}
    assert data(rig, bench) == {"suites": ["retrieval", "speech"], "nightly": None, "owner": {"a": 1}}
    assert (await done(rig.road(), "get_config", workspace_id=bench))["data"] == data(rig, bench)


async def test_long_former_values_are_in_a_file_before_they_are_overwritten(rig: Rig) -> None:
    bench = rig.named("Benchmark Runner")
    await done(rig.road(), "patch_config", workspace_id=bench, changes={"suites": "x" * 5000})
    told = await done(rig.road(), "patch_config", workspace_id=bench, changes={"suites": []})
    assert kept(told["former_file"]) == {"suites": "x" * 5000}
    assert len(told["before"]) == 4000


@pytest.mark.parametrize("changes", [[1], {}, {"a": "x" * 262_144}, {"a": "\x00"}, "[1]"])
async def test_what_would_spoil_the_document_is_refused_here(rig: Rig, changes: Any) -> None:
    given = {"workspace_id": rig.named("Benchmark Runner"), "changes": changes}
    assert (await refused(rig.road().call(Caller(), "patch_config", given))).kind == "arguments"
    assert rig.transport.changes == []


async def test_a_document_that_is_an_array_is_told_and_left_alone(rig: Rig) -> None:
    bench = rig.named("Benchmark Runner")
    rig.app.database.execute("UPDATE configs SET data = '[1]' WHERE workspace_id = ?", (bench,))
    assert "for good" in (await done(rig.road(), "get_config", workspace_id=bench))["note"]
    given = {"workspace_id": bench, "changes": {"a": 1}}
    assert "array for good" in (await refused(rig.road().call(Caller(), "patch_config", given))).message
    assert rig.transport.changes == []


async def test_what_the_tenant_accepted_and_did_not_keep_is_told(rig: Rig) -> None:
    async def pretend(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"status": "updated"}) if request.method == "PATCH" else None

    rig.transport.before = pretend
    told = await done(rig.road(), "patch_config", workspace_id=rig.named("Benchmark Runner"), changes={"nightly": 5})
    assert told["not_stored"] == ["nightly"]
