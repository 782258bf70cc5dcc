"""Files listed, read and written, with what stood there stored first, over the embedded tenant."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Clock, Counted, Rig, answered, asked, can_ask, refused
from tests.tools.test_lifecycle import done
from tests.tools.test_memory import UNKNOWN, read

from molecule_mcp import embedded
from molecule_mcp.capability import Risk
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.traffic import Caller, Done

PROMPT = "You write plain, friendly announcements.\n"


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Rig]:
    """A rig whose tenant has no Docker."""
    app = embedded.build(embedded.Options(agents=False, rate_limit=None, docker=False))
    yield Rig(tmp_path, app, Counted(app), Clock())
    app.close()


def kept(rig: Rig) -> list[bytes]:
    """Contents of everything in the outputs folder."""
    folder = rig.folder / "outputs"
    return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.exists() else []


def on_disk(rig: Rig, name: str, path: str) -> bytes:
    """A file below /configs of a workspace, or of its volume."""
    sql = "SELECT content FROM container_files WHERE workspace_id = ? AND path = ?"
    return rig.app.database.execute(sql, (rig.named(name), path)).fetchone()[0]


async def direct(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    """A call about which nobody is asked; its one item."""
    outcome = await rig.road().call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured["items"][0]


async def test_a_folder_is_listed_and_cut(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "root": "/workspace"}
    told = await read(rig, "list_files", depth=2, **given)
    assert told["files"] == [["app/", 0], ["app/main.py", 36]]
    assert "note" not in told
    told = await read(rig, "list_files", path="app", **given)
    assert told["files"] == [["main.py", 36]]
    told = await read(rig, "list_files", depth=2, limit=1, **given)
    assert (len(told["files"]), told["left_out"]) == (1, 1)


async def test_files_of_a_template_are_not_passed_off_as_the_workspaces_own(rig: Rig) -> None:
    paused = rig.named("Paper Scout")
    for tool, more in (("list_files", {}), ("read_file", {"path": "config.yaml"}), ("get_shared_context", {})):
        told = await read(rig, tool, workspace_id=paused, **more)
        assert "paused, so the tenant shows a template" in told["note"]


async def test_a_text_is_read_in_parts(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": "system-prompt.md"}
    first = await read(rig, "read_file", limit=10, **given)
    assert (first["content"], first["next_offset"]) == (PROMPT[:10], 10)
    rest = await read(rig, "read_file", offset=10, **given)
    assert first["content"] + rest["content"] == PROMPT.strip()
    assert "next_offset" not in rest
    past = await read(rig, "read_file", offset=len(PROMPT) + 1, **given)
    assert past["content"] == ""
    assert past["note"] == f"offset is past the end: the text has {len(PROMPT.strip())} characters."


async def test_bytes_that_are_no_text_are_told_as_such(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "root": "/workspace", "path": "drafts/header.png"}
    told = await read(rig, "read_file", **given)
    assert told["binary"] is True
    assert "content" not in told
    assert "download_chat_file" in told["note"]


async def test_a_file_that_the_tenant_cuts_is_said_to_be_cut(rig: Rig) -> None:
    rig.app.database.execute("UPDATE container_files SET content = ?", (b"x" * (6 << 20),))
    told = await read(rig, "read_file", workspace_id=rig.named("Copywriter"), path="voice.md")
    assert "first 5 MiB" in told["note"]
    assert (told["next_offset"], told["size"]) == (20_000, 5 << 20)


async def test_a_known_secret_is_masked_wherever_the_text_is_cut(rig: Rig) -> None:
    """Two parts that each hold half of a value would tell it."""
    road = rig.road()
    secret = rig.environ["MOLECULE_SECRET_KEY"]
    road.context.secrets.resolve("env:MOLECULE_SECRET_KEY")
    rig.app.database.execute("UPDATE container_files SET content = ?", (f"KEY={secret}\n".encode(),))
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md"}
    text = ""
    for offset in range(0, 40, 8):
        outcome = await road.call(Caller(), "read_file", {**given, "offset": offset, "limit": 8})
        assert isinstance(outcome, Done)
        assert outcome.structured["masked"] is True
        text += outcome.structured["content"]
    assert text == "KEY=[redacted:env:MOLECULE_SECRET_KEY]"


async def test_shared_context_is_masked_and_cut(rig: Rig) -> None:
    rig.app.database.execute("UPDATE container_files SET content = ? WHERE path = 'voice.md'", (b"x" * 5000,))
    (one,) = (await read(rig, "get_shared_context", workspace_id=rig.named("Copywriter")))["files"]
    assert (one["path"], len(one["content"]), one["cut"]) == ("voice.md", 4000, True)


async def test_what_is_overwritten_is_stored_and_what_is_written_is_seen(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": "system-prompt.md", "content": "Write shorter.\n"}
    told = await direct(rig, "write_file", **given)
    assert told["seen"] is True
    assert kept(rig) == [PROMPT.encode()]
    assert [str(file) for file in (rig.folder / "outputs").iterdir()] == [told["former"]["system-prompt.md"]]
    assert on_disk(rig, "Copywriter", "system-prompt.md") == b"Write shorter.\n"
    assert "restart" in told["note"]


async def test_a_new_file_has_no_former_and_the_same_content_is_not_sent_again(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": "skills/x/SKILL.md", "content": "x"}
    assert (await direct(rig, "write_file", **given))["former"] == {"skills/x/SKILL.md": "none"}
    sent = len(rig.transport.changes)
    rig.clock.now += 3600  # an identical call at once is answered with the recorded outcome
    assert (await refused(rig.road().call(Caller(), "write_file", given))).kind == "nothing_to_do"
    assert len(rig.transport.changes) == sent
    assert kept(rig) == []


async def test_a_dry_run_keeps_and_sends_nothing(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "x", "dry_run": True}
    outcome = await rig.road().call(Caller(), "write_file", given)
    assert isinstance(outcome, Done)
    assert outcome.structured["risk"] == "disrupt"
    assert (rig.transport.changes, kept(rig)) == ([], [])


async def test_without_a_container_a_person_sees_that_nothing_can_be_stored(rig: Rig) -> None:
    given = {"workspace_id": rig.named("QA Engineer"), "path": "a.md", "content": "new text"}
    road = rig.road()
    question = await asked(road, "write_file", given)
    lines = "\n".join(question.plan.question.lines)
    assert question.plan.risk == "destroy"
    assert "IS NOT STORED" in lines
    assert '"new text"' in lines
    told = (await answered(road, "write_file", given, question, allow=True)).structured["items"][0]
    assert (told["former"], told["seen"]) == ({"a.md": "not stored"}, False)
    assert on_disk(rig, "QA Engineer", "a.md") == b"new text"


async def test_a_container_that_ends_between_the_look_and_the_send_stops_what_nobody_allowed(rig: Rig) -> None:
    looks: list[bool] = []

    async def ends(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/chat/download"):
            return None
        looks.append(True)
        error = {"error": "workspace container not running"}
        return httpx.Response(503, json=error) if len(looks) > 1 else None

    rig.transport.before = ends
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "x"}
    error = await refused(rig.road().call(Caller(), "write_file", given))
    assert (error.kind, error.sent, "stopped answering" in error.message) == ("stale_plan", False, True)
    assert rig.transport.changes == []


async def test_a_former_content_that_cannot_be_read_counts_as_no_container(rig: Rig) -> None:
    async def fault(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500, json={"error": "x"}) if request.url.path.endswith("/chat/download") else None

    rig.transport.before = fault
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "x"}
    error = await refused(rig.road().call(can_ask(), "write_file", given))
    assert (error.details["status"], error.sent) == (500, False)
    assert rig.transport.changes == []


async def test_nothing_is_overwritten_when_it_cannot_be_kept(rig: Rig) -> None:
    (rig.folder / "outputs").touch()
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "x"}
    error = await refused(rig.road().call(Caller(), "write_file", given))
    assert (error.kind, error.sent) == ("store", False)
    assert rig.transport.changes == []


async def test_a_mask_is_not_written_in_a_secrets_place(rig: Rig) -> None:
    text = "KEY=[redacted:env:MOLECULE_SECRET_KEY]"
    for tool, more in (("write_file", {"path": "a", "content": text}), ("replace_files", {"files": {"a": text}})):
        error = await refused(rig.road().call(Caller(), tool, {"workspace_id": rig.named("Copywriter"), **more}))
        assert (error.kind, "mask" in error.message) == ("arguments", True)
    assert rig.transport.changes == []


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "", ".", "a//b", "a\nb"])
async def test_a_path_that_leads_elsewhere_sends_nothing(rig: Rig, path: str) -> None:
    given = {"workspace_id": rig.named("Copywriter")}
    for tool, more in (
        ("read_file", {"path": path}),
        ("write_file", {"path": path, "content": "x"}),
        ("replace_files", {"files": {"good.md": "x", path: "x"}}),
    ):
        assert (await refused(rig.road().call(Caller(), tool, {**given, **more}))).kind == "arguments"
    assert rig.transport.lines == []


async def test_several_files_are_stored_and_written_and_the_others_stay(rig: Rig) -> None:
    files = {"voice.md": "Long sentences.\n", "new.md": "x", "system-prompt.md": PROMPT}
    told = await direct(rig, "replace_files", workspace_id=rig.named("Copywriter"), files=files)
    assert (told["source"], told["seen"]) == ("container", True)
    assert {path: where == "none" for path, where in told["former"].items()} == {
        "voice.md": False,
        "new.md": True,
        "system-prompt.md": True,  # as it was
    }
    assert kept(rig) == [b"Short sentences. No superlatives.\n"]
    assert on_disk(rig, "Copywriter", "config.yaml").startswith(b"name: Copywriter")


async def test_too_much_at_once_is_refused(rig: Rig) -> None:
    files = {f"{number}.md": "x" * 190_000 for number in range(6)}
    call = rig.road().call(Caller(), "replace_files", {"workspace_id": rig.named("Copywriter"), "files": files})
    assert "together" in (await refused(call)).message


async def test_a_write_into_a_shared_template_is_warned_of_and_told(broken: Rig) -> None:
    given = {"workspace_id": broken.named("Paper Scout"), "files": {"system-prompt.md": "Read less."}}
    road = broken.road()
    question = await asked(road, "replace_files", given)
    assert question.plan.risk == "destroy"
    assert any("every later workspace" in line for line in question.plan.question.lines)
    told = (await answered(road, "replace_files", given, question, allow=True)).structured["items"][0]
    assert (told["source"], told["seen"]) == ("template", False)
    assert "shared template" in told["note"]
    sql = "SELECT content FROM folders WHERE path = 'system-prompt.md' AND kind = 'workspace'"
    assert (b"Read less.",) in [tuple(row) for row in broken.app.database.execute(sql)]


async def test_a_file_that_changed_after_it_was_shown_is_not_overwritten(rig: Rig) -> None:
    road = rig.road(Profile(ask_from=Risk.DISRUPT))
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "new"}
    question = await asked(road, "write_file", given)
    assert any("34 bytes now" in line for line in question.plan.question.lines)
    rig.app.database.execute("UPDATE container_files SET content = ? WHERE path = 'voice.md'", (b"meanwhile",))
    error = await refused(answered(road, "write_file", given, question, allow=True))
    assert (error.kind, error.sent, rig.transport.changes, kept(rig)) == ("stale_plan", False, [], [])


@pytest.mark.parametrize("answer", ["other", "unread"])
async def test_a_write_that_is_not_seen_is_not_reported(rig: Rig, answer: str) -> None:
    written: list[bool] = []

    async def pretends(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PUT":
            written.append(True)
            return httpx.Response(200, json={"status": "saved", "path": "voice.md"})
        return httpx.Response(500, json={"error": "x"}) if written and answer == "unread" else None

    rig.transport.before = pretends
    given = {"workspace_id": rig.named("Copywriter"), "path": "voice.md", "content": "x"}
    error = await refused(rig.road().call(Caller(), "write_file", given))
    assert (error.kind, error.sent) == ("unreadable_answer", True)
    assert len(kept(rig)) == 1


async def test_a_workspace_that_is_none_has_no_files(rig: Rig) -> None:
    for tool, more in (("list_files", {}), ("read_file", {"path": "a"}), ("get_shared_context", {})):
        error = await refused(rig.road().call(Caller(), tool, {"workspace_id": UNKNOWN, **more}))
        assert error.details["status"] == 404


async def test_the_yes_to_one_file_says_nothing_of_another_workspaces(rig: Rig) -> None:
    told = await done(rig, "write_file", {"workspace_id": rig.named("QA Engineer"), "path": "a.md"})
    assert told["former"] == {"a.md": "not stored"}
    assert on_disk(rig, "QA Engineer", "a.md") == b""
