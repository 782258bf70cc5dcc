"""The HTTP doors in both protocol eras: what reaches the tenant is exactly what a person allowed."""

import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from molecule_mcp.store import approver
from tests.calls import harness
from tests.calls.harness import PROGRAM, Answerer, Doors, Person, TenantProcess, called, http_process, tenant_process
from tests.calls.test_delete import PASSPHRASE, deletes, doomed, outside

DOORS = pytest.mark.parametrize("door", ["http", "sse"])
ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
SHAPES = pytest.mark.parametrize("shape", ["leaf", "parent"])


@pytest.fixture(scope="module")
def tenant() -> Generator[TenantProcess]:
    """One tenant for all; each test makes workspaces of its own."""
    with tenant_process() as started:
        yield started


@pytest.fixture(scope="module")
def doors(tenant: TenantProcess, tmp_path_factory: pytest.TempPathFactory) -> Generator[Doors]:
    """One server behind both doors, on a machine without an approver."""
    with http_process(tenant, tmp_path_factory.mktemp("doors"), "--allow-wait", "1") as started:
        yield started


@DOORS
@ERAS
@SHAPES
async def test_an_exact_yes_deletes_exactly_what_was_shown(
    tenant: TenantProcess, doors: Doors, door: str, mode: str, shape: str
) -> None:
    ids = doomed(tenant, shape)
    before = len(tenant.proxy.changes)
    async with doors.client(door, mode=mode, person=Person(harness.exactly_yes)) as connected:
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert worked, answer
    assert tenant.proxy.changes[before:] == deletes(ids)


@DOORS
@ERAS
@SHAPES
@pytest.mark.parametrize("rule", [harness.decline, harness.cancel, None])
async def test_no_yes_sends_nothing(
    tenant: TenantProcess, doors: Doors, door: str, mode: str, shape: str, rule: Answerer | None
) -> None:
    ids = doomed(tenant, shape)
    before = len(tenant.proxy.changes)
    async with doors.client(door, mode=mode, person=Person(rule) if rule else None) as connected:
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert not worked
    assert (answer["error"], answer["sent"]) == ("declined" if rule else "no_approver", False)
    assert tenant.proxy.changes[before:] == []


@DOORS
@ERAS
@SHAPES
async def test_a_signed_yes_from_outside_lets_the_repeated_call_through_once(
    tenant: TenantProcess, tmp_path: Path, door: str, mode: str, shape: str
) -> None:
    ids = doomed(tenant, shape)
    state = tmp_path / "state"
    approver.init(state, PASSPHRASE)
    before = len(tenant.proxy.changes)
    with http_process(tenant, tmp_path, "--allow-wait", "1") as started:
        async with started.client(door, mode=mode) as connected:
            _, first = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
            assert first["error"] == "allow_required"
            code, shown = outside(state, first, shape, PASSPHRASE)
            assert code == 0, shown
        async with started.client(door, mode=mode, bearer="second") as other:
            worked, _ = await called(other, "delete_workspace", {"workspace_id": ids[-1]})
            assert not worked, "the plan belongs to the first bearer"
        async with started.client(door, mode=mode) as connected:
            worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert (worked, answer.get("grant")) == (True, "human"), answer
    assert tenant.proxy.changes[before:] == deletes(ids)


@pytest.mark.parametrize(("door", "mode"), [("http", "2026-07-28"), ("http", "legacy"), ("sse", "legacy")])
async def test_the_address_chooses_toolsets(doors: Doors, door: str, mode: str) -> None:
    async with doors.client(door, mode=mode, path="/t/access,questions") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_org_tokens", "find_idle_workspaces"} <= names
        assert "list_workspaces" not in names
        worked, answer = await called(client, "list_workspaces", {})
        assert (worked, "not offered" in answer["message"]) == (False, True)
        assert (await called(client, "list_org_tokens", {}))[0]
    async with doors.client(door, mode=mode) as client:
        assert len((await client.list_tools()).tools) > len(names)


