"""Secrets: names out, values in by reference, restarts told."""

import pytest
from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_lifecycle import done

from molecule_mcp.gate.answer import FormAnswer
from molecule_mcp.road.traffic import Caller, Done

KEY = "OWN_KEY"
FROM = "env:MOLECULE_SECRET_KEY"


async def test_a_secret_is_set_listed_and_deleted(rig: Rig) -> None:
    workspace = rig.named("SEO Analyst")
    told = await done(rig, "set_workspace_secret", {"workspace_id": workspace, "key": KEY, "value_from": FROM})
    assert told["updated_at"]
    assert "restarts" in told["restart"]
    listed = await rig.road().call(Caller(), "list_workspace_secrets", {"workspace_id": workspace})
    assert isinstance(listed, Done)
    assert {"key": KEY, "scope": "workspace"}.items() <= listed.structured["secrets"][0].items()
    gone = await done(rig, "delete_workspace_secret", {"workspace_id": workspace, "key": KEY})
    assert gone["effective"] == "none"
    given = {"workspace_id": workspace, "key": KEY}
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (await refused(rig.road().call(can_ask(), "delete_workspace_secret", given))).kind == "arguments"


async def test_a_global_secret_names_every_workspace_that_restarts(rig: Rig) -> None:
    own = rig.named("SEO Analyst")
    await done(rig, "set_workspace_secret", {"workspace_id": own, "key": KEY, "value_from": FROM})
    question = await asked(rig.road(), "set_global_secret", {"key": KEY, "value_from": FROM})
    lines = "\n".join(question.plan.question.lines)
    assert question.plan.risk == "critical"
    assert rig.named("Copywriter") in lines
    assert own not in lines, "it has a value of its own"
    assert rig.named("Partner Bot") not in lines, "an external agent is not restarted"
    told = await done(rig, "set_global_secret", {"key": KEY, "value_from": FROM})
    assert (told["present"], told["restarts"] > 5) == (True, True)
    assert (await done(rig, "delete_global_secret", {"key": KEY}))["present"] is False


async def test_an_unset_reference_tells_how_a_person_puts_the_value_there(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY, "value_from": "env:MOLECULE_SECRET_MISSING"}
    error = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    assert "MOLECULE_SECRET_MISSING" in str(error.told())
    assert rig.transport.changes == []


async def test_a_value_in_place_of_a_reference_is_refused_and_not_repeated(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY, "value_from": "sk-live-0123456789"}
    error = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    assert "sk-live" not in str(error.told())
    assert rig.transport.lines == []


async def test_a_person_types_the_value_and_it_is_gone_once_it_was_sent(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY}
    first = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    assert (first.kind, first.sent) == ("secret_required", False)
    assert rig.transport.changes == []
    rig.types(first.details["code"], "typed-by-a-person")
    told = await done(rig, "set_workspace_secret", given)
    assert told["updated_at"]
    assert any(b"typed-by-a-person" in body for body in rig.transport.bodies)
    assert list((rig.folder / "typed").iterdir()) == []
    rig.clock.now += 300  # the same call at once would get the recorded outcome
    again = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    assert again.kind == "secret_required"
    assert again.details["code"] != first.details["code"]


@pytest.mark.parametrize("value_from", [{}, {"value_from": "page"}])
async def test_the_page_is_the_default_also_by_its_bare_name(rig: Rig, value_from: dict[str, str]) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY, **value_from}
    error = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    assert (error.kind, f"page:{KEY}" in error.message) == ("secret_required", True)


async def test_what_was_typed_serves_no_other_call(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY, "value_from": "page:one"}
    first = await refused(rig.road().call(can_ask(), "set_workspace_secret", given))
    rig.types(first.details["code"], "typed-by-a-person")
    for other in ({"workspace_id": rig.named("Copywriter")}, {"key": "OTHER"}, {"value_from": "page:two"}):
        error = await refused(rig.road().call(can_ask(), "set_workspace_secret", given | other))
        assert error.kind == "secret_required", other
        rig.typed.withdraw(error.details["code"])  # one at a time
    stranger = Caller(principal="http:other", can_ask=True)
    assert (await refused(rig.road().call(stranger, "set_workspace_secret", given))).kind == "secret_required"
    assert (await asked(rig.road(), "set_workspace_secret", given)).plan.question.answers == ("allow",)


async def test_a_global_secret_can_be_typed_too(rig: Rig) -> None:
    first = await refused(rig.road().call(can_ask(), "set_global_secret", {"key": KEY}))
    rig.types(first.details["code"], "typed-by-a-person")
    assert (await done(rig, "set_global_secret", {"key": KEY}))["present"] is True


async def test_what_was_typed_is_never_in_an_answer(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY}
    road = rig.road()
    first = await refused(road.call(can_ask(), "set_workspace_secret", given))
    rig.types(first.details["code"], "SEO Analyst")
    question = await asked(road, "set_workspace_secret", given)
    assert 'Workspace: "[redacted:page:OWN_KEY]"' in str(question.plan.question.lines)
    read = await road.call(Caller(), "get_workspace", {"workspace": given["workspace_id"]})
    assert isinstance(read, Done)
    assert "SEO Analyst" not in read.text
    assert "[redacted:page:OWN_KEY]" in read.text


async def test_a_yes_to_what_was_typed_does_not_cover_another_value(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "key": KEY}
    road = rig.road()
    first = await refused(road.call(can_ask(), "set_workspace_secret", given))
    rig.types(first.details["code"], "typed-by-a-person")
    question = await asked(road, "set_workspace_secret", given)
    (value,) = (rig.folder / "typed").glob("*.value")
    value.write_text("something else")
    answer = FormAnswer(question.plan.id, "accept", {"allow": True})
    error = await refused(road.call(can_ask(), "set_workspace_secret", given, answer))
    assert (error.kind, error.sent) == ("stale_plan", False)
    assert rig.transport.changes == []
