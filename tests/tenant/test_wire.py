"""One exchange: what it carries, what it repeats, how much it takes in, and when it gives up."""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from tests.contract.contract import operations
from tests.tenant.making import KEY, ONE, ORIGIN, OTHER, Script, Time, answer, changes, wired

from molecule_mcp.errors import ConfigurationError, PolicyRefusal, TenantUnreachable, TenantUnreadable
from molecule_mcp.tenant import Deadlines, Request, Wire
from molecule_mcp.tenant.wire import SLOW

READ = changes("GET /workspaces", "/workspaces")
SEND = changes("POST /workspaces/{id}/pause", f"/workspaces/{ONE}/pause")
TELL = changes("POST /workspaces/{id}/a2a", f"/workspaces/{ONE}/a2a")
SWEEP = changes("GET /approvals/pending", "/approvals/pending")
EXPORT = changes("GET /admin/memories/export", "/admin/memories/export")
CODED = {"error": "platform datastore unavailable", "code": "platform_unavailable"}
MIB = 1 << 20


class Flow(httpx.AsyncByteStream):
    """A body of so many pieces, then what happens; counts what was taken."""

    def __init__(self, piece: bytes, count: int, then: Exception | None = None) -> None:
        self.piece, self.count, self.then = piece, count, then
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.count):
            self.taken += 1
            yield self.piece
        if self.then:
            raise self.then

    async def aclose(self) -> None:
        self.closed = True


