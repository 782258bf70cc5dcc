"""A name where an id is wanted: refused with the ids it may mean, after one read and nothing else."""

from typing import Any

import anyio
import httpx
import pytest

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import ConfigurationError, MoleculeError
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.tenant import Tenant, Wire
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from tests.road.rig import Rig, can_ask, refused

PLAIN = "Correct the arguments and call again; nothing was sent."


async def told(rig: Rig, tool: str, given: dict[str, Any], profile: Profile | None = None) -> MoleculeError:
    """The refusal of a call; whatever it says, nothing but the list was asked for."""
    error = await refused(rig.road(profile).call(can_ask(), tool, given))
    assert (error.kind, error.sent) == ("arguments", False)
    assert set(rig.transport.lines) <= {"GET /workspaces"}
    return error


@pytest.mark.parametrize("tool", ["delete_workspace", "pause_workspace", "create_schedule"])
async def test_the_only_candidate_is_told_and_not_taken(rig: Rig, tool: str) -> None:
    error = await told(rig, tool, {"workspace_id": "copywriter"})
    assert error.details["candidates"] == [
        {
            "for": "workspace_id",
            "id": rig.named("Copywriter"),
            "name": "Copywriter",
            "status": rig.statuses()[rig.named("Copywriter")],
            "under": "Marketing Lead",
        }
    ]
    assert "A UUID, not a name" in error.message
    assert error.advice == "Call again with the id of the one that is meant; a person knows which."
    assert rig.transport.lines == ["GET /workspaces"]


@pytest.mark.parametrize("name", ["Copywriter", "copywriter"])
@pytest.mark.parametrize("parameter", ["workspace_id", "workspace"])
async def test_a_read_takes_the_very_name_of_one_workspace_under_either_name(
    rig: Rig, parameter: str, name: str
) -> None:
    outcome = await rig.road().call(Caller(), "list_workspace_secrets", {parameter: name})
    assert isinstance(outcome, Done)
    assert rig.transport.lines[::2] == ["GET /workspaces", f"GET /workspaces/{rig.named('Copywriter')}/secrets"]
    assert isinstance(await rig.road().call(Caller(), "get_workspace", {parameter: name}), Done)


@pytest.mark.parametrize("name", ["Reviewer", "reviewer", "Copywrit"])
async def test_a_read_takes_no_name_that_may_mean_another(rig: Rig, name: str) -> None:
    assert (await told(rig, "list_workspace_secrets", {"workspace_id": name})).details["candidates"]


async def test_a_change_takes_a_workspace_under_its_own_parameter_only(rig: Rig) -> None:
    assert "1 unknown argument" in (await told(rig, "pause_workspace", {"workspace": rig.named("Copywriter")})).message


async def test_a_label_where_the_id_of_an_organization_key_is_wanted_is_answered_with_ids(rig: Rig) -> None:
    outcome = await rig.road().call(Caller(), "list_org_tokens", {})
    assert isinstance(outcome, Done)
    rows: list[dict[str, str]] = outcome.structured["tokens"]
    rig.transport.lines.clear()
    key = next(row for row in rows if row.get("name"))
    for text in (key["name"], key["name"].upper(), key["prefix"]):
        error = await refused(rig.road().call(can_ask(), "revoke_org_token", {"token_id": text}))
        assert {"for": "token_id", "id": key["id"], "name": key["name"], "prefix": key["prefix"]} in error.details[
            "candidates"
        ]
    error = await refused(rig.road().call(can_ask(), "revoke_org_token", {"token_id": "nobody's key"}))
    assert (error.details["candidates"], "`id` from list_org_tokens" in str(error.advice)) == ([], True)
    assert set(rig.transport.lines) == {"GET /org/tokens"}


