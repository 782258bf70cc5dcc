"""What becomes of an answer: a model, or an error that names fields and statuses and nothing else; also of an event."""

import re
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from tests.tenant.making import ONE, OTHER, Claims, Script, answer, tenant, wired

from molecule_mcp.errors import TenantRefused, TenantUnreachable, TenantUnreadable
from molecule_mcp.redaction import Redactor
from molecule_mcp.tenant import Exchange, Permit, Tenant

LIST, GET, DELETE = "GET /workspaces", "GET /workspaces/{id}", "DELETE /workspaces/{id}"
PAUSE, TELL = "POST /workspaces/{id}/pause", "POST /workspaces/{id}/a2a"
FOLLOW = "GET /workspaces/{id}/events/stream"
VALUE = "sesame-0123456789"
Anything = dict[str, Any]


class Row(BaseModel):
    """A row of a list."""

    id: str
    name: str = ""


async def test_an_error_status_is_a_refusal_with_what_is_known() -> None:
    script = Script(answer({"error": "has children", "children": [OTHER]}, 409))
    with pytest.raises(TenantRefused, match="has children") as error:
        await tenant(script, DELETE, claim=Claims()).send("DELETE", DELETE[7:], Anything, id=ONE)
    assert (error.value.status, error.value.sent) == (409, True)
    assert error.value.body["children"] == [OTHER]


async def test_an_error_status_that_an_agent_may_have_given_is_no_refusal_of_the_tenants() -> None:
    script = Script(answer({"error": "no such file"}, 404))
    with pytest.raises(TenantRefused, match="may be the agent's own") as error:
        await tenant(script, TELL, claim=Claims()).send("POST", TELL[5:], Anything, id=ONE)
    assert error.value.sent == "unknown"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (answer(body=b"<html>", Content_Type="text/html"), "something other than JSON"),
        (answer(body=b"{}", Content_Type="application/jsonp"), "something other than JSON"),
        (answer(body=b""), "cut off or no JSON"),
        (answer(body=b'[{"id": "x"'), "cut off or no JSON"),
        (answer([{"id": 5}]), "not as its contract says, at: id"),
        (answer([{"name": []}]), "not as its contract says, at: id, name"),
        (answer({"hunter2": 1}), "not as its contract says, at: the top"),
    ],
)
async def test_an_answer_that_does_not_fit_is_named_by_its_fields_only(given: httpx.Response, text: str) -> None:
    with pytest.raises(TenantUnreadable) as error:
        await tenant(Script(given), LIST).read("/workspaces", list[Row])
    assert error.value.message in (f"The tenant's answer is {text}.", f"The tenant answered with {text}.")
    assert error.value.sent is False


async def test_names_that_look_like_no_field_are_left_out_of_the_fault() -> None:
    script = Script(answer({"a b\x1b[2J": "x", "count": "y"}))
    with pytest.raises(TenantUnreadable, match="at: count\\.") as error:
        await tenant(script, LIST).read("/workspaces", dict[str, int])
    assert error.value.message.isprintable()


@pytest.mark.parametrize("given", [answer(body=b"<html>", Content_Type="text/html"), answer(body=b"[")])
async def test_a_change_with_an_unreadable_success_may_have_happened(given: httpx.Response) -> None:
    permit = Permit(frozenset({DELETE}), claim=Claims())
    with pytest.raises(TenantUnreadable) as error:
        await Tenant(wired(Script(given)), permit).send("DELETE", DELETE[7:], Anything, id=ONE)
    assert error.value.sent == "unknown"
    assert str(error.value.advice).startswith(("MOLECULE_API_URL may", "The request was answered with success"))
    assert permit.exchanges[0].status == 200


@pytest.mark.parametrize("status", [101, 199, 300, 404])
async def test_only_a_success_is_read(status: int) -> None:
    with pytest.raises(TenantRefused):
        await tenant(Script(answer([], status)), LIST).read("/workspaces", list[Row])


async def test_a_lost_answer_is_told_as_it_is() -> None:
    with pytest.raises(TenantUnreachable) as error:
        await tenant(Script(httpx.ReadError("x")), DELETE, claim=Claims()).send("DELETE", DELETE[7:], Anything, id=ONE)
    assert error.value.sent == "unknown"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{"count": {"of_all": "x"}}], "count.of_all"),
        ([{"count": {"a b": "x", "\x1b[2J": "x", "..": "x"}}], "the top"),
        ([{"count": {"b": "x", "a": "y"}}, {"count": {"a": "z"}}], "count.a, count.b"),
        ([{"x" * 199: {"a": "y"}}], "x" * 199 + "."),
    ],
)
async def test_a_fault_names_fields_within_fields_once_in_order_and_cut(rows: Any, where: str) -> None:
    with pytest.raises(TenantUnreadable) as error:
        await tenant(Script(answer(rows)), LIST).read("/workspaces", list[dict[str, dict[str, int]]])
    assert error.value.told() == {
        "error": "unreadable_answer",
        "message": f"The tenant's answer is not as its contract says, at: {where}.",
        "sent": False,
    }


