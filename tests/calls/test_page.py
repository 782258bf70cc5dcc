"""The page as the program serves it: by a command of its own, beside stdio, and on the HTTP server."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from molecule_mcp.store import approver
from tests.calls.harness import PROGRAM, TenantProcess, called, client, http_process, tenant_process
from tests.calls.test_delete import PASSPHRASE, deletes, doomed
from tests.console.people import hidden

VALUE = "typed-by-a-person"


@pytest.fixture(scope="module")
def tenant() -> Generator[TenantProcess]:
    """One tenant for all; each test makes workspaces of its own."""
    with tenant_process() as started:
        yield started


def send(address: str, **fields: str) -> httpx.Response:
    """Load a page, and send its form as a browser does."""
    place = urlsplit(address)
    with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as http:
        page = http.get(address).raise_for_status()
        along = hidden(page.text)
        assert "token" in along, page.text
        origin = {"Origin": f"{place.scheme}://{place.netloc}"}
        return http.post(address, data={**along, **fields}, headers=origin)


async def test_beside_stdio_a_person_allows_on_the_page(tenant: TenantProcess, tmp_path: Path) -> None:
    approver.init(tmp_path, PASSPHRASE)
    ids = doomed(tenant, "leaf")
    before = len(tenant.proxy.changes)
    async with client(tenant, tmp_path, flags=("--allow-wait", "0")) as connected:
        _, first = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
        assert first["error"] == "allow_required"
        assert send(first["page"], decision="allow", passphrase="not the passphrase").status_code == 403
        assert tenant.proxy.changes[before:] == []
        allowed = send(first["page"], decision="allow", passphrase=PASSPHRASE)
        assert "Allowed." in allowed.text
        worked, answer = await called(connected, "delete_workspace", {"workspace_id": ids[-1]})
    assert (worked, answer["grant"]) == (True, "human")
    assert tenant.proxy.changes[before:] == deletes(ids)


async def test_beside_stdio_a_person_types_a_secret(tenant: TenantProcess, tmp_path: Path) -> None:
    approver.init(tmp_path, PASSPHRASE)
    given = {"workspace_id": tenant.make("Typed"), "key": "BOT_TOKEN"}
    async with client(tenant, tmp_path, flags=("--allow-wait", "0")) as connected:
        _, first = await called(connected, "set_workspace_secret", given)
        assert (first["error"], first["sent"]) == ("secret_required", False)
        assert "Kept." in send(first["page"], value=VALUE).text
        _, second = await called(connected, "set_workspace_secret", given)
        assert second["error"] == "allow_required"
        send(second["page"], decision="allow", passphrase=PASSPHRASE)
        worked, answer = await called(connected, "set_workspace_secret", given)
    assert worked, answer
    assert VALUE not in str((first, second, answer))
    assert list((tmp_path / "typed").iterdir()) == []


@contextmanager
def page_process(state: Path, *flags: str) -> Generator[str]:
    """`molecule-mcp page` on a free port. Yields its address."""
    args = [*PROGRAM, "page", "--port", "0", "--state", str(state), *flags]
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_the_command_prints_where_the_page_is_and_serves_loopback_alone(tmp_path: Path) -> None:
    approver.init(tmp_path, PASSPHRASE)
    with page_process(tmp_path) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        assert "What an agent asks of you" in httpx.get(address, trust_env=False).text
        assert httpx.get(address, headers={"Host": "evil.example"}, trust_env=False).status_code == 421


async def test_on_the_http_server_a_secret_is_typed_by_the_bearer_whose_call_asks(
    tenant: TenantProcess, tmp_path: Path
) -> None:
    approver.init(tmp_path / "state", PASSPHRASE)
    given: dict[str, Any] = {"workspace_id": tenant.make("Typed"), "key": "BOT_TOKEN"}
    with http_process(tenant, tmp_path, "--allow-wait", "0") as started:
        async with started.client("http") as connected:
            _, first = await called(connected, "set_workspace_secret", given)
            assert first["page"].startswith(f"http://127.0.0.1:{started.port}/page/secret/")
            assert send(first["page"], value=VALUE, bearer=started.bearers["second"]).status_code == 403
            assert "Kept." in send(first["page"], value=VALUE, bearer=started.bearers["first"]).text
            _, second = await called(connected, "set_workspace_secret", given)
            assert second["error"] == "allow_required"


def test_on_the_http_server_strangers_get_no_further_than_the_page(tenant: TenantProcess, tmp_path: Path) -> None:
    with http_process(tenant, tmp_path) as started:
        base = f"http://127.0.0.1:{started.port}"
        assert httpx.get(f"{base}/page/", trust_env=False).status_code == 200
        assert httpx.get(f"{base}/page/", headers={"Host": "evil.example"}, trust_env=False).status_code == 421
        for path, status in {"/mcp": 401, "/sse": 401, "/page": 401, "/pages": 401, "/page%2f..%2fmcp": 404}.items():
            assert httpx.get(f"{base}{path}", trust_env=False).status_code == status, path
