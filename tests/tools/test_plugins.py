"""Plugins listed, checked, installed and removed, over the embedded tenant."""

import httpx
import pytest
from tests.road.rig import Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

from molecule_mcp.embedded.plugin_registry import REGISTRY
from molecule_mcp.gate.policy import Profile


async def test_the_registry_is_listed_and_narrowed_by_a_runtime(rig: Rig) -> None:
    told = await read(rig, "list_plugin_registry")
    assert [each["name"] for each in told["plugins"]] == list(REGISTRY)
    assert told["left_out"] == 0
    told = await read(rig, "list_plugin_registry", runtime="none-such")
    assert [each["name"] for each in told["plugins"]] == ["invoice-tools"]
    assert (await read(rig, "list_plugin_sources"))["schemes"] == ["github", "local"]


async def test_a_registry_that_fills_a_context_is_cut_and_says_so(rig: Rig) -> None:
    plugin = REGISTRY["superpowers"].told | {"description": "x" * 5000}

    async def large(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json=[plugin] * 400)

    rig.transport.before = large
    told = await read(rig, "list_plugin_registry")
    assert len(told["plugins"][0]["description"]) == 200
    assert len(told["plugins"]) + told["left_out"] == 400
    assert 0 < len(told["plugins"]) < 100


async def test_what_is_available_is_asked_for_workspaces_that_are_there(rig: Rig) -> None:
    told = await read(rig, "list_available_plugins", workspace_id=rig.named("Partner Bot"))
    assert [each["name"] for each in told["plugins"]] == ["invoice-tools"]
    error = await refused(rig.road().call(can_ask(), "list_available_plugins", {"workspace_id": UNKNOWN}))
    assert error.details["status"] == 404


async def test_an_empty_list_is_sure_only_of_a_running_container(rig: Rig) -> None:
    told = await read(rig, "list_installed_plugins", workspace_id=rig.named("Backend Engineer"))
    assert [each["name"] for each in told["plugins"]] == ["molecule-careful-bash", "superpowers"]
    told = await read(rig, "list_installed_plugins", workspace_id=rig.named("SEO Analyst"))
    assert (told["plugins"], told["sure"]) == ([], True)
    for name, why in (("QA Engineer", "offline"), ("Partner Bot", "elsewhere")):
        told = await read(rig, "list_installed_plugins", workspace_id=rig.named(name))
        assert (told["plugins"], told["sure"]) == ([], False)
        assert why in told["note"]
    error = await refused(rig.road().call(can_ask(), "list_installed_plugins", {"workspace_id": UNKNOWN}))
    assert error.details["status"] == 404


async def test_all_compatible_is_told_only_when_a_container_was_asked(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "runtime": "hermes"}
    told = await read(rig, "check_plugin_compatibility", **given)
    assert (told["compatible"], told["incompatible"]) == (["superpowers"], ["molecule-careful-bash"])
    assert told["all_compatible"] is False
    told = await read(rig, "check_plugin_compatibility", workspace_id=rig.named("SEO Analyst"), runtime="hermes")
    assert told["all_compatible"] is True
    told = await read(rig, "check_plugin_compatibility", workspace_id=rig.named("QA Engineer"), runtime="hermes")
    assert "all_compatible" not in told
    assert "offline" in told["note"]


async def test_an_install_is_typed_for_under_what_it_brings_and_interrupts(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "source": "superpowers"}
    road = rig.road()
    question = await asked(road, "install_plugin", given)
    lines = "\n".join(question.plan.question.lines)
    assert question.plan.risk == "critical"
    assert "the workspace restarts" in lines
    assert "systematic-debugging" in lines
    assert "Checked by hash: no" in lines
    outcome = await answered(road, "install_plugin", given, question, phrase=question.plan.question.phrase)
    (told,) = outcome.structured["items"]
    assert (told["plugin"], told["state"], told["status"]) == ("superpowers", "installed", "provisioning")
    assert rig.transport.bodies[rig.transport.lines.index(rig.transport.changes[0])] == b'{"source":"superpowers"}'


async def test_a_plugin_that_changed_after_it_was_shown_is_not_installed(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "source": "local://superpowers"}
    road = rig.road()
    question = await asked(road, "install_plugin", given)

    async def newer(request: httpx.Request) -> httpx.Response | None:
        rows = [REGISTRY["superpowers"].told | {"version": "2.0.0"}]
        return httpx.Response(200, json=rows) if request.url.path.endswith("/available") else None

    rig.transport.before = newer
    call = answered(road, "install_plugin", given, question, phrase=question.plan.question.phrase)
    assert (await refused(call)).kind == "stale_plan"
    assert rig.transport.changes == []