async def test_of_two_with_one_name_both_are_told_with_their_parents(rig: Rig) -> None:
    error = await told(rig, "send_message", {"workspace_id": "Reviewer", "text": "Copywriter"})
    assert {row["for"] for row in error.details["candidates"]} == {"workspace_id"}
    assert {row["under"] for row in error.details["candidates"]} == {"Engineering Lead", "Support Lead"}


async def test_five_candidates_are_enough(rig: Rig) -> None:
    assert len((await told(rig, "delete_workspace", {"workspace_id": "e"})).details["candidates"]) == 5


async def test_each_of_two_names_has_its_candidates_from_one_read(rig: Rig) -> None:
    given = {"workspace_id": "Copywriter", "parent_id": "Finance Lead"}
    found = (await told(rig, "update_workspace", given)).details["candidates"]
    assert [(row["for"], row["name"]) for row in found] == [
        ("parent_id", "Finance Lead"),
        ("workspace_id", "Copywriter"),
    ]
    assert rig.transport.lines == ["GET /workspaces"]


async def test_a_name_of_nobody_is_told_as_such(rig: Rig) -> None:
    error = await told(rig, "delete_workspace", {"workspace_id": "zzzzzz"})
    nobody = "No workspace is called anything like that; list_workspaces shows all names."
    assert (error.details, error.advice) == ({"candidates": []}, nobody)


async def test_a_call_of_a_plan_is_told_the_same(rig: Rig) -> None:
    calls = [{"tool": "pause_workspace", "arguments": {"workspace_id": "Copywriter"}}]
    error = await told(rig, "run_plan", {"calls": calls})
    assert [row["id"] for row in error.details["candidates"]] == [rig.named("Copywriter")]


async def test_a_bound_profile_hears_of_its_own_workspaces_only(rig: Rig) -> None:
    own = rig.named("SEO Analyst")
    bound = Profile(role="WORKSPACE-WRITE", bound=frozenset({own}))
    found = (await told(rig, "delete_workspace", {"workspace_id": "analyst"}, bound)).details["candidates"]
    assert [(row["id"], row["under"]) for row in found] == [(own, "")]
    assert (await told(rig, "delete_workspace", {"workspace_id": "Copywriter"}, bound)).details["candidates"] == []


TOKEN = Profile(workspace_token=True, bound=frozenset({"x"}))


@pytest.mark.parametrize(
    ("profile", "tool"),
    [(Profile(role="READ"), "pause_workspace"), (TOKEN, "pause_workspace"), (TOKEN, "list_schedules")],
)
async def test_who_cannot_use_the_tool_or_read_the_list_asks_the_tenant_nothing(
    rig: Rig, profile: Profile, tool: str
) -> None:
    error = await told(rig, tool, {"workspace_id": "Copywriter"}, profile)
    assert (rig.transport.lines, error.details, error.advice) == ([], {}, PLAIN)


@pytest.mark.parametrize("hostile", ["../org/tokens", "a/b", "Copy\nwriter", "Copy\u202ewriter", "..", "&&", "C" * 101])
async def test_what_is_no_likely_name_is_refused_without_a_look(rig: Rig, hostile: str) -> None:
    error = await told(rig, "delete_workspace", {"workspace_id": hostile})
    assert (rig.transport.lines, error.details, error.advice) == ([], {}, PLAIN)
    assert hostile not in str(error.told())


@pytest.mark.parametrize("depth", [1, 300, 5000])
async def test_what_is_no_text_is_refused_without_a_look_however_deep(rig: Rig, depth: int) -> None:
    value: Any = "Copywriter"
    for _ in range(depth):
        value = [value]
    error = await told(rig, "delete_workspace", {"workspace_id": value})
    assert (rig.transport.lines, error.details, error.advice) == ([], {}, PLAIN)


async def test_without_a_connection_the_plain_refusal_stands(rig: Rig) -> None:
    def keyless() -> Wire:
        raise ConfigurationError("There is no key.")

    error = await refused(rig.road(wire=keyless).call(can_ask(), "delete_workspace", {"workspace_id": "Copywriter"}))
    assert (error.kind, error.details, error.advice) == ("arguments", {}, PLAIN)


