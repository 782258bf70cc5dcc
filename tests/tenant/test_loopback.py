"""Facts about bytes: what a raw socket sees of the way out, and what the way out makes of a raw socket's answers."""

import gzip
import socket
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from tests.contract.contract import operations
from tests.tenant.loopback import Act, connected, drips, floods, hangs_up, loopback, resets, said, says, silent
from tests.tenant.making import KEY, ONE, Claims, sent
from tests.tenant.test_paths import HOSTILE, values

from molecule_mcp.errors import ArgumentError, TenantError, TenantRefused, TenantUnreachable, TenantUnreadable
from molecule_mcp.tenant import Deadlines, Permit, paths

LIST, PAUSE = "GET /workspaces", "POST /workspaces/{id}/pause"
ROUTES = sorted({each.route for each in operations().values()})
HURRIED = Deadlines(connect=1.0, read=0.05, total=1.0)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def permit(*routes: str) -> Permit:
    """Everything is allowed on these routes."""
    return Permit(frozenset(routes or ROUTES), claim=Claims())


async def broken(act: Act, route: str, deadlines: Deadlines | None = None) -> tuple[TenantError, int]:
    """Read or send against a server that does this, and return the error and how many requests came."""
    method, template = route.split(" ")
    with anyio.fail_after(20):
        async with loopback(act) as server, connected(server.origin, permit(), deadlines) as tenant:
            with pytest.raises(TenantError) as error:
                if method == "GET":
                    await tenant.read(template, list[int])
                else:
                    await tenant.send(method, template, list[int], id=ONE)
            return error.value, server.requests


async def test_what_leaves_is_the_request_line_our_headers_and_the_body() -> None:
    async with loopback(says(said(b"{}"))) as server, connected(server.origin, permit()) as tenant:
        await tenant.send("POST", "/workspaces/{id}/memory", dict[str, Any], id=ONE, body={"key": "a", "value": "é"})
        lines = server.received.decode().split("\r\n")
    assert lines[0] == f"POST /workspaces/{ONE}/memory HTTP/1.1"
    assert lines[-1] == '{"key":"a","value":"\\u00e9"}'
    assert {line.split(":")[0].lower() for line in lines[1:-2]} == {
        "host", "authorization", "accept-encoding", "accept", "user-agent", "content-length", "content-type",
    }  # fmt: skip


async def test_no_hostile_value_in_any_parameter_of_any_route_lets_a_single_byte_out() -> None:
    async with loopback(says(said(b"{}"))) as server, connected(server.origin, permit()) as tenant:
        tried = 0
        for method, template in (route.split(" ") for route in ROUTES):
            for name in paths.PARAMETER.findall(template):
                for hostile in HOSTILE:
                    with pytest.raises(ArgumentError):
                        await sent(tenant, f"{method} {template}", values(template, **{name: hostile}))
                    tried += 1
        assert tried > 5000
        assert (server.connections, server.received) == (0, b"")


async def test_connections_are_used_again() -> None:
    async with loopback(says(said(b"[]"))) as server, connected(server.origin, permit()) as tenant:
        for _ in range(5):
            assert await tenant.read("/workspaces", list[int]) == []
        assert (server.requests, server.connections) == (5, 1)


@pytest.mark.parametrize("route", [LIST, PAUSE])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_no_redirect_is_followed_to_anywhere(status: str, route: str) -> None:
    async with loopback(says(said(b"{}"))) as canary:
        for place in (canary.origin + "/workspaces", "/health"):
            act = says(said(b"", status, "text/html", f"Location: {place}"))
            error, requests = await broken(act, route)
            assert isinstance(error, TenantRefused)
            assert error.sent == ("unknown" if route == PAUSE else False)
            assert requests == 1
        assert canary.connections == 0


async def test_proxies_netrc_and_certificates_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password of-keys\n")
    async with loopback(says(said(b"[]"))) as proxy, loopback(says(said(b"[]"))) as server:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.origin)
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "there-is-none.pem"))
        async with connected(server.origin, permit()) as tenant:
            await tenant.read("/workspaces", list[int])
        assert proxy.connections == 0
        assert f"Authorization: Bearer {KEY}\r\n".encode() in server.received
        assert server.received.lower().count(b"authorization") == 1