async def test_a_read_carries_the_key_and_nothing_that_was_not_meant() -> None:
    script = Script(answer([]))
    got = await wired(script).exchange(READ)
    assert (got.status, got.body) == (200, b"[]")
    assert got.headers["content-type"].startswith("application/json")
    headers = dict(script.requests[0].headers)
    assert headers.pop("user-agent").startswith("molecule-mcp/")
    assert headers == {
        "host": "127.0.0.1:8080",
        "authorization": f"Bearer {KEY}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }


async def test_a_hosted_tenant_is_told_its_organization() -> None:
    script = Script(answer([]))
    await wired(script, org_id="org-7").exchange(READ)
    assert script.requests[0].headers["x-molecule-org-id"] == "org-7"


@pytest.mark.parametrize(
    ("line", "body", "headers"),
    [
        ("POST /org/tokens", b'{"a":1}', {"content-length": "7", "content-type": "application/json"}),
        ("POST /org/tokens", b"", {"content-length": "0"}),
        ("DELETE /org/tokens", b"", {}),
    ],
)
async def test_a_body_is_measured_and_named(line: str, body: bytes, headers: dict[str, str]) -> None:
    script = Script(answer({}))
    await wired(script).exchange(changes(line, "/org/tokens", body))
    sent = script.requests[0].headers
    assert script.bodies == [body]
    assert {name: sent[name] for name in ("content-length", "content-type") if name in sent} == headers


async def test_a_request_that_is_not_its_route_is_refused_before_anything_leaves() -> None:
    script = Script(answer({}))
    walks_away = changes("DELETE /workspaces/{id}/secrets/{key}", f"/workspaces/{ONE}/secrets/../../{OTHER}")
    with pytest.raises(PolicyRefusal) as refused:
        await wired(script).exchange(walks_away)
    assert refused.value.sent is False
    assert script.requests == []


@pytest.mark.parametrize("fault", [httpx.ConnectError("x"), httpx.ReadError("x"), ssl.SSLError("x"), answer("", 502)])
async def test_a_read_survives_two_faults(fault: httpx.Response | Exception) -> None:
    time, script = Time(), Script(fault, fault, answer([]))
    assert (await wired(script, time).exchange(READ)).status == 200
    assert len(script.requests) == 3
    assert len(time.slept) == 2


async def test_a_read_survives_an_answer_that_breaks_off() -> None:
    broken = httpx.Response(200, stream=Flow(b"[", 1, httpx.RemoteProtocolError("cut")))
    script = Script(broken, answer([]))
    assert (await wired(script).exchange(READ)).body == b"[]"


async def test_a_third_fault_ends_a_read_with_nothing_sent() -> None:
    script = Script(httpx.ConnectError("10.0.0.1 refused"))
    with pytest.raises(TenantUnreachable) as lost:
        await wired(script).exchange(READ)
    assert lost.value.sent is False
    assert "10.0.0.1" not in str(lost.value.told())
    assert len(script.requests) == 3


@pytest.mark.parametrize("asked", [SEND, SWEEP])
@pytest.mark.parametrize(
    ("fault", "sent"),
    [(httpx.ConnectError("x"), False), (httpx.ReadError("x"), "unknown"), (httpx.ReadTimeout("x"), "unknown")],
)
async def test_a_change_leaves_once_whatever_breaks(asked: Request, fault: Exception, sent: object) -> None:
    script = Script(fault)
    with pytest.raises(TenantUnreachable) as lost:
        await wired(script).exchange(asked)
    assert lost.value.sent == sent
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_change_answered_with_a_fault_leaves_once(status: int) -> None:
    script = Script(answer({"error": "x"}, status))
    assert (await wired(script).exchange(SEND)).status == status
    assert len(script.requests) == 1


@pytest.mark.parametrize("asked", [READ, SEND])
@pytest.mark.parametrize("early", [answer({}, 429, Retry_After="7"), answer(CODED, 503, Retry_After="7")])
async def test_what_comes_before_the_handler_is_waited_out(asked: Request, early: httpx.Response) -> None:
    time, script = Time(), Script(early, answer({}))
    assert (await wired(script, time).exchange(asked)).status == 200
    assert len(script.requests) == 2
    assert 7.0 <= time.slept[0] <= 7.7


async def test_a_message_leaves_once_when_an_agent_claims_that_the_tenant_is_not_there() -> None:
    time, script = Time(), Script(answer(CODED, 503, Retry_After="7"), answer({}))
    assert (await wired(script, time).exchange(TELL)).status == 503
    assert (len(script.requests), time.slept) == (1, [])


async def test_a_message_that_the_rate_limit_turned_away_is_sent_again() -> None:
    limited = answer({"error": "rate limit exceeded", "retry_after": 7}, 429, Retry_After="7")
    script = Script(limited, answer({}))
    assert (await wired(script).exchange(TELL)).status == 200
    assert len(script.requests) == 2


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """Tenant-defined: the budget for minting keys may say an hour."""
    time, script = Time(), Script(answer({}, 429, Retry_After="3492"))
    assert (await wired(script, time).exchange(SEND)).status == 429
    assert time.slept == []


async def test_a_tenant_that_always_asks_to_wait_is_asked_a_few_times_only() -> None:
    time, script = Time(), Script(answer({}, 429, Retry_After="0"))
    assert (await wired(script, time).exchange(READ)).status == 429
    assert len(script.requests) <= 8
    assert sum(time.slept) < 60


async def test_a_change_that_was_only_ever_told_to_wait_was_not_sent() -> None:
    async def for_ever(_: float) -> None:
        await anyio.sleep_forever()

    script = Script(answer({}, 429, Retry_After="0"))
    wire = Wire(ORIGIN, KEY, transport=script, deadlines=Deadlines(total=0.6), sleep=for_ever)
    assert await lost(wire, SEND) is False
    assert len(script.requests) == 1


async def test_a_change_that_fails_to_connect_after_a_wait_was_not_sent() -> None:
    script = Script(answer({}, 429), httpx.ConnectError("x"))
    with pytest.raises(TenantUnreachable) as lost:
        await wired(script).exchange(SEND)
    assert lost.value.sent is False


async def test_requests_slow_down_when_the_tenant_says_that_few_are_left() -> None:
    time = Time()
    wire = wired(Script(answer([], X_Ratelimit_Limit="600", X_Ratelimit_Remaining="0", X_Ratelimit_Reset="9")), time)
    await wire.exchange(READ)
    assert time.slept == []
    await wire.exchange(READ)
    assert time.slept == [9.0]


@pytest.mark.parametrize(("asked", "most"), [(READ, 4), (SEND, 4), (EXPORT, 32)])
async def test_an_answer_is_taken_in_up_to_its_cap_and_no_further(asked: Request, most: int) -> None:
    fits = Script(httpx.Response(200, stream=Flow(b"x" * MIB, most)))
    assert len((await wired(fits).exchange(asked)).body) == most * MIB
    flow = Flow(b"x" * MIB, 1000)
    with pytest.raises(TenantUnreadable, match=f"larger than {most} MiB") as cut:
        await wired(Script(httpx.Response(200, stream=flow))).exchange(asked)
    assert cut.value.sent == ("unknown" if asked is SEND else False)
    assert flow.taken == most + 1
    assert flow.closed


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
async def test_a_compressed_answer_is_not_even_read(encoding: str) -> None:
    flow = Flow(b"x", 1)
    with pytest.raises(TenantUnreadable, match="compressed"):
        await wired(Script(httpx.Response(200, headers={"Content-Encoding": encoding}, stream=flow))).exchange(READ)
    assert (flow.taken, flow.closed) == (0, True)


async def forever(_: httpx.Request) -> httpx.Response:
    """Never answers."""
    await anyio.sleep_forever()
    raise AssertionError


async def test_every_request_carries_its_deadlines_and_slow_routes_longer_ones() -> None:
    script = Script(answer({}))
    wire = wired(script)
    message = changes("POST /workspaces/{id}/a2a", f"/workspaces/{ONE}/a2a")
    await wire.exchange(READ)
    await wire.exchange(message)
    usual = {"connect": 5.0, "read": 30.0, "write": 10.0, "pool": 5.0}
    assert [each.extensions["timeout"] for each in script.requests] == [usual, usual | {"read": 300.0}]
    assert wire.deadlines.total == 60.0
    hurried = wired(Script(forever), deadlines=Deadlines(total=5, slow=0.05))
    assert await lost(hurried, message) == "unknown"


def test_every_slow_route_is_one_of_the_contract() -> None:
    assert {each.route for each in operations().values()} >= SLOW


@pytest.mark.parametrize(("asked", "sent"), [(READ, False), (SEND, "unknown")])
async def test_the_whole_exchange_ends_at_its_deadline(asked: Request, sent: object) -> None:
    wire = wired(Script(forever), deadlines=Deadlines(total=0.05))
    with anyio.fail_after(5), pytest.raises(TenantUnreachable, match=r"no answer within 0\.05 s") as lost:
        await wire.exchange(asked)
    assert lost.value.sent == sent


async def test_a_change_that_never_got_its_turn_was_not_sent() -> None:
    script = Script(forever)
    wire = wired(script, deadlines=Deadlines(total=5))
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(wire.exchange, READ)
        await anyio.wait_all_tasks_blocked()
        wire.deadlines = Deadlines(total=0.05)
        with anyio.fail_after(5), pytest.raises(TenantUnreachable, match="Other requests of this server") as lost:
            await wire.exchange(SEND)
        assert (lost.value.sent, "MOLECULE_API_URL" in str(lost.value.advice)) == (False, False)
        group.cancel_scope.cancel()
    assert set(script.lines) == {"GET /workspaces"}


async def lost(wire: Wire, asked: Request) -> object:
    """Expect that no answer comes, and return what is known of it."""
    with anyio.fail_after(5), pytest.raises(TenantUnreachable) as error:
        await wire.exchange(asked)
    return error.value.sent


async def test_messages_that_agents_take_their_time_for_keep_no_read_waiting() -> None:
    """Eight of them may be under way, beside eight other requests; a ninth waits for its turn."""

    async def answered(request: httpx.Request) -> httpx.Response:
        return await forever(request) if request.url.path.endswith("a2a") else answer([])

    script = Script(answered)
    wire = wired(script)
    async with anyio.create_task_group() as group:
        for _ in range(9):
            group.start_soon(wire.exchange, TELL)
        await anyio.wait_all_tasks_blocked()
        assert len(script.requests) == 8
        with anyio.fail_after(5):
            assert (await wire.exchange(READ)).status == 200
        group.cancel_scope.cancel()


async def test_a_cancelled_call_stays_cancelled() -> None:
    with anyio.move_on_after(0.01) as scope:
        await wired(Script(forever)).exchange(READ)
    assert scope.cancelled_caught


async def test_a_closed_wire_closes_its_connections_and_opens_new_ones_when_used_again() -> None:
    script = Script(answer([]))
    wire = wired(script)
    await wire.close()
    assert not script.closed
    await wire.exchange(READ)
    await wire.close()
    assert script.closed
    assert (await wire.exchange(READ)).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "", "acme.example", "http://acme.example", "http://127.0.0.1.acme.example", "ftp://127.0.0.1", "https://",
        "https://user:pass@acme.example", "https://acme.example/api", "https://acme.example?x=1",
        "https://acme.example#x", "http://127.0.0.1@acme.example", "http://acme.example#@127.0.0.1", "https://a:b:c",
        "http://127.0.0.1\\@acme.example", "https://acme\n.example",
    ],
)  # fmt: skip
def test_an_address_that_could_give_the_key_away_is_refused(origin: str) -> None:
    with pytest.raises(ConfigurationError):
        Wire(origin, KEY)


