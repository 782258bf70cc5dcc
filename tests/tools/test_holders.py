"""Who holds keys, who sees a secret, and what a change would touch."""

from typing import Any

import httpx
from tests.road.rig import Rig, refused

from molecule_mcp.road.traffic import Caller, Done


async def answer(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    assert rig.transport.changes == []
    return outcome.structured


async def test_keys_are_told_with_who_minted_them_and_whether_they_are_used(rig: Rig) -> None:
    told = await answer(rig, "find_key_holders")
    by_label = {row["label"]: row for row in told["organization_keys"]}
    assert (by_label["test"]["this_one"], by_label["test"]["unused"]) == (True, False)
    assert by_label["grafana"]["unused"]
    assert not by_label["ci-deploy"]["unused"]
    assert rig.transport.lines == ["GET /org/tokens"]
    assert told.keys() == {"organization_keys"}, "nothing is said of what was not read"


async def test_how_long_is_unused_is_the_callers_choice(rig: Rig) -> None:
    many = (await answer(rig, "find_key_holders", unused_days=1))["organization_keys"]
    few = (await answer(rig, "find_key_holders", unused_days=365))["organization_keys"]
    assert sum(row["unused"] for row in many) > sum(row["unused"] for row in few)


async def test_tokens_of_workspaces_are_counted_when_asked_for(rig: Rig) -> None:
    told = await answer(rig, "find_key_holders", workspace_tokens=True)
    sql = "SELECT count(DISTINCT workspace_id), count(*) FROM workspace_tokens WHERE revoked_at IS NULL"
    workspaces, tokens = rig.app.database.execute(sql).fetchone()
    assert (len(told["workspaces"]), sum(row[2] for row in told["workspaces"])) == (workspaces, tokens)


async def test_who_sees_a_secret_is_told_with_where_it_comes_from(rig: Rig) -> None:
    told = await answer(rig, "find_secret", key="OPENAI_API_KEY")
    source = {row[0]: row[2] for row in told["sees"]}
    own = {
        row[0]
        for row in rig.app.database.execute(
            "SELECT workspace_id FROM workspace_secrets WHERE key = 'OPENAI_API_KEY'"
        ).fetchall()
    }
    assert told["is_global"]
    assert {each for each, scope in source.items() if scope == "workspace"} == own
    assert told["without"] == 0
    told = await answer(rig, "find_secret", key="STRIPE_API_KEY")
    assert (told["is_global"], [row[1] for row in told["sees"]]) == (False, ["Refund Agent"])
    assert told["without"] > 20


async def test_a_workspace_whose_secrets_cannot_be_read_is_named(rig: Rig) -> None:
    hidden = rig.named("Copywriter")

    async def refuse(request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(404, json={"error": "no"}) if request.url.path == f"/workspaces/{hidden}/secrets" else None
        )

    rig.transport.before = refuse
    told = await answer(rig, "find_secret", key="OPENAI_API_KEY")
    assert list(told["unread"]) == [hidden]
    assert hidden not in {row[0] for row in told["sees"]}


async def test_the_impact_of_a_delete_names_all_that_would_go(rig: Rig) -> None:
    lead = rig.named("Marketing Lead")
    told = await answer(rig, "get_impact", of="delete_workspace", workspace_id=lead)
    assert told["workspaces"] == 5
    assert any(rig.named("Copywriter") in line for line in told["facts"]["Goes, in this order"])


async def test_the_impact_of_a_secret_is_who_restarts(rig: Rig) -> None:
    told = await answer(rig, "get_impact", of="change_secret", key="OPENAI_API_KEY")
    assert told["workspaces"] == len(told["facts"]["Restarts"]) == 21
    for name, now in (
        ("Newsletter Editor", "overwritten"),
        ("Copywriter", "inherits it"),
    ):
        told = await answer(rig, "get_impact", of="change_secret", key="OPENAI_API_KEY", workspace_id=rig.named(name))
        assert now in told["facts"]["Now"]
    told = await answer(rig, "get_impact", of="change_secret", key="NOBODY", workspace_id=rig.named("Copywriter"))
    assert told["facts"]["Now"] == "does not see it"


async def test_a_secret_that_is_new_is_said_to_be_so_and_every_one_is_named(rig: Rig) -> None:
    told = await answer(rig, "get_impact", of="change_secret", key="NOBODY")
    assert told["what"] == "No global secret NOBODY exists; setting it as a new one restarts 22 workspaces"
    told = await answer(rig, "get_impact", of="change_secret", key="OPENAI_API_KEY")
    assert told["what"] == "Changing the global secret OPENAI_API_KEY restarts 21 workspaces"
    for name, key, what in (
        ("Copywriter", "NOBODY", "NOBODY is new here; setting it: the workspace restarts"),
        ("Copywriter", "OPENAI_API_KEY", "Setting an own OPENAI_API_KEY: the workspace restarts"),
        ("Newsletter Editor", "OPENAI_API_KEY", "Changing OPENAI_API_KEY: the workspace restarts"),
    ):
        told = await answer(rig, "get_impact", of="change_secret", key=key, workspace_id=rig.named(name))
        assert told["what"].startswith(what)


async def test_a_text_that_can_name_no_secret_is_refused_and_not_repeated(rig: Rig) -> None:
    call = rig.road().call(Caller(), "get_impact", {"of": "change_secret", "key": "sk-live 1"})
    error = await refused(call)
    assert (error.kind, "sk-live" in error.message) == ("arguments", False)


async def test_what_hangs_on_a_workspace_is_counted_and_only_its_secrets_are_named(rig: Rig) -> None:
    one = rig.named("Newsletter Editor")
    told = await answer(rig, "get_impact", of="delete_workspace", workspace_id=one)
    assert '; 1 secret ("OPENAI_API_KEY"), 1 schedule' in told["facts"]["Goes, in this order"][0]


async def test_a_name_for_an_id_that_may_be_left_out_is_taken_when_exactly_one_has_it(rig: Rig) -> None:
    named = await answer(rig, "get_impact", of="delete_workspace", workspace_id="Marketing Lead")
    assert named == await answer(rig, "get_impact", of="delete_workspace", workspace_id=rig.named("Marketing Lead"))
    error = await refused(
        rig.road().call(Caller(), "get_impact", {"of": "delete_workspace", "workspace_id": "Reviewer"})
    )
    assert "A UUID, not a name" in error.message
    assert len(error.details["candidates"]) == 2


async def test_an_incomplete_question_says_what_is_missing(rig: Rig) -> None:
    road = rig.road()
    for of, missing, tool in (("delete_workspace", "workspace_id", "find_"), ("change_secret", "key", "list_")):
        error = await refused(road.call(Caller(), "get_impact", {"of": of}))
        assert missing in error.message and tool in str(error.advice)
