"""The allow-list of plugins, with the usual key and with one that is bound to the organization."""

from typing import Any

import httpx
import pytest
from tests.road.rig import ORIGIN, Rig, answered, asked, by_another, can_ask, refused

from molecule_mcp.embedded.tokens import mint_org_key
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Done
from molecule_mcp.tenant import Wire


def bound(rig: Rig) -> tuple[Road, str]:
    """A road whose key is bound to the sample's organization, and the organization's id."""
    org = rig.named("Chief of Staff")
    key = mint_org_key(rig.app.instance, "bound", by="admin-token", org_id=org).plaintext
    wire = Wire(ORIGIN, key, transport=rig.transport)
    return rig.road(wire=lambda: wire), org


async def replaced(road: Road, org: str, plugins: list[str]) -> dict[str, Any]:
    """Replace the list, and say yes."""
    given = {"org_id": org, "plugins": plugins}
    question = await asked(road, "replace_plugin_allowlist", given)
    return (await answered(road, "replace_plugin_allowlist", given, question, allow=True)).structured["items"][0]


async def test_the_usual_key_is_told_plainly_why_it_is_refused(rig: Rig) -> None:
    org = rig.named("Chief of Staff")
    for tool, more in (("get_plugin_allowlist", {}), ("replace_plugin_allowlist", {"plugins": ["x"]})):
        error = await refused(rig.road().call(can_ask(), tool, {"org_id": org, **more}))
        assert (error.details["status"], error.sent) == (403, False)
        assert "bound to no organization" in error.message
    assert rig.transport.changes == []


async def test_another_refusal_is_told_as_it_is(rig: Rig) -> None:
    unknown = {"org_id": "00000000-0000-4000-8000-000000000000"}
    error = await refused(rig.road().call(can_ask(), "get_plugin_allowlist", unknown))
    assert (error.details["status"], "org not found" in error.message) == (404, True)


async def test_a_list_is_replaced_after_a_look_at_what_is_let_in_and_shut_out_and_read_back(rig: Rig) -> None:
    road, org = bound(rig)
    told = await replaced(road, org, ["superpowers", "invoice-tools", "superpowers"])
    assert (told["before"], told["after"], told["allow_all"]) == ([], ["invoice-tools", "superpowers"], False)
    question = (await asked(road, "replace_plugin_allowlist", {"org_id": org, "plugins": ["superpowers", "new"]})).plan
    lines = list(question.question.lines)
    assert question.risk == "destroy"
    assert lines[lines.index("Newly on the list: 1") + 1] == '  - "new"'
    assert lines[lines.index("Off the list: 1") + 1] == '  - "invoice-tools"'
    assert any("Marketing Lead" in line for line in lines)
    assert not any("Copywriter" in line for line in lines)
    read = await road.call(can_ask(), "get_plugin_allowlist", {"org_id": org})
    assert isinstance(read, Done)
    first = read.structured["plugins"][0]
    assert first["plugin_name"] == "invoice-tools"
    assert first["enabled_by"].startswith("mcp:")


async def test_an_empty_list_is_shown_as_what_it_is(rig: Rig) -> None:
    road, org = bound(rig)
    await replaced(road, org, ["superpowers"])
    question = (await asked(road, "replace_plugin_allowlist", {"org_id": org, "plugins": []})).plan
    assert any("ANY plugin" in line for line in question.question.lines)
    assert (await replaced(road, org, []))["allow_all"] is True


async def test_a_list_that_changed_after_it_was_shown_is_not_replaced(rig: Rig) -> None:
    road, org = bound(rig)
    given = {"org_id": org, "plugins": ["superpowers"]}
    question = await asked(road, "replace_plugin_allowlist", given)
    await by_another(road, "replace_plugin_allowlist", {"org_id": org, "plugins": ["invoice-tools"]})
    sent = len(rig.transport.changes)
    error = await refused(answered(road, "replace_plugin_allowlist", given, question, allow=True))
    assert error.kind == "stale_plan"
    assert len(rig.transport.changes) == sent


@pytest.mark.parametrize(("status", "kind"), [(200, "unreadable_answer"), (403, "refused")])
async def test_a_list_that_did_not_change_is_not_reported_as_changed(rig: Rig, status: int, kind: str) -> None:
    async def pretends(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, json={"error": "org access denied"}) if request.method == "PUT" else None

    road, org = bound(rig)
    rig.transport.before = pretends
    error = await refused(replaced(road, org, ["superpowers"]))
    assert (error.kind, error.sent) == (kind, True)
    assert ("bound to no organization" in error.message) == (status == 403)


async def test_a_name_with_a_slash_is_refused(rig: Rig) -> None:
    road, org = bound(rig)
    given = {"org_id": org, "plugins": ["a/b"]}
    assert (await refused(road.call(can_ask(), "replace_plugin_allowlist", given))).kind == "arguments"