async def test_fifty_megabytes_are_cut_off_long_before_their_end() -> None:
    error, requests = await broken(floods, LIST)
    assert isinstance(error, TenantUnreadable)
    assert "larger than 4 MiB" in error.message
    assert requests == 1


async def test_a_gzip_bomb_is_never_unpacked() -> None:
    bomb = gzip.compress(b"0" * (50 << 20))
    error, _ = await broken(says(said(bomb, "200 OK", "application/json", "Content-Encoding: gzip")), LIST)
    assert isinstance(error, TenantUnreadable)
    assert "compressed" in error.message


UNREADABLE = {
    "cut JSON": said(b'[1, 2, "thr'),
    "no JSON": said(b"hello"),
    "empty": said(b""),
    "a web page": said(b"<html>", "200 OK", "text/html; charset=utf-8"),
    "nothing at all": b"HTTP/1.1 204 No Content\r\n\r\n",
    "another shape": said(b'{"a": 1}'),
    "another type": said(b'["one"]'),
    "depth": said(b"[" * 100_000 + b"]" * 100_000),
}


@pytest.mark.parametrize("route", [LIST, PAUSE])
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_an_answer_of_the_wrong_make_is_unreadable(raw: bytes, route: str) -> None:
    error, requests = await broken(says(raw), route)
    assert isinstance(error, TenantUnreadable)
    assert error.sent == ("unknown" if route == PAUSE else False)
    assert requests == 1


LOST: dict[str, tuple[Act, int]] = {
    "reset": (resets, 3),
    "hung up": (hangs_up(), 3),
    "hung up within the headers": (hangs_up(b"HTTP/1.1 200 OK\r\nContent-"), 3),
    "hung up within the body": (hangs_up(said(b"[1,2,3]")[:-3]), 3),
    "no HTTP": (hangs_up(b"SSH-2.0-OpenSSH\r\n\r\n"), 3),
    "endless header": (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), 3),
    "silence": (silent, 1),
    "silence within the body": (says(said(b"[1,2,3]")[:-3]), 1),
    "drip": (drips, 1),
}


@pytest.mark.parametrize("route", [LIST, PAUSE])
@pytest.mark.parametrize(("act", "tries"), LOST.values(), ids=LOST.keys())
async def test_an_answer_that_does_not_come_is_lost_within_the_deadline(act: Act, tries: int, route: str) -> None:
    error, requests = await broken(act, route, Deadlines(read=0.05, total=0.3) if act is drips else HURRIED)
    assert isinstance(error, TenantUnreachable)
    assert error.sent == ("unknown" if route == PAUSE else False)
    assert requests == (1 if route == PAUSE else tries)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An origin where nobody listens, and nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("route", [LIST, PAUSE])
async def test_where_nobody_listens_nothing_was_sent(nobody: str, route: str) -> None:
    async with connected(nobody, permit()) as tenant:
        with pytest.raises(TenantUnreachable, match="no connection") as lost:
            await sent(tenant, route, {} if route == LIST else {"id": ONE})
    assert lost.value.sent is False


async def test_a_tenant_without_tls_where_tls_is_due_gets_no_byte_of_the_key() -> None:
    async with loopback(silent) as server:
        origin = server.origin.replace("http://", "https://")
        async with connected(origin, permit(), Deadlines(connect=0.05)) as tenant:
            with pytest.raises(TenantUnreachable) as lost:
                await tenant.send("POST", "/workspaces/{id}/pause", list[int], id=ONE)
    assert lost.value.sent is False
    assert KEY.encode() not in server.received
    assert server.requests == 0


async def test_a_request_that_was_turned_away_early_comes_again_and_is_answered() -> None:
    early = said(b"{}", "429 Too Many Requests", "application/json", "Retry-After: 1")
    coded = said(b'{"code":"platform_unavailable"}', "503 Service Unavailable")
    done = says(said(b"[7]"))
    async with loopback(says(early), says(coded), done) as server, connected(server.origin, permit()) as tenant:
        assert await tenant.send("POST", "/workspaces/{id}/pause", list[int], id=ONE) == [7]
        assert server.requests == 3
