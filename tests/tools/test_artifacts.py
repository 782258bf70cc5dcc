"""Git repositories: linked once, forked, opened with credentials that go to files."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

from molecule_mcp.tools.artifacts import bare


async def test_the_repository_of_a_workspace_is_read(rig: Rig) -> None:
    told = await read(rig, "get_artifacts_repo", workspace_id=rig.named("Backend Engineer"))
    assert (told["repo_name"], told["service"], told["read_only"]) == ("billing-service", "ok", False)
    assert "@" not in told["remote_url"]
    error = await refused(rig.road().call(can_ask(), "get_artifacts_repo", {"workspace_id": rig.named("SEO Analyst")}))
    assert error.kind == "arguments"
    error = await refused(rig.road().call(can_ask(), "get_artifacts_repo", {"workspace_id": UNKNOWN}))
    assert error.details["status"] == 404


async def test_a_service_that_does_not_answer_is_told(rig: Rig) -> None:
    async def unavailable(request: httpx.Request) -> httpx.Response | None:
        link = {"id": UNKNOWN, "cf_repo_name": "r", "remote_url": "https://x:token-in-clear@git.example/r.git?t=1"}
        told = {"artifact": link, "cf_status": "unavailable", "cf_error": "upstream service error"}
        return httpx.Response(200, json=told) if request.url.path.endswith("/artifacts") else None

    rig.transport.before = unavailable
    told = await read(rig, "get_artifacts_repo", workspace_id=rig.named("SEO Analyst"))
    assert (told["service"], told["note"]) == ("unavailable", "upstream service error")
    assert told["remote_url"] == "https://git.example/r.git"


async def test_a_tenant_without_the_service_says_so_before_anything_is_asked(rig: Rig) -> None:
    async def absent(request: httpx.Request) -> httpx.Response | None:
        error = {"error": "Cloudflare Artifacts not configured"}
        return httpx.Response(503, json=error) if "/artifacts" in request.url.path else None

    rig.transport.before = absent
    error = await refused(
        rig.road().call(can_ask(), "attach_artifacts_repo", {"workspace_id": rig.named("SEO Analyst")})
    )
    assert (error.details["status"], error.sent) == (503, False)
    assert "not configured" in error.message


async def test_a_repository_is_attached_once_and_for_good(rig: Rig) -> None:
    given: dict[str, Any] = {
        "workspace_id": rig.named("SEO Analyst"),
        "name": "seo",
        "description": "Reports",
        "import_url": "https://git.example/team/seo.git",
        "import_branch": "main",
        "import_depth": 5,
        "read_only": True,
    }
    question = (await asked(rig.road(), "attach_artifacts_repo", given)).plan
    text = "\n".join(question.question.lines)
    assert question.risk == "destroy"
    assert "git.example/team/seo.git" in text
    assert "no tool unlinks" in text
    told = await done(rig, "attach_artifacts_repo", given)
    assert (told["repo_name"], told["read_only"], told["description"]) == ("seo", True, "Reports")
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    error = await refused(rig.road().call(can_ask(), "attach_artifacts_repo", given))
    assert error.kind == "arguments"


@pytest.mark.parametrize(
    "source",
    ["http://git.example/x", "https://x:secret@git.example/x", "https://git.example/x?token=1", "https://[broken/x"],
)
async def test_an_address_that_is_not_plain_https_is_refused_and_not_repeated(rig: Rig, source: str) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "import_url": source}
    error = await refused(rig.road().call(can_ask(), "attach_artifacts_repo", given))
    assert error.kind == "arguments"
    assert source not in str(error.told())
    assert rig.transport.changes == []


def failing(rig: Rig, *, linked: bool, readable: bool = True, status: int = 500) -> None:
    """Let an attach end in an error, with or without the link, and let it be read afterwards or not."""
    seen = [0]

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            seen[0] += 1
            if linked:
                await rig.transport.inner.handle_async_request(request)
            return httpx.Response(status, json={"error": "failed to persist artifact link"})
        return httpx.Response(500, json={"error": "x"}) if seen[0] and not readable else None

    rig.transport.before = step_in


async def test_an_error_after_the_link_was_made_is_no_failure(rig: Rig) -> None:
    failing(rig, linked=True)
    told = await done(rig, "attach_artifacts_repo", {"workspace_id": rig.named("SEO Analyst"), "name": "seo"})
    assert told["repo_name"] == "seo"
    assert "error" in told["note"]


@pytest.mark.parametrize(("readable", "advice"), [(True, "another name"), (False, "present state")])
async def test_an_error_without_a_link_leaves_a_repository_in_doubt(rig: Rig, readable: bool, advice: str) -> None:
    failing(rig, linked=False, readable=readable)
    error = await refused(done(rig, "attach_artifacts_repo", {"workspace_id": rig.named("SEO Analyst")}))
    assert error.sent == "unknown"
    assert advice in str(error.advice)


async def test_a_name_that_is_taken_at_the_service_is_a_plain_refusal(rig: Rig) -> None:
    given = {"workspace_id": rig.named("SEO Analyst"), "name": "billing-service"}
    error = await refused(done(rig, "attach_artifacts_repo", given))
    assert (error.details["status"], error.sent) == (400, True)


async def test_an_attach_that_cannot_be_read_back_is_told_as_sent(rig: Rig) -> None:
    seen = [0]

    async def unread(request: httpx.Request) -> httpx.Response | None:
        seen[0] += request.method == "POST"
        return httpx.Response(500, json={"error": "x"}) if seen[0] and request.method == "GET" else None

    rig.transport.before = unread
    error = await refused(done(rig, "attach_artifacts_repo", {"workspace_id": rig.named("SEO Analyst")}))
    assert (error.kind, error.sent) == ("unreadable_answer", True)


async def test_a_fork_is_shown_without_the_credential_that_goes_to_a_file(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "try-1", "default_branch_only": True}
    question = (await asked(rig.road(), "fork_artifacts_repo", given)).plan
    assert question.risk == "destroy"
    assert any("keeps no note" in line for line in question.question.lines)
    told = await done(rig, "fork_artifacts_repo", given)
    (file,) = (rig.folder / "outputs").iterdir()
    assert (told["written_to"], told["repo_name"], told["object_count"]) == (str(file), "try-1", 340)
    address = file.read_text().strip()
    assert "@" in address
    assert address not in str(told)
    assert "art_v1" not in str(told)


async def test_a_fork_without_an_address_writes_nothing(rig: Rig) -> None:
    async def nameless(request: httpx.Request) -> httpx.Response | None:
        made = {"fork": {"name": "try-1"}, "object_count": 0, "remote_url": ""}
        return httpx.Response(201, json=made) if request.method == "POST" else None

    rig.transport.before = nameless
    given = {"workspace_id": rig.named("Backend Engineer"), "name": "try-1"}
    assert "written_to" not in await done(rig, "fork_artifacts_repo", given)


async def test_a_credential_goes_to_files_and_reads_only_unless_asked(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer")}
    question = (await asked(rig.road(), "create_artifacts_token", given)).plan
    assert any("read for 3600 seconds" in line for line in question.question.lines)
    told = await done(rig, "create_artifacts_token", given)
    token, clone = (
        next(file for file in (rig.folder / "outputs").iterdir() if str(file) == told[name]).read_text().strip()
        for name in ("token_file", "clone_url_file")
    )
    assert (told["scope"], token in clone) == ("read", True)
    assert token not in str(told)
    assert told["remote_url"].endswith("/billing-service.git")


@pytest.mark.parametrize("tool", ["fork_artifacts_repo", "create_artifacts_token"])
async def test_without_a_repository_nothing_is_asked(rig: Rig, tool: str) -> None:
    given = {"workspace_id": rig.named("SEO Analyst")} | ({"name": "x"} if tool.startswith("fork") else {})
    assert (await refused(rig.road().call(can_ask(), tool, given))).kind == "arguments"
    assert rig.transport.changes == []


@pytest.mark.parametrize("given", [{"ttl": 604_801}, {"ttl": 0}, {"scope": "admin"}])
async def test_a_lifetime_that_the_tenant_would_mend_is_refused(rig: Rig, given: dict[str, Any]) -> None:
    full = {"workspace_id": rig.named("Backend Engineer"), **given}
    assert (await refused(rig.road().call(can_ask(), "create_artifacts_token", full))).kind == "arguments"


async def test_nothing_is_minted_when_the_files_could_not_be_written(rig: Rig) -> None:
    (rig.folder / "outputs").touch()
    for tool, more in (("fork_artifacts_repo", {"name": "x"}), ("create_artifacts_token", {})):
        error = await refused(rig.road().call(can_ask(), tool, {"workspace_id": rig.named("Backend Engineer"), **more}))
        assert (error.kind, error.sent) == ("store", False)
    assert rig.transport.changes == []


def test_what_is_no_address_is_not_shown() -> None:
    assert bare("https://[x") == ""