@pytest.mark.parametrize(
    ("origin", "normal"),
    [
        ("https://acme.example", "https://acme.example"),
        ("https://ACME.example:443/", "https://acme.example"),
        ("https://acme.example:8443", "https://acme.example:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_an_address_is_kept_in_its_normal_form(origin: str, normal: str) -> None:
    assert Wire(origin, KEY).origin == normal


@pytest.mark.parametrize("value", ["", "a b", "a\r\nX: y", "a\x00", "\u00e9", "a\tb"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ConfigurationError, match="MOLECULE_ORG_TOKEN") as refused:
        Wire(ORIGIN, value)
    assert refused.value.message == "MOLECULE_ORG_TOKEN is empty or holds characters that no header can carry."


def test_an_organization_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="MOLECULE_ORG_ID"):
        Wire(ORIGIN, KEY, org_id="a\nb")


def test_an_empty_organization_is_none() -> None:
    assert Wire(ORIGIN, KEY, org_id="").org_id is None


@pytest.mark.parametrize(("prefix", "own"), [(KEY[:8], True), (KEY, True), (KEY[:7], False), ("kR3x9kR4", False)])
def test_the_key_in_use_is_known_by_the_eight_characters_that_the_tenant_shows(prefix: str, own: bool) -> None:
    assert Wire(ORIGIN, KEY).is_own_key(prefix) is own


def test_deadlines_only_tighten() -> None:
    assert Deadlines().within(None) == Deadlines()
    assert Deadlines().within(300) == Deadlines()
    assert Deadlines().within(7) == Deadlines(read=7, write=7, total=7, slow=7)


FOLLOW = "GET /workspaces/{id}/events/stream"


class Broken(httpx.AsyncByteStream):
    """Gives these parts, then waits for ever or breaks."""

    def __init__(self, *parts: bytes, error: Exception | None = None) -> None:
        self.parts, self.error, self.closed = parts, error, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if self.error:
            raise self.error
        await anyio.sleep_forever()

    async def aclose(self) -> None:
        self.closed = True


def stream(body: httpx.AsyncByteStream) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, stream=body)


async def follow(script: Script, seconds: float = 30, enough: str = "never") -> tuple[Any, list[str]]:
    """How it ended, and the lines that were heard."""
    found: list[str] = []

    async def heard(line: str) -> bool:
        found.append(line)
        return line == enough

    ended = await wired(script).follow(changes(FOLLOW, f"/workspaces/{ONE}/events/stream"), seconds, heard)
    return ended, found


async def test_lines_come_whole_however_they_are_cut_and_the_reader_ends_it() -> None:
    body = Broken(b": pi", b"ng\r\n\nda", "ta: \u00e4".encode()[:-1], b"\xa4\nlast\nmore\n")
    script = Script(stream(body))
    assert await follow(script, enough="last") == ("enough", [": ping", "", "data: \u00e4", "last"])
    assert script.requests[0].headers.get_list("accept") == ["text/event-stream"]
    assert body.closed


async def test_a_stream_ends_with_its_time_or_breaks_and_what_was_heard_counts() -> None:
    body = Broken(b"one\n")
    assert await follow(Script(stream(body)), seconds=0.05) == ("time", ["one"])
    assert body.closed
    assert await follow(Script(stream(Broken(b"one\n", error=httpx.ReadError("x"))))) == ("broken", ["one"])
    assert await follow(Script(stream(httpx.ByteStream(b"one\ntw")))) == ("closed", ["one"])


async def test_a_stream_without_line_ends_or_with_too_many_is_enough() -> None:
    assert (await follow(Script(stream(Broken(*[b"x" * (1 << 20)] * 5)))))[0] == "enough"


async def silent(_: httpx.Request) -> httpx.Response:
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize("act", [silent, httpx.ConnectError("x"), httpx.ReadTimeout("x"), OSError("x")])
async def test_a_stream_that_never_begins_is_an_unreachable_tenant(act: Any) -> None:
    script = Script(act)
    with pytest.raises(TenantUnreachable) as error:
        await follow(script, seconds=0.05)
    assert (error.value.sent, len(script.requests)) == (False, 1)


async def test_an_encoded_stream_is_refused_and_another_answer_given_back() -> None:
    with pytest.raises(TenantUnreadable, match="compressed"):
        await follow(Script(answer(body=b"x", content_encoding="gzip", content_type="text/event-stream")))
    ended, found = await follow(Script(answer({"error": "no"}, 404)))
    assert (ended.status, ended.body, found) == (404, b'{"error": "no"}', [])


async def test_a_refusal_that_breaks_off_is_an_unreachable_tenant() -> None:
    broken = httpx.Response(404, stream=Broken(b"{", error=httpx.ReadError("x")))
    with pytest.raises(TenantUnreachable):
        await follow(Script(broken))


async def test_what_is_followed_leaves_room_for_other_requests() -> None:
    """Eight requests may be under way, and four streams beside them; a fifth waits for its turn."""

    async def answered(request: httpx.Request) -> httpx.Response:
        return stream(Broken(b"x\n")) if request.url.path.endswith("stream") else answer({})

    script = Script(answered)
    wire = wired(script)

    async def never(_: str) -> bool:
        return False

    async def listen() -> None:
        await wire.follow(changes(FOLLOW, f"/workspaces/{ONE}/events/stream"), 30, never)

    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        assert len(script.requests) == 4
        for _ in range(20):
            assert (await wire.exchange(changes("GET /workspaces", "/workspaces"))).status == 200
        assert len(script.requests) == 24
        group.cancel_scope.cancel()
