"""What the tenant gives away or repeats is known and masked before a tool reads it."""

import json
from typing import Any

import httpx
import pytest
from tests.tenant.making import ONE, Claims, Script, answer, sent, tenant

from molecule_mcp.errors import TenantRefused
from molecule_mcp.redaction import Redactor
from molecule_mcp.tenant.received import MOST, SECRET_OUT, received, secrets_in
from molecule_mcp.tenant.translate import Answer

MINT, CHANNELS, LIST = "POST /org/tokens", "GET /workspaces/{id}/channels", "GET /workspaces"
VALUE = "sesame-0123456789"


def known(*values: str) -> Redactor:
    """A redactor that knows these."""
    redactor = Redactor()
    for value in values:
        redactor.learn(value, "KEY")
    return redactor


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"1","auth_token": "a\\"b-0123456789","prefix":"a"}',
        b'[{"connection":{"auth_token":"a\\"b-0123456789"}}]',
        b'{"auth_token":"a\\"b-0123456789","cut off',
    ],
)
def test_a_secret_field_is_found_in_any_shape(body: bytes) -> None:
    assert list(secrets_in(MINT, body)) == [("auth_token", 'a"b-0123456789')]


@pytest.mark.parametrize("body", [b'{"auth_token":7}', b'{"auth_token":"cut', b'{"auth_token":"\\x"}', b'{"name":"x"}'])
def test_what_is_no_text_in_a_secret_field_is_none(body: bytes) -> None:
    assert list(secrets_in(MINT, body)) == []


def test_a_field_of_that_name_in_another_route_is_no_secret() -> None:
    assert list(secrets_in(LIST, b'{"auth_token":"sesame-0123456789"}')) == []


def test_a_field_within_another_is_found_by_its_own_name() -> None:
    found = secrets_in("POST /workspaces/{id}/artifacts/fork", b'{"fork":{"remote_url":"https://x:y@z/a.git"}}')
    assert list(found) == [("remote_url", "https://x:y@z/a.git")]


def test_no_answer_makes_more_values_known_than_is_bearable() -> None:
    redactor = Redactor()
    values = [f"value-{number:06}" for number in range(MOST + 1)]
    body = json.dumps([{"auth_token": value} for value in values]).encode()
    received(MINT, Answer(200, {}, body), redactor, masked=False)
    assert redactor.text(values[MOST - 1]) == "[redacted:auth_token]"
    assert redactor.text(values[MOST]) == values[MOST]


async def read(route: str, told: httpx.Response, redactor: Redactor | None, **permit: Any) -> Any:
    """What a tool reads of an answer."""
    held = tenant(Script(told), route, redactor=redactor, **permit)
    parameters: dict[str, Any] = {"id": ONE} if "{id}" in route else {}
    return await held.read(route.split(" ")[1], list[dict[str, Any]], **parameters)


async def test_a_good_answer_is_masked_only_where_it_is_wanted() -> None:
    rows = [{"name": f"the {VALUE}"}]
    assert await read(LIST, answer(rows), known(VALUE), masked=True) == [{"name": "the [redacted:KEY]"}]
    assert await read(LIST, answer(rows), known(VALUE)) == rows
    assert await read(LIST, answer(rows), None, masked=True) == rows


async def test_what_a_list_gives_away_is_known_from_then_on() -> None:
    redactor = Redactor()
    await read(CHANNELS, answer([{"config": {"webhook_secret": VALUE}}]), redactor)
    assert redactor.text(f"x{VALUE}") == "x[redacted:webhook_secret]"


async def test_what_is_minted_is_known_even_when_the_answer_cannot_be_read() -> None:
    redactor = Redactor()
    held = tenant(Script(answer({"auth_token": VALUE})), MINT, claim=Claims(), redactor=redactor)
    await sent(held, MINT, {})
    assert redactor.text(VALUE) == "[redacted:auth_token]"


async def test_what_a_change_is_answered_is_masked_unless_it_mints() -> None:
    pause = "POST /workspaces/{id}/pause"
    held = tenant(Script(answer({"text": VALUE})), pause, claim=Claims(), redactor=known(VALUE))
    assert await sent(held, pause, {"id": ONE}) == {"text": "[redacted:KEY]"}
    held = tenant(Script(answer({"auth_token": VALUE})), MINT, claim=Claims(), redactor=known(VALUE))
    assert await sent(held, MINT, {}) == {"auth_token": VALUE}


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_refusal_is_masked_before_it_is_cut(status: int) -> None:
    told = answer({"error": f"{'x' * 290} {VALUE}"}, status)
    with pytest.raises(TenantRefused) as refused:
        await read(LIST, told, known(VALUE))
    assert "sesame" not in str(refused.value.told())
    assert VALUE not in str(refused.value.body)


def test_every_route_is_written_as_permits_write_it() -> None:
    assert all(route.split(" ")[1].startswith("/") for route in SECRET_OUT)
