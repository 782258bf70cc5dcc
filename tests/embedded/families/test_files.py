"""Files of workspaces: in a container, on its volume, over SSH, or in the template of the same name."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.embedded.support import UNKNOWN, Desk


async def put(desk: Desk, workspace_id: str, path: str, content: str) -> httpx.Response:
    """The answer to a write of one file."""
    return await desk.org.put(f"/workspaces/{workspace_id}/files/{path}", json={"content": content})


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and error text."""
    return answer.status_code, answer.json()["error"]


def template(desk: Desk, name: str, **files: str) -> None:
    """A template folder of that name."""
    for path, content in {"config.yaml": f"name: {name}\n", **files}.items():
        values = ("workspace", name.lower(), path.replace("_", "."), content.encode())
        desk.app.database.execute("INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?)", values)


async def test_a_file_is_written_listed_and_read(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    assert (await put(desk, workspace_id, "sub/b.md", "  b\n")).json() == {"status": "saved", "path": "sub/b.md"}
    for path in ("node_modules/x", ".git/HEAD", "sub/deep/c.md"):
        await put(desk, workspace_id, path, "x")
    rows = await desk.json(f"/workspaces/{workspace_id}/files?depth=2")
    assert [(row["path"], row["size"], row["dir"]) for row in rows if row["path"] != "config.yaml"] == [
        ("sub", 0, True),
        ("sub/b.md", 4, False),
        ("sub/deep", 0, True),
    ]
    below = await desk.json(f"/workspaces/{workspace_id}/files?path=sub&depth=1")
    assert [row["path"] for row in below] == ["b.md", "deep"]
    assert await desk.json(f"/workspaces/{workspace_id}/files?path=none") == []
    read = await desk.json(f"/workspaces/{workspace_id}/files/sub/b.md")
    assert read == {"path": "sub/b.md", "content": "b", "size": 1}


async def test_a_body_without_content_empties_the_file(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    await put(desk, workspace_id, "a.md", "x")
    await desk.org.put(f"/workspaces/{workspace_id}/files/a.md", json={})
    assert (await desk.json(f"/workspaces/{workspace_id}/files/a.md"))["content"] == ""


async def test_every_root_is_looked_into_and_written_to_none_but_the_first(sample: Desk) -> None:
    backend = sample.cell("SELECT id FROM workspaces WHERE name = 'Backend Engineer'")
    listed = await sample.json(f"/workspaces/{backend}/files?root=/workspace&depth=3")
    assert [row["path"] for row in listed] == ["app", "app/main.py"]
    assert (await sample.json(f"/workspaces/{backend}/files/app/main.py?root=/workspace"))["content"].startswith("def")
    manifest = await sample.json(f"/workspaces/{backend}/files/superpowers/plugin.yaml?root=/plugins")
    assert manifest["content"].startswith("name: superpowers")
    await sample.org.put(f"/workspaces/{backend}/files/x.md?root=/workspace", json={"content": "x"})
    assert (await sample.json(f"/workspaces/{backend}/files/x.md"))["content"] == "x"


async def test_what_is_no_text_loses_its_bytes_and_nobody_reads_more_than_five_mebibytes(sample: Desk) -> None:
    writer = sample.cell("SELECT id FROM workspaces WHERE name = 'Copywriter'")
    image = await sample.json(f"/workspaces/{writer}/files/drafts/header.png?root=/workspace")
    assert "\ufffd" in image["content"]
    await put(sample, writer, "big", "x" * (5 * 2**20 + 1))
    assert (await sample.json(f"/workspaces/{writer}/files/big"))["size"] == 5 * 2**20


async def test_the_template_of_the_same_name_is_read_for_what_the_container_lacks(desk: Desk) -> None:
    template(desk, "Twin", only_md="of the template")
    workspace_id = await desk.workspace("Twin")
    assert (await desk.json(f"/workspaces/{workspace_id}/files/only.md"))["content"] == "of the template"
    assert [row["path"] for row in await desk.json(f"/workspaces/{workspace_id}/files")] == ["config.yaml"]


async def test_without_a_container_reads_show_the_template_and_single_writes_the_volume(desk: Desk) -> None:
    template(desk, "Twin", only_md="of the template")
    workspace_id = await desk.workspace("Twin")
    await put(desk, workspace_id, "own.md", "own")
    await desk.org.post(f"/workspaces/{workspace_id}/pause")
    rows = await desk.json(f"/workspaces/{workspace_id}/files?root=/home")
    assert [row["path"] for row in rows] == ["config.yaml", "only.md"]
    assert told(await desk.org.get(f"/workspaces/{workspace_id}/files/own.md")) == (404, "file not found")
    assert (await put(desk, workspace_id, "own.md", "new")).status_code == 200
    lonely = await desk.external("Lonely")
    error = "file not found (container offline, no template)"
    assert told(await desk.org.get(f"/workspaces/{lonely}/files/own.md")) == (404, error)
    assert await desk.json(f"/workspaces/{lonely}/files") == []


@pytest.mark.parametrize(
    ("options", "state", "source"),
    [
        ({}, "online", "container"),
        ({}, "paused", "volume"),
        ({"docker": False}, "failed", "template"),
        ({"org_id": "o"}, "online", "ec2-ssh"),
    ],
)
async def test_a_bulk_write_says_where_it_went_and_deletes_nothing(
    desks: Callable[..., Desk], options: dict[str, Any], state: str, source: str
) -> None:
    desk = desks(**options)
    desk.org.headers["X-Molecule-Org-Id"] = "o"
    template(desk, "Twin", only_md="of the template")
    made = await desk.client("deployers-own-secret", **{"X-Molecule-Org-Id": "o"}).post(
        "/workspaces", json={"name": "Twin"}
    )
    workspace_id = made.json()["id"]
    desk.app.database.execute("UPDATE workspaces SET status = ?", (state,))
    body = {"files": {"a.md": "a", "b/c.md": None}}
    answer = await desk.org.put(f"/workspaces/{workspace_id}/files", json=body)
    assert answer.json() == {"status": "replaced", "workspace": workspace_id, "files": 2, "source": source}
    kept = desk.app.database.execute("SELECT path FROM folders WHERE folder = 'twin'").fetchall()
    own = desk.app.database.execute("SELECT path FROM container_files").fetchall()
    written = {row["path"] for row in (kept if source == "template" else own)}
    assert {"a.md", "b/c.md"} <= written
    assert {"config.yaml", "only.md"} <= {row["path"] for row in kept}


async def test_without_docker_a_single_write_fails_and_a_bulk_one_needs_a_template(desks: Callable[..., Desk]) -> None:
    desk = desks(docker=False)
    workspace_id = await desk.workspace("Lonely")
    status, error = told(await put(desk, workspace_id, "a.md", "x"))
    assert (status, "Cannot connect to the Docker daemon" in error) == (500, True)
    answer = await desk.org.put(f"/workspaces/{workspace_id}/files", json={"files": {"a.md": "x"}})
    assert told(answer) == (500, "failed to write files to workspace")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("root=/etc", "root must be one of: /configs, /workspace, /home, /plugins"),
        ("path=..", "invalid path"),
        ("path=/x", "invalid path"),
        ("depth=0", "depth must be 1-5"),
        ("depth=6", "depth must be 1-5"),
        ("depth=x", "depth must be 1-5"),
    ],
)
async def test_a_listing_of_what_may_not_be_shown_is_refused(desk: Desk, query: str, error: str) -> None:
    assert told(await desk.org.get(f"/workspaces/{await desk.workspace()}/files?{query}")) == (400, error)