async def test_a_list_that_cannot_be_read_leaves_the_plain_refusal(rig: Rig) -> None:
    async def broken(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, json={"error": "failed"})

    rig.transport.before = broken
    error = await told(rig, "delete_workspace", {"workspace_id": "Copywriter"})
    assert (rig.transport.lines, error.details, error.advice) == (["GET /workspaces"], {}, PLAIN)
    rig.transport.lines.clear()
    error = await refused(rig.road().call(can_ask(), "revoke_org_token", {"token_id": "ci-deploy"}))
    assert (rig.transport.lines, error.details) == (["GET /org/tokens"], {})
    assert "candidates" not in str(error.advice)


async def test_a_list_may_take_five_seconds(rig: Rig) -> None:
    left: list[float] = []

    async def heard(_request: httpx.Request) -> None:
        left.append(anyio.current_effective_deadline() - anyio.current_time())

    rig.transport.before = heard
    await told(rig, "delete_workspace", {"workspace_id": "Copywriter"})
    assert len(left) == 1 and 0.0 < left[0] <= 5.0


async def test_a_list_that_does_not_come_leaves_the_plain_refusal(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr("molecule_mcp.road.naming.SECONDS", 0.0)
    rig.transport.before = silent
    error = await told(rig, "delete_workspace", {"workspace_id": "Copywriter"})
    assert (error.details, error.advice) == ({}, PLAIN)


async def test_what_a_name_holds_for_a_terminal_or_a_reader_is_cleaned(rig: Rig) -> None:
    rig.app.database.execute("UPDATE workspaces SET name = ? WHERE name = 'Copywriter'", ("Copy\u202e\x1b[2Jwriter",))
    error = await told(rig, "delete_workspace", {"workspace_id": "Copywriter"})
    assert [row["name"] for row in error.details["candidates"]] == ["Copy[2Jwriter"]


async def test_a_name_that_holds_a_known_value_is_told_without_it(rig: Rig) -> None:
    secret = rig.environ["MOLECULE_SECRET_KEY"]
    rig.app.database.execute("UPDATE workspaces SET name = ? WHERE name = 'Copywriter'", (f"Copywriter {secret}",))
    error = await told(rig, "delete_workspace", {"workspace_id": "Copywriter"})
    names = [row["name"] for row in error.details["candidates"]]
    assert names == ["Copywriter [redacted:env:MOLECULE_SECRET_KEY]"]


async def test_the_longest_name_is_looked_up(rig: Rig) -> None:
    await told(rig, "delete_workspace", {"workspace_id": "C" * 100})
    assert rig.transport.lines == ["GET /workspaces"]


family = Family("test")


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Five")
async def five(
    tenant: Tenant, a: WorkspaceId, b: WorkspaceId, c: WorkspaceId, d: WorkspaceId, e: WorkspaceId
) -> Answer:
    """Take five ids."""
    return Answer()


async def test_four_names_of_one_call_are_looked_up(rig: Rig) -> None:
    error = await refused(
        rig.road(find=family.capabilities.get).call(Caller(), "five", dict.fromkeys("abcde", "Copywriter"))
    )
    assert [row["for"] for row in error.details["candidates"]] == ["a", "b", "c", "d"]


async def test_other_mistakes_of_the_call_are_told_too(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "delete_workspace", {"workspace_id": "Copywriter", "purge": 7}))
    assert "purge must be true or false" in error.message
    assert len(error.details["candidates"]) == 1


async def test_an_id_beside_another_mistake_is_looked_up_by_nobody(rig: Rig) -> None:
    error = await told(rig, "delete_workspace", {"workspace_id": rig.named("Copywriter"), "purge": 7})
    assert (rig.transport.lines, error.details) == ([], {})