async def test_an_answer_that_does_not_say_what_it_is_is_not_taken_for_json() -> None:
    script = Script(httpx.Response(200, stream=httpx.ByteStream(b"[]")))
    with pytest.raises(TenantUnreadable, match="other than JSON"):
        await tenant(script, LIST).read("/workspaces", list[Row])


@pytest.mark.parametrize("status", [200, 404])
async def test_a_read_is_kept_whole_where_reads_are_kept_whatever_it_was_answered(status: int) -> None:
    reads = list[Exchange]()
    held = Tenant(wired(Script(answer({"id": ONE}, status))), Permit(frozenset({GET}), reads=reads))
    try:
        await held.read(GET[4:], Row, id=ONE)
    except TenantRefused as error:
        assert error.status == status
    assert reads == [Exchange(GET, f"/workspaces/{ONE}", status, False)]


def events(*lines: str) -> httpx.Response:
    """A stream of these lines, which the tenant then closes."""
    body = "".join(f"{line}\n" for line in lines).encode()
    return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, stream=httpx.ByteStream(body))


async def followed(script: Script, enough: int = 9, **permit: Any) -> tuple[str, list[Any]]:
    """How following ended, and the events that were heard, of which so many are enough."""
    heard = list[Any]()

    async def hears(event: Anything) -> bool:
        heard.append(event)
        return len(heard) == enough

    held = tenant(script, FOLLOW, **permit)
    return await held.follow(FOLLOW[4:], Anything, hears, 30, id=ONE), heard


async def test_the_events_of_a_stream_are_heard_and_nothing_else_of_it_until_there_are_enough() -> None:
    lines = [": ping", "", 'data:{"at":1}', "event: x", 'data: {"at":2}', 'data: {"at":3}']
    script = Script(events(*lines))
    assert await followed(script) == ("closed", [{"at": 1}, {"at": 2}, {"at": 3}])
    assert (script.lines, script.bodies) == ([f"GET /workspaces/{ONE}/events/stream"], [b""])
    assert await followed(Script(events(*lines)), 2) == ("enough", [{"at": 1}, {"at": 2}])


@pytest.mark.parametrize("masked", [True, False])
async def test_an_event_is_masked_only_where_it_is_wanted(masked: bool) -> None:
    redactor = Redactor()
    redactor.learn(VALUE, "KEY")
    told = await followed(Script(events(f'data: {{"text":"{VALUE}"}}')), redactor=redactor, masked=masked)
    assert told == ("closed", [{"text": "[redacted:KEY]" if masked else VALUE}])


async def test_what_an_event_gives_away_is_known_from_then_on() -> None:
    redactor, route = Redactor(), "GET /workspaces/{id}/channels"
    held = tenant(Script(events(f'data: {{"webhook_secret":"{VALUE}"}}')), route, redactor=redactor)

    async def hears(_event: Anything) -> bool:
        return True

    await held.follow(route[4:], Anything, hears, 30, id=ONE)
    assert redactor.text(VALUE) == "[redacted:webhook_secret]"


@pytest.mark.parametrize(
    ("line", "text"), [("data: [1]", "not as its contract says, at: the top"), ("data: {", "cut off or no JSON")]
)
async def test_an_event_that_cannot_be_read_is_told_by_its_fields(line: str, text: str) -> None:
    with pytest.raises(TenantUnreadable) as error:
        await followed(Script(events(line)))
    assert error.value.told() == {
        "error": "unreadable_answer",
        "message": f"An event of the tenant's is {text}.",
        "sent": False,
    }


async def test_a_refusal_to_be_followed_is_told_masked_and_another_answer_as_no_stream() -> None:
    redactor = Redactor()
    redactor.learn(VALUE, "KEY")
    with pytest.raises(TenantRefused, match=re.escape("answered 409: busy with [redacted:KEY].")) as refusal:
        await followed(Script(answer({"error": f"busy with {VALUE}"}, 409)), redactor=redactor)
    assert (refusal.value.status, refusal.value.sent) == (409, False)
    with pytest.raises(TenantUnreadable, match="other than an event stream") as error:
        await followed(Script(answer({})))
    assert error.value.sent is False
