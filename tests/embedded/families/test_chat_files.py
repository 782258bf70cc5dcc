"""Files of chats."""

import httpx
import pytest

from tests.embedded.support import UNKNOWN, Desk

BOUND = {"Content-Type": "multipart/form-data; boundary=b"}


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and error text."""
    return answer.status_code, answer.json()["error"]


async def test_what_was_uploaded_is_downloaded_byte_for_byte(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    content = b"\x00\xff\r\n--b\r\n" + bytes(range(256))
    form = [("files", ("../a b&.txt", content)), ("files", ("none", b""))]
    answer = await desk.org.post(f"/workspaces/{workspace_id}/chat/uploads", files=form)
    first, second = answer.json()["files"]
    assert (first["name"], first["mimeType"], first["size"]) == ("a_b_.txt", "text/plain", len(content))
    assert "mimeType" not in second
    assert second["uri"].startswith("workspace:/workspace/.molecule/chat-uploads/")
    path = first["uri"].removeprefix("workspace:")
    got = await desk.org.get(f"/workspaces/{workspace_id}/chat/download", params={"path": path})
    assert (got.content, got.headers["content-type"]) == (content, "text/plain")
    assert got.headers["content-disposition"].endswith('a_b_.txt"')


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({}, b"{}", "failed to parse multipart form"),
        (BOUND, b"--b\r\n", "failed to parse multipart form"),
        (BOUND, b"--bx--b--", "failed to parse multipart form"),
        (BOUND, b"--b\r\nContent-Disposition: form-data\r\n--b--", "failed to parse multipart form"),
        (BOUND, b"--b--\r\n", "expected at least one 'files' field"),
        (
            BOUND,
            b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--b--',
            "expected at least one 'files' field",
        ),
    ],
)
async def test_what_is_no_form_with_files_is_refused(
    desk: Desk, headers: dict[str, str], body: bytes, error: str
) -> None:
    path = f"/workspaces/{await desk.external()}/chat/uploads"
    assert told(await desk.org.post(path, headers=headers, content=body)) == (400, error)


async def test_sizes_are_limited_in_all_and_of_each(desk: Desk) -> None:
    path = f"/workspaces/{await desk.workspace()}/chat/uploads"
    large = bytes(25 * 2**20 + 1)
    assert (await desk.org.post(path, files={"files": ("a", large)})).status_code == 413
    both = [("files", ("a", large)), ("files", ("b", large))]
    assert told(await desk.org.post(path, files=both)) == (400, "failed to parse multipart form")


async def test_without_a_container_nothing_is_stored_or_shown(desk: Desk) -> None:
    for each in (await desk.external(), UNKNOWN):
        error = (503, "workspace container not running")
        assert told(await desk.org.post(f"/workspaces/{each}/chat/uploads", files={"files": ("a", b"x")})) == error
        assert told(await desk.org.get(f"/workspaces/{each}/chat/download?path=/home/a")) == error
    for method, path in (("POST", "uploads"), ("GET", "download")):
        assert told(await desk.org.request(method, f"/workspaces/x/chat/{path}")) == (400, "invalid workspace ID")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("", 400, "path query required"),
        ("x", 400, "path must be absolute"),
        ("/etc/passwd", 400, "path must be under /configs, /workspace, /home, or /plugins"),
        ("/configs/../etc/passwd", 400, "invalid path"),
        ("/configs/", 400, "invalid path"),
        ("/configs", 404, "file not found"),
        ("/configs/none", 404, "file not found"),
    ],
)
async def test_only_files_below_the_shown_folders_are_downloaded(
    desk: Desk, path: str, status: int, error: str
) -> None:
    route = f"/workspaces/{await desk.workspace()}/chat/download"
    assert told(await desk.org.get(route, params={"path": path})) == (status, error)
