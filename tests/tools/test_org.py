"""Organizations imported to the end: asked about, followed, and honest about a lost answer."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Clock, Counted, Rig, answered, asked, by_another, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import read

from molecule_mcp import embedded
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Done

BEATS = {"directory": "free-beats-all"}
DESK = {"directory": "support-desk", "force": True}
NAMES = ["Beats Lead", "Beats Groq", "Beats Gemini"]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A rig whose tenant goes by the same clock as we do: waiting is what lets its work go on."""
    clock = Clock()
    app = embedded.build(
        embedded.Options(
            agents=False,
            rate_limit=None,
            clock=lambda: datetime.fromtimestamp(clock.now, UTC),
            pause=clock.pass_by,
        )
    )
    yield Rig(tmp_path, app, Counted(app), clock)
    app.close()


def there(rig: Rig) -> list[str]:
    """The names of what an import of the sample made, in the order it came."""
    sql = "SELECT name FROM workspaces WHERE name LIKE 'Beats %' ORDER BY created_at, rowid"
    return [str(row[0]) for row in rig.app.database.execute(sql).fetchall()]


async def lost(rig: Rig, given: dict[str, Any], *, arrives: bool, road: Road | None = None) -> MoleculeError:
    """Import, with an answer that is lost."""

    async def silent(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        if arrives:
            await rig.transport.inner.handle_async_request(request)
        raise httpx.ReadTimeout("silence")

    road = road or rig.road()
    question = await asked(road, "import_org", given)
    rig.transport.before = silent
    phrase = question.plan.question.phrase
    return await refused(answered(road, "import_org", given, question, phrase=phrase))


async def test_templates_are_a_table_that_says_what_is_missing(rig: Rig) -> None:
    told = await read(rig, "list_org_templates")
    rows = {row[0]: dict(zip(told["columns"], row, strict=True)) for row in told["rows"]}
    assert rows["free-beats-all"]["workspaces"] == 3
    assert rows["support-desk"]["required_env"] == "GH_PAT, ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN"
    assert rows["support-desk"]["missing_env"] == "GH_PAT"


async def test_a_template_is_imported_to_the_end_with_progress(rig: Rig) -> None:
    lines: list[str] = []

    async def progress(_done: float, _total: float | None, line: str) -> None:
        lines.append(line)

    plan = (await asked(rig.road(), "import_org", BEATS)).plan
    text = "\n".join(plan.question.lines)
    assert plan.risk == "critical"
    assert all(part in text for part in ("make 3 workspaces", "Free Beats All", "about: 6 seconds", "second set"))
    road, caller = rig.road(), replace(can_ask(), progress=progress)
    question = await asked(road, "import_org", BEATS)
    answer = FormAnswer(question.plan.id, "accept", {"phrase": plan.question.phrase})
    told = await road.call(caller, "import_org", BEATS, answer)
    assert isinstance(told, Done)
    (item,) = told.structured["items"]
    assert (item["state"], item["made"], item["expected"], item["statuses"]) == ("made", 3, 3, {"online": 3})
    assert [row[1] for row in item["rows"]] == there(rig) == NAMES
    assert "3 of 3 have started or failed" in lines
    assert rig.transport.changes == ["POST /org/import"]


async def test_how_many_are_made_is_told_while_the_tenant_works(rig: Rig) -> None:
    """The first look comes when the tenant has made its second workspace, and lets it go on."""
    looked = asyncio.Event()
    lines: list[str] = []

    async def hold(_seconds: float) -> None:
        await looked.wait()

    async def progress(_done: float, _total: float | None, line: str) -> None:
        lines.append(line)
        if line.startswith("2 of 3 workspaces made"):
            looked.set()

    app = embedded.build(embedded.Options(agents=False, rate_limit=None, pause=hold))
    held = Rig(rig.folder, app, Counted(app), rig.clock)
    road = held.road()
    question = await asked(road, "import_org", BEATS)
    answer = FormAnswer(question.plan.id, "accept", {"phrase": question.plan.question.phrase})
    await road.call(replace(can_ask(), progress=progress), "import_org", BEATS, answer)
    app.close()
    assert "2 of 3 workspaces made" in lines


async def test_missing_secrets_are_named_before_anybody_is_asked_unless_forced(rig: Rig) -> None:
    error = await refused(rig.road().call(can_ask(), "import_org", {"directory": "support-desk"}))
    assert (error.kind, error.details["missing"]) == ("arguments", ["GH_PAT"])
    plan = (await asked(rig.road(), "import_org", DESK)).plan
    assert any('"GH_PAT"' in line for line in plan.question.lines)


async def test_what_the_tenant_leaves_open_is_told(rig: Rig) -> None:
    told = await done(rig, "import_org", DESK)
    assert told["channels_skipped"] == ["Desk Lead: telegram, missing env: [${NOPE_TOKEN}]"]
    assert any("without a token" in note for note in told["notes"])
    assert any("unencrypted" in note for note in told["notes"])


async def test_what_looks_like_an_earlier_import_is_shown(rig: Rig) -> None:
    given = {"template": {"name": "T", "workspaces": [{"name": "Bookkeeper"}]}}
    plan = (await asked(rig.road(), "import_org", given)).plan
    assert any(rig.named("Bookkeeper") in line for line in plan.question.lines)
    rig.clock.now += 601  # the question before has expired: one at a time
    await done(rig, "import_org", BEATS)
    plan = (await asked(rig.road(), "import_org", {**BEATS, "force": True})).plan
    assert all(any(name in line for line in plan.question.lines) for name in NAMES)


async def test_a_second_yes_to_what_was_imported_meanwhile_sends_nothing(rig: Rig) -> None:
    question = await asked(road := rig.road(), "import_org", BEATS)
    await by_another(road, "import_org", {**BEATS, "force": True})
    error = await refused(answered(road, "import_org", BEATS, question, phrase=question.plan.question.phrase))
    assert error.kind == "stale_plan"
    assert there(rig) == NAMES


async def test_nothing_is_asked_while_workspaces_are_appearing(rig: Rig) -> None:
    looks = [0]

    async def growing(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != "/workspaces":
            return None
        looks[0] += 1
        rows = [{"id": str(n), "name": "n", "status": "online"} for n in range(looks[0])]
        return httpx.Response(200, json=rows)

    rig.transport.before = growing
    error = await refused(rig.road().call(can_ask(), "import_org", BEATS))
    assert (error.kind, error.sent) == ("import_running", False)


async def test_a_lost_answer_is_made_good_by_reading_back(rig: Rig) -> None:
    async def silent(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        await rig.transport.inner.handle_async_request(request)
        raise httpx.ReadTimeout("silence")

    rig.transport.before = silent
    told = await done(rig, "import_org", BEATS)
    assert (told["state"], told["made"], told["statuses"]) == ("made", 3, {"online": 3})
    assert "answer was lost" in told["notes"][0]
    assert rig.transport.changes == ["POST /org/import"]


async def test_an_import_in_doubt_is_unknown_and_no_second_one_follows(rig: Rig) -> None:
    road = rig.road()
    error = await lost(rig, BEATS, arrives=False, road=road)
    assert (error.sent, error.details["state"], error.details["expected"]) == ("unknown", "unknown", 3)
    same = await refused(road.call(can_ask(), "import_org", BEATS))
    assert (same.sent, same.details["deduplicated"], same.details["state"]) == ("unknown", True, "unknown")
    for again in ({"force": True}, {"client_token": "another"}):
        refusal = await refused(road.call(can_ask(), "import_org", {**BEATS, **again}))
        assert (refusal.kind, refusal.sent) == ("outcome_unknown", False)
    assert rig.transport.changes == ["POST /org/import"]
    outcomes = [record.body for record in road.context.store().records() if record.kind == "outcome"]
    assert outcomes[-1]["state"] == "unknown"


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_gateway_that_gives_up_is_followed_too(rig: Rig, status: int) -> None:
    async def given_up(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        await rig.transport.inner.handle_async_request(request)
        return httpx.Response(status, text="<html>")

    rig.transport.before = given_up
    assert (await done(rig, "import_org", BEATS))["made"] == 3


async def test_a_stop_half_way_is_told_with_what_stays(rig: Rig) -> None:
    bad = {"name": "Bad", "workspace_dir": "/etc/x"}
    given = {"template": {"name": "P", "workspaces": [{"name": "Beats Good"}, bad, {"name": "Beats Never"}]}}
    told = await done(rig, "import_org", given)
    assert (told["state"], told["made"], told["expected"]) == ("stopped", 1, 3)
    assert told["error"] == "workspace Bad: workspace_dir is not allowed"
    assert there(rig) == ["Beats Good"]


async def test_a_stop_at_the_first_is_a_failure(rig: Rig) -> None:
    given = {"template": {"name": "P", "workspaces": [{"name": "Bad", "workspace_dir": "/etc/x"}]}}
    question = await asked(road := rig.road(), "import_org", given)
    phrase = question.plan.question.phrase
    error = await refused(answered(road, "import_org", given, question, phrase=phrase))
    assert (error.details["status"], error.sent, "made nothing" in error.message) == (207, True, True)


async def test_a_template_without_a_readable_file_is_refused_by_the_tenant_and_told(rig: Rig) -> None:
    given = {"directory": "old-style"}
    question = await asked(road := rig.road(), "import_org", given)
    phrase = question.plan.question.phrase
    error = await refused(answered(road, "import_org", given, question, phrase=phrase))
    assert (error.details["status"], error.sent) == (404, True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {**BEATS, "template": {"name": "x", "workspaces": [{"name": "y"}]}},
        {"directory": "broken"},
        {"template": {}},
    ],
)
async def test_what_is_no_template_is_refused_before_anybody_is_asked(rig: Rig, given: dict[str, Any]) -> None:
    error = await refused(rig.road().call(can_ask(), "import_org", given))
    assert error.kind == "arguments"
    assert rig.transport.changes == []


async def test_a_secret_of_a_channel_reaches_the_tenant_and_nobody_else(rig: Rig) -> None:
    rig.environ["MOLECULE_SECRET_HOOK"] = "https://hooks.slack.com/services/T/B/sesame"
    channel = {"type": "slack", "config": {"webhook_url": "env:MOLECULE_SECRET_HOOK"}}
    given = {"template": {"name": "T", "workspaces": [{"name": "Beats One", "channels": [channel]}]}}
    plan = (await asked(rig.road(), "import_org", given)).plan
    assert "sesame" not in str(plan)
    told = await done(rig, "import_org", given)
    assert "sesame" not in str(told)
    assert b"sesame" in rig.transport.bodies[rig.transport.lines.index("POST /org/import")]
    assert any("Channels are connected" in note for note in told["notes"])
