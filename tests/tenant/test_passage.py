"""What a tool may do with its tenant: the routes it names, within the workspaces of its profile, answers as models."""

import re
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import pytest
from pydantic import BaseModel
from tests.contract.contract import document, operations
from tests.tenant.making import KEY, ONE, OTHER, Claims, Script, answer, sent, tenant, wired

from molecule_mcp.capability import NAMED_IN_BODY, OF_ONE_WORKSPACE, OWNED_ROWS
from molecule_mcp.errors import (
    ArgumentError,
    MoleculeError,
    PolicyRefusal,
    StoreError,
)
from molecule_mcp.tenant import Exchange, Permit, Request, Tenant
from molecule_mcp.tenant.passage import NAMES_WORKSPACES

LIST, GET, DELETE = "GET /workspaces", "GET /workspaces/{id}", "DELETE /workspaces/{id}"
EVENTS, PAUSE, SWEEP = "GET /events", "POST /workspaces/{id}/pause", "GET /approvals/pending"
TELL = "POST /workspaces/{id}/a2a"
DECIDE = "POST /workspaces/{id}/approvals/{approvalId}/decide"
BOUND = frozenset({ONE})
Anything = dict[str, Any]


class Row(BaseModel):
    """A row of a list."""

    id: str
    name: str = ""


class Event(BaseModel):
    """A row that belongs to a workspace."""

    workspace_id: str | None = None


class Rehearsed(BaseException):
    """How a road stops a rehearsal."""


async def rehearses(_: Request) -> None:
    """A claim that ends the call before anything leaves."""
    raise Rehearsed


async def refused(script: Script, call: Any) -> MoleculeError:
    """Expect an error of ours, and that nothing left."""
    with pytest.raises(MoleculeError) as error:
        await call
    assert script.requests == []
    assert error.value.sent is False
    return error.value


async def test_a_read_answers_with_the_model_that_was_asked_for() -> None:
    script = Script(answer({"id": ONE, "name": "Plain", "more": 1}))
    row = await tenant(script, GET).read("/workspaces/{id}", Row, id=ONE)
    assert row == Row(id=ONE, name="Plain")
    assert (script.lines, script.bodies) == ([f"GET /workspaces/{ONE}"], [b""])


async def test_a_read_answers_with_bytes_as_they_are_when_asked_for_bytes() -> None:
    """Contract-defined: the whole body of a downloaded chat file is the file."""
    script = Script(answer(body=b"\x00\xff", Content_Type="application/octet-stream"))
    route = "/workspaces/{id}/chat/download"
    assert await tenant(script, f"GET {route}").read(route, bytes, id=ONE, query={"path": "a b"}) == b"\x00\xff"
    assert script.lines == [f"GET /workspaces/{ONE}/chat/download?path=a+b"]


async def test_an_answer_nested_deeper_than_the_tenant_nests_is_still_read() -> None:
    script = Script(answer(body=b"[" * 150 + b"]" * 150))
    assert await tenant(script, LIST).read("/workspaces", list[Any])


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"limit": 5}, "?limit=5"),
        ({"purge": True, "x": False}, "?purge=true&x=false"),
        ({"q": "a&confirm=true#x"}, "?q=a%26confirm%3Dtrue%23x"),
        ({"q": "\u00e9\r\n"}, "?q=%C3%A9%0D%0A"),
        ({}, ""),
        (None, ""),
    ],
)
async def test_a_query_is_encoded_so_that_no_value_reaches_beyond_its_name(
    query: Mapping[str, str | int] | None, line: str
) -> None:
    script = Script(answer([]))
    await tenant(script, LIST).read("/workspaces", list[Row], query=query)
    assert script.lines == [f"GET /workspaces{line}"]


async def test_a_query_that_is_no_text_is_refused_by_name() -> None:
    script = Script(answer([]))
    error = await refused(script, tenant(script, LIST).read("/workspaces", list[Row], query={"q": "\ud800"}))
    assert isinstance(error, ArgumentError)
    assert error.message == "One of q is no valid text; nothing was sent."


async def test_an_address_that_no_server_would_take_is_refused() -> None:
    longest = 8000 - len("/workspaces?q=")
    script = Script(answer([]))
    held = tenant(script, LIST)
    error = await refused(script, held.read("/workspaces", list[Row], query={"q": "x" * (longest + 1)}))
    assert isinstance(error, ArgumentError)
    assert "8000" in error.message
    await held.read("/workspaces", list[Row], query={"q": "x" * longest})
    assert len(script.requests) == 1