@pytest.mark.parametrize("source", ["github://owner/repo#v1", "no-such-plugin"])
async def test_what_the_registry_does_not_know_is_said_before_the_yes_and_refused_by_the_tenant(
    rig: Rig, source: str
) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "source": source, "sha256": "a" * 64}
    road = rig.road()
    question = await asked(road, "install_plugin", given)
    lines = "\n".join(question.plan.question.lines)
    assert "nothing of this name" in lines
    assert "a" * 64 in lines
    call = answered(road, "install_plugin", given, question, phrase=question.plan.question.phrase)
    error = await refused(call)
    assert "failed to fetch" in error.message


@pytest.mark.parametrize("source", ["", "local://a b", "x" * 301])
async def test_a_source_that_is_none_is_refused(rig: Rig, source: str) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "source": source}
    assert (await refused(rig.road().call(can_ask(), "install_plugin", given))).kind == "arguments"


@pytest.mark.parametrize("name", ["QA Engineer", "Partner Bot", "Campaign Planner 2024"])
async def test_without_a_container_nobody_is_asked(rig: Rig, name: str) -> None:
    for tool, more in (("install_plugin", {"source": "superpowers"}), ("uninstall_plugin", {"name": "superpowers"})):
        error = await refused(rig.road().call(can_ask(), tool, {"workspace_id": rig.named(name), **more}))
        assert (error.kind, error.sent) == ("nothing_to_do", False)


async def test_a_removal_shows_the_skills_that_go_and_restarts(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "superpowers"}
    question = (await asked(rig.road(), "uninstall_plugin", given)).plan
    assert question.risk == "destroy"
    assert any("writing-plans" in line for line in question.question.lines)
    assert any("the workspace restarts" in line for line in question.question.lines)
    told = await done(rig, "uninstall_plugin", given)
    assert (told["plugin"], told["state"], told["status"]) == ("superpowers", "uninstalled", "provisioning")
    sql = "SELECT name FROM installed_plugins WHERE workspace_id = ?"
    rows = rig.app.database.execute(sql, (given["workspace_id"],))
    assert [row["name"] for row in rows] == ["molecule-careful-bash"]


async def test_what_is_not_installed_is_not_removed(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "name": "superpowers"}
    assert (await refused(rig.road().call(can_ask(), "uninstall_plugin", given))).kind == "nothing_to_do"
    assert rig.transport.changes == []


async def test_a_container_that_ended_meanwhile_leaves_nothing_in_doubt(rig: Rig) -> None:
    async def ended(request: httpx.Request) -> httpx.Response | None:
        error = {"error": "workspace container not running"}
        return httpx.Response(503, json=error) if request.method == "DELETE" else None

    rig.transport.before = ended
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "superpowers"}
    error = await refused(done(rig, "uninstall_plugin", given))
    assert (error.sent, "did nothing" in error.message) == (True, True)


async def test_another_503_stays_in_doubt(rig: Rig) -> None:
    async def fault(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(503, json={"error": "x"}) if request.method == "DELETE" else None

    rig.transport.before = fault
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "superpowers"}
    assert (await refused(done(rig, "uninstall_plugin", given))).sent == "unknown"


async def test_a_removal_that_cannot_be_read_back_is_told_as_sent(rig: Rig) -> None:
    seen: list[bool] = []

    async def silent(request: httpx.Request) -> httpx.Response | None:
        if request.method == "DELETE":
            seen.append(True)
            return None
        return httpx.Response(404, json={"error": "x"}) if seen else None

    rig.transport.before = silent
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "superpowers"}
    error = await refused(done(rig, "uninstall_plugin", given))
    assert (error.kind, error.sent) == ("unreadable_answer", True)


async def test_a_profile_bound_to_the_workspace_may_be_asked_to_remove_its_plugins_and_no_other(rig: Rig) -> None:
    mine = rig.named("Backend Engineer")
    road = rig.road(Profile(bound=frozenset({mine})))
    await asked(road, "uninstall_plugin", {"workspace_id": mine, "name": "superpowers"})
    other = {"workspace_id": rig.named("Reviewer"), "name": "superpowers"}
    assert (await refused(road.call(can_ask(), "uninstall_plugin", other))).kind == "forbidden_by_policy"