@pytest.mark.parametrize("path", ["", "%2e%2e/x", "a/%2e%2e", "%2e", "%2fx"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_path_that_leads_out_is_refused(desk: Desk, method: str, path: str) -> None:
    workspace_id = await desk.workspace()
    answer = await desk.org.request(method, f"/workspaces/{workspace_id}/files/{path}", json={})
    if path:
        assert told(answer) == (400, "invalid path")
    else:
        assert answer.status_code in {301, 307}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid request body"),
        ({"files": {"a": 1}}, "invalid request body"),
        ({"files": {"../a": "x"}}, "invalid request body"),
        ({"files": {"": "x"}}, "invalid request body"),
        ({"files": {str(number): "" for number in range(201)}}, "too many files (201), max 200"),
    ],
)
async def test_a_bulk_write_with_one_bad_entry_writes_nothing(desk: Desk, body: dict[str, Any], error: str) -> None:
    workspace_id = await desk.workspace()
    assert told(await desk.org.put(f"/workspaces/{workspace_id}/files", json=body)) == (400, error)
    assert desk.cell("SELECT count(*) FROM container_files") == 0


async def test_a_name_that_no_disk_takes_is_a_server_error(desk: Desk) -> None:
    workspace_id = await desk.workspace()
    assert (await put(desk, workspace_id, "a%00b", "x")).status_code == 500
    answer = await desk.org.put(f"/workspaces/{workspace_id}/files", json={"files": {"a": "x", "a\x00b": "x"}})
    assert told(answer) == (500, "failed to write files to workspace")
    assert desk.cell("SELECT count(*) FROM container_files") == 0


@pytest.mark.parametrize("unknown", [UNKNOWN, "x"])
async def test_an_unknown_workspace_has_no_files(desk: Desk, unknown: str) -> None:
    for method, path, body in (
        ("GET", "files", None),
        ("GET", "files/a.md", None),
        ("PUT", "files/a.md", {"content": "x"}),
        ("PUT", "files", {"files": {"a.md": "x"}}),
        ("GET", "shared-context", None),
    ):
        answer = await desk.org.request(method, f"/workspaces/{unknown}/{path}", json=body)
        assert told(answer) == (404, "workspace not found")


async def test_no_file_can_be_deleted(desk: Desk) -> None:
    for workspace_id in (await desk.workspace(), UNKNOWN):
        answer = await desk.org.delete(f"/workspaces/{workspace_id}/files/a.md")
        assert told(answer) == (400, "absolute paths not permitted")


async def test_shared_context_is_what_the_config_names_and_can_be_read(sample: Desk, desk: Desk) -> None:
    writer = sample.cell("SELECT id FROM workspaces WHERE name = 'Copywriter'")
    (one,) = await sample.json(f"/workspaces/{writer}/shared-context")
    assert (one["path"], one["content"].split()[0]) == ("voice.md", "Short")
    template(desk, "Twin", config_yaml="name: Twin\nshared_context: [only.md]\n", only_md="x")
    twin = await desk.external("Twin")
    assert await desk.json(f"/workspaces/{twin}/shared-context") == [{"path": "only.md", "content": "x"}]
    plain = await desk.workspace()
    assert await desk.json(f"/workspaces/{plain}/shared-context") == []
    await put(desk, plain, "config.yaml", "a: [")
    assert await desk.json(f"/workspaces/{plain}/shared-context") == []
