"""A secret that a person types for a call: asked for in the name of exactly that call, and gone with it."""

from dataclasses import asdict, replace
from typing import Any

import anyio.to_thread
import pytest

from molecule_mcp import arguments as strict
from molecule_mcp import tools
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.store import approver
from molecule_mcp.store.forms import canonical
from tests.road.rig import ORIGIN, PASSPHRASE, Rig, answered, asked, can_ask, refused

TOOL = "set_workspace_secret"


def secret(rig: Rig, name: str = "SEO Analyst") -> dict[str, Any]:
    """The arguments to set a secret that somebody is to type."""
    return {"workspace_id": rig.named(name), "key": "TOKEN"}


async def test_what_is_to_be_typed_names_the_call_it_is_for(rig: Rig) -> None:
    road = rig.road(Profile("night"), sample=True)
    error = await refused(road.call(Caller("another", can_ask=True), TOOL, secret(rig)))
    assert (error.kind, error.sent) == ("secret_required", False)
    found = rig.typed.wanted(error.details["code"])
    assert found is not None
    assert asdict(found[0]) == {
        "code": error.details["code"],
        "name": "TOKEN",
        "binding": found[0].binding,
        "tool": TOOL,
        "principal": "another",
        "profile": "night",
        "tenant": "the embedded sample tenant",
        "created": rig.clock.now,
    }


@pytest.mark.parametrize("profile", [Profile(), Profile(two_step=True)])
async def test_a_typed_value_is_good_for_its_own_call_and_gone_once_that_was_made(rig: Rig, profile: Profile) -> None:
    road, given = rig.road(profile), secret(rig)
    code = (await refused(road.call(can_ask(), TOOL, given))).details["code"]
    found = rig.typed.wanted(code)
    assert found is not None and found[0].tenant == ORIGIN
    rig.types(code, "a value of its own")
    other = await refused(road.call(can_ask(), TOOL, secret(rig, "Copywriter")))
    assert other.kind == "secret_required" and other.details["code"] != code
    question = await asked(road, TOOL, given)
    assert question.plan.binding == found[0].binding
    await answered(road, TOOL, given, question, allow=True)
    assert b"a value of its own" in rig.transport.bodies[rig.transport.lines.index(rig.transport.changes[0])]
    assert rig.typed.wanted(code) is None


async def test_a_repeated_call_finds_what_was_typed_for_it(rig: Rig) -> None:
    road, given = rig.road(Profile(two_step=True)), secret(rig)
    rig.types((await refused(road.call(Caller(), TOOL, given))).details["code"], "a value of its own")
    assert (await refused(road.call(Caller(), TOOL, given))).kind == "repeat_to_confirm"
    rig.clock.now += 30
    outcome = await road.call(Caller(), TOOL, given)
    assert isinstance(outcome, Done) and outcome.structured["grant"] == "none"


async def test_each_call_of_a_plan_has_its_own_typed_value(rig: Rig) -> None:
    road = rig.road()
    calls = {"calls": [{"tool": TOOL, "arguments": secret(rig, name)} for name in ("SEO Analyst", "Copywriter")]}
    codes: list[str] = []
    for number in (1, 2):
        error = await refused(road.call(can_ask(), "run_plan", calls))
        assert (error.kind, error.message[:7]) == ("secret_required", f"Call {number}:")
        codes.append(error.details["code"])
        found = rig.typed.wanted(codes[-1])
        assert found is not None and found[0].tool == TOOL
        rig.types(codes[-1], f"the value number {number}")
    question = await asked(road, "run_plan", calls)
    await answered(road, "run_plan", calls, question, allow=True)
    sent = [
        body for line, body in zip(rig.transport.lines, rig.transport.bodies, strict=True) if line.startswith("POST ")
    ]
    assert [f"number {number}".encode() in body for number, body in enumerate(sent, 1)] == [True, True]
    assert [rig.typed.wanted(code) for code in codes] == [None, None]


@pytest.mark.parametrize("planned", [False, True])
async def test_nobody_types_a_secret_for_what_nobody_can_allow(rig: Rig, planned: bool) -> None:
    tool, given = TOOL, secret(rig)
    if planned:
        tool, given = "run_plan", {"calls": [{"tool": TOOL, "arguments": given}]}
    error = await refused(rig.road().call(Caller(), tool, given))
    assert (error.kind, error.sent) == ("no_approver", False)
    assert any("TOKEN" in line for line in error.details["would"])
    assert not [*rig.folder.glob("typed/*")]
    approver.init(rig.folder, PASSPHRASE)
    assert (await refused(rig.road().call(Caller(), tool, given))).kind == "secret_required"
    assert rig.transport.changes == []


@pytest.mark.parametrize(
    ("tool", "profile", "kind"),
    [(TOOL, Profile(), "secret_required"), ("set_global_secret", Profile(strict=True), "no_approver")],
)
async def test_somebody_types_a_secret_for_what_was_allowed_beforehand_but_not_where_only_a_signature_counts(
    rig: Rig, tool: str, profile: Profile, kind: str
) -> None:
    given = secret(rig) if tool == TOOL else {"key": "TOKEN"}
    written = canonical(strict.read(tools.catalogue()[tool].function, given))
    covering = replace(profile, ahead=(Ahead(tool, written, 1, rig.clock.now + 60),))
    error = await refused(rig.road(covering).call(Caller(can_ask=profile.strict), tool, given))
    assert (error.kind, rig.transport.changes) == (kind, [])


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_page_that_is_not_opened_ends_the_request_and_only_a_no_counts(rig: Rig, action: str) -> None:
    road, given = rig.road(), secret(rig)
    told = {"decline": "The question was declined, by a person", "cancel": "The question was dismissed without"}
    for _ in range(2):
        code = (await refused(road.call(can_ask(), TOOL, given))).details["code"]
        error = await refused(road.untyped(code, action))
        assert (error.kind, error.sent) == ("declined", False)
        assert error.message.startswith(told[action])
        assert await anyio.to_thread.run_sync(road.context.secrets.state, code) != "open"
    kind = {"decline": "cooling_off", "cancel": "secret_required"}[action]
    assert (await refused(road.call(can_ask(), TOOL, given))).kind == kind
    assert rig.transport.changes == []


async def test_who_waits_for_a_secret_is_told_that_a_person_does_not_want_to_type_it(rig: Rig) -> None:
    road, given = rig.road(allow_wait=3.0), secret(rig)
    code = (await refused(road.call(can_ask(), TOOL, given))).details["code"]
    found = rig.typed.wanted(code)
    assert found and rig.typed.decline(found[0])
    began = rig.clock.now
    error = await refused(road.typed(code, can_ask()))
    assert (error.kind, error.sent, rig.clock.now) == ("declined", False, began)
    assert error.message.startswith("The question was declined, by a person")