async def test_a_body_leaves_as_compact_json_after_its_claim() -> None:
    claims, script = Claims(), Script(answer({"ok": True}))
    body = {"note": "\u00e9", "decision": "denied"}
    held = tenant(script, DECIDE, claim=claims)
    await held.send("POST", DECIDE[5:], Anything, id=ONE.upper(), approvalId=OTHER, body=body)
    path = f"/workspaces/{ONE}/approvals/{OTHER}/decide"
    assert claims.requests == [Request(DECIDE, "POST", path, b'{"decision":"denied","note":"\\u00e9"}')]
    assert script.bodies == [claims.requests[0].body]
    assert script.lines == [f"POST {path}"]


async def test_a_change_without_a_body_leaves_with_its_query_and_no_byte_more() -> None:
    claims, script = Claims(), Script(answer({"ok": True}))
    await tenant(script, DELETE, claim=claims).send("DELETE", DELETE[7:], Anything, id=ONE, query={"confirm": True})
    assert claims.requests == [Request(DELETE, "DELETE", f"/workspaces/{ONE}?confirm=true", b"")]
    assert (script.lines, script.bodies) == ([f"DELETE /workspaces/{ONE}?confirm=true"], [b""])


async def test_a_change_names_no_other_workspace_in_its_query() -> None:
    script = Script(answer({}))
    held = tenant(script, PAUSE, claim=Claims(), bound=BOUND)
    call = held.send("POST", PAUSE[5:], Anything, id=ONE, query={"target_id": OTHER})
    assert isinstance(await refused(script, call), PolicyRefusal)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    script = Script(answer({}))
    call = tenant(script, PAUSE, claim=Claims()).send("POST", PAUSE[5:], Anything, id=ONE, body={"x": number})
    assert isinstance(await refused(script, call), ArgumentError)


async def test_a_route_that_the_tool_does_not_name_is_refused() -> None:
    script = Script(answer({}))
    error = await refused(script, tenant(script, GET, claim=Claims()).send("DELETE", GET[4:], Anything, id=ONE))
    assert isinstance(error, PolicyRefusal)
    assert "does not name the route DELETE /workspaces/{id}" in error.message


@pytest.mark.parametrize(("route", "given"), [(DELETE, {"id": ONE}), (SWEEP, {})])
async def test_a_call_that_may_only_read_sends_nothing_that_changes(route: str, given: dict[str, str]) -> None:
    script = Script(answer([]))
    error = await refused(script, sent(tenant(script, route), route, given))
    assert isinstance(error, PolicyRefusal)
    assert "may only read" in error.message


async def test_a_read_that_changes_is_no_read() -> None:
    script = Script(answer([]))
    assert isinstance(await refused(script, tenant(script, SWEEP).read(SWEEP[4:], list[Any])), PolicyRefusal)


async def test_a_claim_that_refuses_stops_the_send() -> None:
    async def full(_: Request) -> None:
        raise StoreError("The disk is full.")

    script = Script(answer({}))
    held = tenant(script, DELETE, claim=full)
    assert isinstance(await refused(script, held.send("DELETE", DELETE[7:], Anything, id=ONE)), StoreError)


async def test_a_rehearsal_passes_through_and_nothing_leaves() -> None:
    script = Script(answer({}))
    with pytest.raises(Rehearsed):
        await tenant(script, DELETE, claim=rehearses).send("DELETE", DELETE[7:], Anything, id=ONE)
    assert script.requests == []


async def test_a_request_that_would_be_refused_is_never_claimed() -> None:
    claims, script = Claims(), Script(answer({}))
    held = tenant(script, DELETE, claim=claims, bound=BOUND)
    await refused(script, held.send("DELETE", DELETE[7:], Anything, id=OTHER))
    await refused(script, held.send("DELETE", DELETE[7:], Anything, id="../.."))
    assert claims.requests == []


@pytest.mark.parametrize(
    ("act", "status", "sent"),
    [
        (answer({}), 200, True),
        (answer({"error": "children"}, 409), 409, True),
        (answer({"error": "x"}, 500), 500, True),
        (httpx.ReadError("x"), None, "unknown"),
        (httpx.ConnectError("x"), None, False),
    ],
)
async def test_every_changing_send_is_noted_for_the_road(act: Any, status: int | None, sent: Any) -> None:
    permit = Permit(frozenset({DELETE, GET}), claim=Claims())
    held = Tenant(wired(Script(act)), permit)
    try:
        await held.send("DELETE", DELETE[7:], Anything, id=ONE)
    except MoleculeError as error:
        assert status != 200
        assert status is not None or error.sent == sent
    assert permit.exchanges == [Exchange(DELETE, f"/workspaces/{ONE}", status, sent)]


