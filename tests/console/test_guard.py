"""What does not get as far as a page."""

from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from molecule_mcp.console.app import application
from molecule_mcp.console.guard import COOKIE, LARGEST, LOOPBACK, RATES, Guard
from tests.console import people
from tests.console.people import DELETE, HOST, PASSPHRASE, browser

PLAN = "/plan/7F3K-92QD"
ORIGIN = {"Origin": f"http://{HOST}"}


async def test_every_answer_forbids_scripts_frames_storing_and_foreign_forms(tmp_path: Path) -> None:
    async with browser(people.desk(tmp_path)) as person:
        for path in ("/", "/page.css", "/nowhere", "/plan/0"):
            await person.go(path)
            policy = person.page.headers["content-security-policy"]
            for part in ("default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"):
                assert part in policy
            assert "script" not in policy
            assert person.page.headers["cache-control"] == "no-store"
            assert person.page.headers["x-frame-options"] == "DENY"


async def test_pages_hold_no_script_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        for path in ("/", PLAN):
            await person.go(path)
            for forbidden in ("<script", "javascript:", "style=", " on", "://", "<img"):
                assert forbidden not in person.page.text.replace(" on ", "").replace(" one", "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "127.0.0.2:8766"])
async def test_another_host_is_refused(tmp_path: Path, host: str) -> None:
    async with browser(people.desk(tmp_path)) as person:
        answer = await person.http.get("/", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:8766", "[::1]:8766", "LOCALHOST"])
async def test_this_machine_answers_to_its_names(tmp_path: Path, host: str) -> None:
    async with browser(people.desk(tmp_path)) as person:
        answer = await person.http.get("/", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "file://127.0.0.1:8766", HOST],
)
async def test_a_form_from_another_page_decides_nothing(tmp_path: Path, origin: str | None) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        await person.go(PLAN)
        token = person.page.text.split('name="token" value="')[1].split('"')[0]
        answer = await person.http.post(
            PLAN, data={"token": token, "decision": "refuse"}, headers={"Origin": origin} if origin else {}
        )
    assert answer.status_code == 403
    stored = at.store.plan_by_code("7F3K-92QD")
    assert stored
    assert stored.state == "open"


@pytest.mark.parametrize("token", ["", "0" * 64, "\u00fc"])
async def test_a_form_without_its_token_decides_nothing(tmp_path: Path, token: str) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    fields = {"token": token, "decision": "allow", "passphrase": PASSPHRASE}
    async with browser(at) as person:
        assert (await person.http.post(PLAN, data=fields, headers=ORIGIN)).status_code == 403, "no cookie"
        await person.go(PLAN)
        assert (await person.http.post(PLAN, data=fields, headers=ORIGIN)).status_code == 403
    stored = at.store.plan_by_code("7F3K-92QD")
    assert stored
    assert stored.state == "open"


async def test_a_token_belongs_to_one_cookie_and_one_process(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person, browser(at) as other, browser(people.desk(tmp_path)) as restarted:
        await person.go(PLAN)
        await other.go(PLAN)
        other.page = person.page
        assert await other.send(PLAN, decision="refuse") == 403
        restarted.http.cookies.update(person.http.cookies)
        restarted.page = person.page
        assert await restarted.send(PLAN, decision="refuse") == 403
        assert "Load it anew" in restarted.text


async def test_the_cookie_is_for_this_page_alone(tmp_path: Path) -> None:
    async with browser(people.desk(tmp_path)) as person:
        await person.go("/")
        cookie = person.page.headers["set-cookie"].lower()
        first = person.http.cookies[COOKIE]
        await person.go("/")
        assert person.http.cookies[COOKIE] == first
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie


async def test_over_tls_the_cookie_stays_on_tls(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(application(people.desk(tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as http:
        assert "secure" in (await http.get("/")).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=1&a=2" + b"&b" * 30, "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * LARGEST, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    async with browser(people.desk(tmp_path)) as person:
        answer = await person.http.post("/waiting", content=body, headers={**ORIGIN, "Content-Type": kind})
    assert answer.status_code == status


async def test_too_many_requests_wait_a_minute() -> None:
    now = [100.0]
    guard = Guard(PlainTextResponse("in"), LOOPBACK, clock=lambda: now[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=f"http://{HOST}") as http:
        statuses = [(await http.post("/", headers=ORIGIN)).status_code for _ in range(RATES["POST"] + 1)]
        assert statuses == [200] * RATES["POST"] + [429]
        refused = await http.post("/", headers=ORIGIN)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert (await http.get("/")).status_code == 200
        now[0] += 60
        assert (await http.post("/", headers=ORIGIN)).status_code == 200


LED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


async def test_a_page_from_elsewhere_uses_up_nobody_elses_requests() -> None:
    guard = Guard(PlainTextResponse("in"), LOOPBACK, clock=lambda: 100.0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=f"http://{HOST}") as http:
        statuses = [(await http.get("/", headers=LED)).status_code for _ in range(RATES["elsewhere"] + 1)]
        assert statuses == [200] * RATES["elsewhere"] + [429]
        own = [(await http.get("/", headers={"Sec-Fetch-Site": "none"})).status_code for _ in range(RATES["GET"] + 1)]
        assert own == [200] * RATES["GET"] + [429]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(("mode", "dest"), [("no-cors", "image"), ("navigate", "iframe"), ("cors", "empty")])
async def test_no_part_of_the_page_is_given_to_another_page_and_none_is_counted(
    site: str, mode: str, dest: str
) -> None:
    guard = Guard(PlainTextResponse("in"), LOOPBACK, clock=lambda: 100.0)
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=f"http://{HOST}") as http:
        for _ in range(RATES["GET"] + 1):
            assert (await http.get("/", headers=headers)).status_code == 403
        assert (await http.get("/")).status_code == 200


async def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append("lifespan")

    async def nothing(*_: object) -> dict[str, str]:
        return {}

    await Guard(app, LOOPBACK)({"type": "lifespan"}, nothing, nothing)  # pyright: ignore[reportArgumentType]
    assert seen == ["lifespan"]
