"""Files put into a chat and got out of a workspace, over the embedded tenant."""

from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused
from tests.tools.test_files import direct, kept
from tests.tools.test_memory import UNKNOWN, read

from molecule_mcp.road.traffic import Caller, Done


async def test_texts_become_files_that_a_message_can_name_and_that_can_be_had_again(rig: Rig) -> None:
    backend = rig.named("Backend Engineer")
    told = await direct(rig, "upload_chat_files", workspace_id=backend, files={"a.md": "\u00e9 one", "b.txt": ""})
    first, second = told["files"]
    assert (first["name"], first["size"], second["size"]) == ("a.md", 6, 0)
    got = await read(rig, "download_chat_file", workspace_id=backend, path=first["uri"])
    assert (kept(rig), got["size"]) == (["\u00e9 one".encode()], 6)
    assert [str(file) for file in (rig.folder / "outputs").iterdir()] == [got["written_to"]]


async def test_the_digest_of_what_was_claimed_is_that_of_the_bytes_that_left(rig: Rig) -> None:
    road = rig.road()
    given = {"workspace_id": rig.named("Backend Engineer"), "files": {"a.md": "x"}}
    await road.call(Caller(), "upload_chat_files", given)
    (intent,) = [record.body for record in road.context.store().records() if record.kind == "intent"]
    body = next(body for body in rig.transport.bodies if b"form-data" in body)
    assert intent["body_digest"] == road.context.keyed_digest(body)


async def test_a_dry_run_of_an_upload_tells_its_size_and_sends_nothing(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "files": {"a.md": "x"}, "dry_run": True}
    outcome = await rig.road().call(Caller(), "upload_chat_files", given)
    assert isinstance(outcome, Done)
    assert outcome.structured["body"]["content_type"].startswith("multipart/form-data")
    assert rig.transport.changes == []


async def test_any_bytes_come_out_as_they_are(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": "/workspace/drafts/header.png"}
    told = await read(rig, "download_chat_file", **given)
    assert kept(rig) == [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe"]
    assert told["size"] == 18
    assert "IHDR" not in str(told)


async def test_a_file_that_is_too_large_is_not_kept_in_part(rig: Rig) -> None:
    rig.app.database.execute("UPDATE disk_files SET content = ?", (bytes((32 << 20) + 1),))
    given = {"workspace_id": rig.named("Copywriter"), "path": "/workspace/drafts/header.png"}
    error = await refused(rig.road().call(Caller(), "download_chat_file", given))
    assert "32 MiB" in error.message
    assert kept(rig) == []


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/configs/../etc/passwd", "configs/a", "/configs", "/configs/", "/home//a", "//configs/a",
     "workspace:configs/a", "/home/a\n"],
)  # fmt: skip
async def test_a_path_outside_the_shown_folders_sends_nothing(rig: Rig, path: str) -> None:
    given = {"workspace_id": rig.named("Copywriter"), "path": path}
    assert (await refused(rig.road().call(Caller(), "download_chat_file", given))).kind == "arguments"
    assert rig.transport.lines == []


@pytest.mark.parametrize(
    "files",
    [{}, {"../a": "x"}, {"a/b": "x"}, {".env": "x"}, {'a"b': "x"}, {"a": "[redacted:K]"}, {"a" * 101: "x"}, {"a": 1}],
)
async def test_what_is_no_file_of_text_is_refused(rig: Rig, files: dict[str, Any]) -> None:
    given = {"workspace_id": rig.named("Backend Engineer"), "files": files}
    assert (await refused(rig.road().call(Caller(), "upload_chat_files", given))).kind == "arguments"
    assert rig.transport.lines == []


@pytest.mark.parametrize("name", ["QA Engineer", "Partner Bot"])
async def test_without_a_container_nothing_is_sent(rig: Rig, name: str) -> None:
    given = {"workspace_id": rig.named(name), "files": {"a.md": "x"}}
    error = await refused(rig.road().call(Caller(), "upload_chat_files", given))
    assert (error.kind, rig.transport.changes) == ("nothing_to_do", [])
    wanted = {"workspace_id": rig.named(name), "path": "/home/a"}
    error = await refused(rig.road().call(Caller(), "download_chat_file", wanted))
    assert (error.details["status"], error.sent) == (503, False)
    assert "does not run" in error.message


async def test_a_container_that_ended_meanwhile_leaves_nothing_in_doubt(rig: Rig) -> None:
    async def ended(request: httpx.Request) -> httpx.Response | None:
        error = {"error": "workspace container not running"}
        return httpx.Response(503, json=error) if request.method == "POST" else None

    rig.transport.before = ended
    given = {"workspace_id": rig.named("Backend Engineer"), "files": {"a.md": "x"}}
    assert (await refused(rig.road().call(Caller(), "upload_chat_files", given))).sent is True


@pytest.mark.parametrize("shown", [200, 500])
async def test_an_upload_that_is_not_seen_is_not_reported(rig: Rig, shown: int) -> None:
    async def hides(request: httpx.Request) -> httpx.Response | None:
        listing = request.method == "GET" and request.url.path.endswith("/files")
        return httpx.Response(shown, json=[] if shown == 200 else {"error": "x"}) if listing else None

    rig.transport.before = hides
    given = {"workspace_id": rig.named("Backend Engineer"), "files": {"a.md": "x"}}
    error = await refused(rig.road().call(Caller(), "upload_chat_files", given))
    assert (error.kind, error.sent) == ("unreadable_answer", True)


async def test_a_workspace_that_is_none_is_told_as_such(rig: Rig) -> None:
    for tool, more in (("upload_chat_files", {"files": {"a": "x"}}), ("download_chat_file", {"path": "/home/a"})):
        error = await refused(rig.road().call(Caller(), tool, {"workspace_id": UNKNOWN, **more}))
        assert error.details["status"] == 404