async def test_a_read_is_not_noted() -> None:
    permit = Permit(frozenset({GET}))
    await Tenant(wired(Script(answer({"id": ONE}))), permit).read(GET[4:], Row, id=ONE)
    assert permit.exchanges == []


async def test_a_cancelled_send_stays_cancelled() -> None:
    async def forever(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.move_on_after(0.01) as scope:
        await tenant(Script(forever), DELETE, claim=Claims()).send("DELETE", DELETE[7:], Anything, id=ONE)
    assert scope.cancelled_caught


def test_a_tool_can_ask_who_decides_and_what_kind_of_tenant_it_is() -> None:
    script = Script(answer([]))
    plain = tenant(script, actor="mcp:default:7F3K")
    assert (plain.actor, plain.hosted, plain.sample) == ("mcp:default:7F3K", False, False)
    other = Tenant(wired(script, org_id="org-7", sample=True), Permit(frozenset()))
    assert (other.actor, other.hosted, other.sample) == ("", True, True)
    assert plain.doubts == {}
    plain.doubts["once"] = 1
    assert (plain.doubts, other.doubts) == ({"once": 1}, {})
    assert (plain.is_own_key(KEY[:8]), plain.is_own_key("kR3x9kR4")) == (True, False)


async def test_a_bound_call_works_on_its_own_workspace() -> None:
    script = Script(answer({"id": ONE}))
    held = tenant(script, GET, PAUSE, claim=Claims(), bound=BOUND)
    await held.read(GET[4:], Row, id=ONE.upper())
    body = {"parent_id": ONE.upper(), "target_id": "", "note": "any text", "more": ["text"]}
    await held.send("POST", PAUSE[5:], Anything, id=ONE, body=body)
    assert len(script.requests) == 2


async def test_a_bound_call_reads_no_other_workspace() -> None:
    script = Script(answer({"id": OTHER}))
    assert isinstance(
        await refused(script, tenant(script, GET, bound=BOUND).read(GET[4:], Row, id=OTHER)), PolicyRefusal
    )


@pytest.mark.parametrize("given", [{"id": OTHER, "approvalId": ONE}, {"approvalId": ONE, "id": OTHER}])
async def test_a_bound_call_is_checked_by_the_workspace_in_the_path_in_whatever_order_it_is_given(
    given: dict[str, str],
) -> None:
    script = Script(answer({}))
    held = tenant(script, DECIDE, claim=Claims(), bound=BOUND, unfiltered=True)
    assert isinstance(await refused(script, sent(held, DECIDE, given)), PolicyRefusal)


@pytest.mark.parametrize("key", sorted(NAMES_WORKSPACES))
async def test_a_bound_call_names_no_other_workspace_in_query_or_body(key: str) -> None:
    script = Script(answer([]))
    held = tenant(script, PAUSE, LIST, claim=Claims(), bound=BOUND, unfiltered=True)
    bodies: list[Any] = [
        {key: OTHER}, {key: [ONE, OTHER]}, {"a": [{"b": {key: OTHER}}]}, [{key: OTHER}], {key: {"x": OTHER}},
        {key.upper(): OTHER}, {key: 7}, {key: f"urn:uuid:{ONE}"},
    ]  # fmt: skip
    for body in bodies:
        await refused(script, held.send("POST", PAUSE[5:], Anything, id=ONE, body=body))
    await refused(script, held.read("/workspaces", list[Row], query={key: OTHER}))


def test_every_name_of_a_workspace_in_the_contract_is_known() -> None:
    telling = re.compile(r"(.*workspace|parent|source|target|caller)_?id|scope_target")
    names = {path.rsplit(".", 1)[-1] for each in operations().values() for path in each.fields}
    found = set(filter(telling.fullmatch, names))
    assert {"parent_id", "target_workspace_id"} <= found
    # Wider than the contract by one name that can hardly mean anything else.
    assert found | {"target"} == NAMES_WORKSPACES


@pytest.mark.parametrize(
    "route",
    ["GET /settings/secrets", "GET /org/tokens", "POST /workspaces", SWEEP, "GET /bundles/export/{id}"],
)
async def test_a_bound_call_stays_away_from_routes_of_the_organization(route: str) -> None:
    script = Script(answer([]))
    held = tenant(script, route, claim=Claims(), bound=BOUND, unfiltered=True)
    error = await refused(script, sent(held, route, {"id": ONE} if "{id}" in route else {}))
    assert isinstance(error, PolicyRefusal)
    assert "beyond" in error.message


@pytest.mark.parametrize("target", [OTHER, OTHER.upper()])
async def test_a_bound_call_asks_about_its_own_workspaces_where_the_body_names_them(target: str) -> None:
    """A POST that only reads needs no claim."""
    (route,) = NAMED_IN_BODY
    script = Script(answer({"allowed": True}))
    held = tenant(script, route, bound=BOUND)
    own = {"caller_id": ONE, "target_id": ONE.upper()}
    assert await held.send("POST", route[5:], Anything, body=own) == {"allowed": True}
    script.requests.clear()
    assert isinstance(
        await refused(script, held.send("POST", route[5:], Anything, body={**own, "target_id": target})), PolicyRefusal
    )


def test_every_route_of_no_workspace_that_a_bound_call_may_take_requires_all_ids_in_its_body() -> None:
    """Contract-defined."""
    for route in NAMED_IN_BODY:
        method, template = route.split(" ")
        content = document()["paths"][template][method.lower()]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        assert set(schema["properties"]) == set(schema["required"]) <= NAMES_WORKSPACES, route


async def test_a_bound_read_sees_its_own_rows_only() -> None:
    rows = [{"id": ONE}, {"id": OTHER}]
    script = Script(answer(rows))
    held = tenant(script, LIST, bound=BOUND)
    assert await held.read("/workspaces", list[Row]) == [Row(id=ONE)]
    assert await tenant(Script(answer(rows)), LIST, bound=BOUND).read("/workspaces", list[Anything]) == [{"id": ONE}]
    assert len(await tenant(Script(answer(rows)), LIST).read("/workspaces", list[Row])) == 2


async def test_a_row_that_does_not_say_whose_it_is_is_left_out() -> None:
    rows = [{"workspace_id": ONE.upper()}, {"workspace_id": None}, {}]
    held = tenant(Script(answer(rows)), EVENTS, bound=BOUND)
    assert await held.read("/events", list[Event]) == [Event(workspace_id=ONE.upper())]
    assert await tenant(Script(answer(rows)), EVENTS, bound=BOUND).read("/events", list[Anything]) == rows[:1]


async def test_an_answer_that_cannot_be_narrowed_is_refused() -> None:
    with pytest.raises(PolicyRefusal, match="narrowed"):
        await tenant(Script(answer({"rows": []})), LIST, bound=BOUND).read("/workspaces", Anything)


async def test_a_preview_sees_everything_but_changes_nothing() -> None:
    held = tenant(Script(answer([{"id": ONE}, {"id": OTHER}])), LIST, bound=BOUND, unfiltered=True)
    assert len(await held.read("/workspaces", list[Row])) == 2
    script = Script(answer({"id": OTHER}))
    held = tenant(script, GET, DELETE, claim=Claims(), bound=BOUND, unfiltered=True)
    assert (await held.read(GET[4:], Row, id=OTHER)).id == OTHER
    script.requests.clear()
    assert isinstance(await refused(script, held.send("DELETE", DELETE[7:], Anything, id=OTHER)), PolicyRefusal)


def test_every_list_that_a_bound_profile_may_read_says_whose_its_rows_are() -> None:
    """Contract-defined: the field is required in every row."""
    for route, owner in OWNED_ROWS.items():
        method, template = route.split(" ")
        content = document()["paths"][template][method.lower()]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]
        assert schema["type"] == "array"
        rows = schema["items"]
        if "$ref" in rows:
            rows = document()["components"]["schemas"][rows["$ref"].rsplit("/", 1)[-1]]
        assert owner in rows["required"], route


def test_every_route_that_stays_within_one_workspace_begins_with_that_workspace() -> None:
    named = [each.route.split(" ")[1] for each in operations().values()]
    within = [template for template in named if template.startswith(OF_ONE_WORKSPACE)]
    assert {re.findall(r"\{(\w+)\}", template)[0] for template in within} == {"id", "workspaceId"}
