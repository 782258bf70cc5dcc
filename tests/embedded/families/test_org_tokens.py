"""Organization keys."""

from collections.abc import Callable

import pytest

from tests.embedded.support import UNKNOWN, Clock, Desk


async def test_a_key_is_shown_once_and_works(desk: Desk) -> None:
    told = (await desk.org.post("/org/tokens", json={"name": "ci-bot"})).json()
    assert (told["name"], told["prefix"], len(told["auth_token"])) == ("ci-bot", told["auth_token"][:8], 43)
    assert (await desk.client(told["auth_token"]).get("/workspaces")).status_code == 200


async def test_unset_fields_are_left_out_and_the_caller_sees_itself_used(desk: Desk, clock: Clock) -> None:
    await desk.org.post("/org/tokens")
    newest, own = (await desk.json("/org/tokens"))["tokens"]
    assert newest.keys() == {"id", "prefix", "created_at", "created_by"}
    assert newest["created_by"] == f"org-token:{own['prefix']}"
    assert (own["name"], own["last_used_at"]) == ("tests", "2026-11-24T09:00:00Z")


async def test_who_minted_is_recorded(desk: Desk) -> None:
    await desk.admin.post("/org/tokens", json={"name": "by secret"})
    await desk.admin.post("/org/tokens", json={"name": "by cookie"}, headers={"Cookie": "a=b"})
    rows = (await desk.json("/org/tokens"))["tokens"]
    assert [row["created_by"] for row in rows[:2]] == ["session", "admin-token"]


async def test_a_new_key_inherits_the_organization_of_its_minter(desk: Desk) -> None:
    desk.app.database.execute("UPDATE org_tokens SET org_id = ?", (UNKNOWN,))
    await desk.org.post("/org/tokens")
    assert (await desk.json("/org/tokens"))["tokens"][0]["org_id"] == UNKNOWN


@pytest.mark.parametrize("body", [b"", b"not json", b'{"name": 5}', b'{"expires": 1}'])
async def test_a_body_that_cannot_be_read_mints_an_unnamed_key(desk: Desk, body: bytes) -> None:
    told = await desk.org.post("/org/tokens", content=body)
    assert told.status_code == 200
    assert "name" not in told.json()


async def test_a_name_is_counted_in_bytes(desk: Desk) -> None:
    assert (await desk.org.post("/org/tokens", json={"name": "ä" * 50})).status_code == 200
    told = await desk.org.post("/org/tokens", json={"name": "ä" * 51})
    assert (told.status_code, told.json()) == (400, {"error": "name too long (max 100 chars)"})


async def test_a_name_that_cannot_be_stored_is_a_server_error(desk: Desk) -> None:
    told = await desk.org.post("/org/tokens", json={"name": "a\x00"})
    assert (told.status_code, told.json()) == (500, {"error": "failed to mint token"})


async def test_a_key_can_revoke_itself_and_is_dead_at_once(desk: Desk) -> None:
    own = (await desk.json("/org/tokens"))["tokens"][0]
    told = await desk.org.delete(f"/org/tokens/{own['id']}")
    assert told.json() == {"revoked": own["id"]}
    assert (await desk.org.get("/org/tokens")).status_code == 401
    assert (await desk.admin.delete(f"/org/tokens/{own['id']}")).status_code == 404


async def test_an_unknown_key_is_404_and_a_malformed_id_500(desk: Desk) -> None:
    assert (await desk.org.delete(f"/org/tokens/{UNKNOWN}")).status_code == 404
    told = await desk.org.delete("/org/tokens/x")
    assert (told.status_code, told.json()) == (500, {"error": "failed to revoke"})


async def test_ten_mints_an_hour_counting_refused_ones_but_not_strangers(
    desks: Callable[..., Desk], clock: Clock
) -> None:
    desk = desks(rate_limit=600)
    for _ in range(5):
        assert (await desk.http.post("/org/tokens")).status_code == 401
    for number in range(10):
        told = await desk.org.post("/org/tokens", json={"name": "x" * (101 if number % 2 else 1)})
        assert told.headers["x-ratelimit-limit"] == "10"
    clock.advance(seconds=8)
    spent = await desk.org.post("/org/tokens")
    assert (spent.status_code, spent.json()) == (429, {"error": "rate limit exceeded", "retry_after": 3592})
    assert spent.headers["retry-after"] == "3592"
    assert (await desk.org.get("/org/tokens")).headers["x-ratelimit-limit"] == "600"
    clock.advance(minutes=15)
    assert (await desk.org.post("/org/tokens")).status_code == 200