def test_an_address_with_an_unknown_toolset_is_404_and_names_the_known(doors: Doors) -> None:
    answer = post(doors, "/mcp/t/acces", "first")
    assert answer.status_code == 404
    assert "access" in answer.json()["error"]


def post(doors: Doors, path: str, bearer: str, **headers: str) -> httpx.Response:
    """A bare request with a bearer."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = "application/json, text/event-stream"
    sent = {"Authorization": f"Bearer {doors.bearers[bearer]}", "Accept": accept, **headers}
    return httpx.post(f"http://127.0.0.1:{doors.port}{path}", json=body, headers=sent, trust_env=False)


def test_a_streamable_session_is_refused_to_another_bearer(doors: Doors) -> None:
    start: dict[str, Any] = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    headers = {
        "Authorization": f"Bearer {doors.bearers['first']}",
        "Accept": "application/json, text/event-stream",
    }
    opened = httpx.post(f"http://127.0.0.1:{doors.port}/mcp", json=start, headers=headers, trust_env=False)
    session = opened.headers["mcp-session-id"]
    assert post(doors, "/mcp", "first", **{"mcp-session-id": session}).status_code == 200
    assert post(doors, "/mcp", "second", **{"mcp-session-id": session}).status_code == 404


def test_an_sse_session_is_refused_to_another_bearer(doors: Doors) -> None:
    headers = {"Authorization": f"Bearer {doors.bearers['first']}"}
    with httpx.stream("GET", f"http://127.0.0.1:{doors.port}/sse", headers=headers, trust_env=False) as stream:
        lines = stream.iter_lines()  # kept: an abandoned iterator closes the stream
        path = next(line for line in lines if line.startswith("data:"))[5:].strip()
        assert post(doors, path, "first").status_code == 202
        assert post(doors, path, "second").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer " + "x" * 40}, 401),
        ({"Authorization": "a" * 40}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "[::1"}, 421),
    ],
)
@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/?session_id=0"])
def test_strangers_stay_outside(doors: Doors, path: str, headers: dict[str, str], status: int) -> None:
    answer = httpx.get(f"http://127.0.0.1:{doors.port}{path}", headers=headers, trust_env=False)
    assert answer.status_code == status


def test_healthz_needs_no_bearer_but_the_right_host(doors: Doors) -> None:
    url = f"http://127.0.0.1:{doors.port}/healthz"
    assert httpx.get(url, trust_env=False).json()["status"] == "ok"
    assert httpx.get(url, headers={"Host": "evil"}, trust_env=False).status_code == 421


def test_on_the_loopback_of_ipv6_doors_and_page_answer_to_its_address(tenant: TenantProcess, tmp_path: Path) -> None:
    with http_process(tenant, tmp_path, "--host", "::1") as started:
        base = f"http://[::1]:{started.port}"
        asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        headers = {
            "Authorization": f"Bearer {started.bearers['first']}",
            "Accept": "application/json, text/event-stream",
        }
        statuses = [
            httpx.get(f"{base}/page/", trust_env=False).status_code,
            httpx.post(f"{base}/mcp", json=asked, headers=headers, trust_env=False).status_code,
            httpx.get(f"{base}/page/", headers={"Host": "[::2]:80"}, trust_env=False).status_code,
        ]
    assert statuses == [200, 400, 421]


@pytest.mark.parametrize(
    "flags",
    [
        ["--host", "0.0.0.0"],
        ["--host", "0.0.0.0", "--allowed-host", "x.example"],
        ["--host", "::", "--bearer-file", "b"],
        ["--bearer-file", "missing"],
    ],
)
def test_an_open_bind_without_names_and_bearers_does_not_start(tmp_path: Path, flags: list[str]) -> None:
    command = [*PROGRAM, "serve", "--http", "--port", "0", "--state", str(tmp_path), *flags]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("molecule-mcp: ")
