"""What a person can do on the page, and what nobody can."""

import asyncio
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from molecule_mcp.console import app
from molecule_mcp.errors import GateStop
from molecule_mcp.gate import grants
from molecule_mcp.secrets import Purpose, asked_by
from molecule_mcp.store import approver
from molecule_mcp.store.records import Grant
from tests.console import people
from tests.console.people import CHOICE, DELETE, PASSPHRASE, PURGE, browser

PLAN = "/plan/7F3K-92QD"
VALUE = "sesame-0123456789"


def granted(at: people.Desk) -> str | None:
    """The answer that was granted under the one code, with a signature that holds; None when none was."""
    stored = at.store.plan_by_code("7F3K-92QD")
    assert stored
    if stored.grant is None:
        return None
    key = approver.public(at.folder)
    assert key
    assert grants.verify(key.key, stored.plan, stored.grant)
    assert stored.grant.kind == "human"
    return stored.grant.answer


def state(at: people.Desk) -> str:
    """The state of the one plan."""
    stored = at.store.plan_by_code("7F3K-92QD")
    assert stored
    return stored.state


async def test_a_code_leads_to_the_plan_as_it_was_rendered(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        assert await person.go("/open?code=7f3k92qd") == 200
    for line in (*DELETE.lines[:3], '"Twig"', "allow: DELETE /workspaces/w0", "local", "7F3K-92QD"):
        assert line in person.text
    assert "<b>" not in person.page.text, "tenant text is never markup"


async def test_the_passphrase_signs_a_yes(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        await person.go(PLAN)
        assert await person.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 200
        assert "Allowed." in person.text
        assert "Your decision" not in person.text
    assert granted(at) == "allow"


async def test_a_no_needs_no_passphrase_and_is_final(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person, browser(at) as other:
        await person.go(PLAN)
        await other.go(PLAN)
        assert await person.send(PLAN, decision="refuse") == 200
        assert "Refused. Nothing will be sent." in person.text
        assert await other.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 200
        assert "Refused." in other.text
    assert (state(at), granted(at)) == ("refused", None)


async def test_two_yeses_at_once_are_one(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as first, browser(at) as second:
        await first.go(PLAN)
        await second.go(PLAN)
        sent = (each.send(PLAN, decision="allow", passphrase=PASSPHRASE) for each in (first, second))
        assert await asyncio.gather(*sent) == [200, 200]
        assert "Allowed." in first.text
        assert "Allowed." in second.text
    assert [record.kind for record in at.store.records()].count("granted") == 1


async def test_what_has_expired_takes_no_answer(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE, age=601)
    async with browser(at) as person:
        assert await person.go(PLAN) == 200
        assert "Expired." in person.text
        assert "<form" not in person.page.text
    assert granted(at) is None


async def test_what_was_used_up_says_so(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    plan = people.open_plan(at, DELETE)
    at.store.grant(plan.id, Grant("client_attested", "allow", plan.created))
    at.store.spend(plan.id, "run", plan.created)
    async with browser(at) as person:
        await person.go(PLAN)
    assert "Used up." in person.text


async def test_a_wrong_phrase_is_told_and_costs_no_try(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, PURGE)
    async with browser(at) as person:
        await person.go(PLAN)
        for wrong in ("", "leaf-acbb", " leaf-acba", "LEAF-ACBA"):
            assert await person.send(PLAN, decision="allow", phrase=wrong, passphrase="wrong too") == 422
            assert "That is not the phrase" in person.text
        assert granted(at) is None
        assert await person.send(PLAN, decision="allow", phrase="leaf-acba", passphrase=PASSPHRASE) == 200
    assert granted(at) == "allow"


async def test_five_wrong_passphrases_lock_even_the_right_one(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        await person.go(PLAN)
        for left in (4, 3, 2, 1, 0):
            assert await person.send(PLAN, decision="allow", passphrase="incorrect horse") == 403
            assert f"wrong. {left} tries are left." in person.text
        assert await person.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 429
        assert "Try again in 15 minutes" in person.text
    assert granted(at) is None


async def test_without_an_approver_the_page_says_how_to_set_one_up(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    (tmp_path / "approver.json").unlink()
    async with browser(at) as person:
        await person.go(PLAN)
        assert await person.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 409
    assert "molecule-mcp approver init" in person.text


@pytest.mark.parametrize("answer", ["approve", "deny"])
async def test_a_decision_is_the_answer_that_is_signed(tmp_path: Path, answer: str) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, CHOICE)
    async with browser(at) as person:
        await person.go(PLAN)
        assert "checked" not in person.page.text, "nothing is chosen beforehand"
        assert await person.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 422
        assert await person.send(PLAN, decision="allow", answer="leave", passphrase=PASSPHRASE) == 422
        assert "Choose an answer." in person.text
        assert await person.send(PLAN, decision="allow", answer=answer, passphrase=PASSPHRASE) == 200
    assert granted(at) == answer


async def test_a_decision_can_be_left(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, CHOICE)
    async with browser(at) as person:
        await person.go(PLAN)
        assert "Leave it undecided" in person.text
        await person.send(PLAN, decision="refuse")
    assert state(at) == "refused"


async def test_a_form_without_a_pressed_button_decides_nothing(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    async with browser(at) as person:
        await person.go(PLAN)
        assert await person.send(PLAN, passphrase=PASSPHRASE) == 422
        assert "Press one of the two buttons." in person.text
    assert state(at) == "open"


async def test_a_plan_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE, digest="0" * 64)
    changed = at.store.plan_by_code("7F3K-92QD")
    assert changed
    async with browser(at) as person:
        await person.go(PLAN)
        assert "Delete 1 workspace" in person.text
    at.store.open_plan(
        people.replace(changed.plan, id="2" * 32, tool="list_workspaces", created=changed.plan.created + 1)
    )
    async with browser(at) as person:
        assert await person.go(PLAN) == 409
    assert "changed after it was made" in person.text


async def test_a_yes_is_to_the_plan_that_the_page_showed(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    shown = people.open_plan(at, DELETE)
    async with browser(at) as person:
        await person.go(PLAN)
        other = people.replace(shown, id="2" * 32, tool="purge_everything", created=shown.created + 1)
        at.store.open_plan(people.replace(other, digest=grants.digest(other)))
        assert await person.send(PLAN, decision="allow", passphrase=people.PASSPHRASE) == 409
        assert "not what you were shown" in person.text
        assert state(at) == "open"
        assert await person.send(PLAN, decision="allow", passphrase=people.PASSPHRASE) == 200
    assert state(at) == "granted"


async def test_an_unknown_code_is_told_where_it_was_typed(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    async with browser(at) as person:
        assert await person.go("/open?code=<i>") == 404
        assert "Nothing waits under this code" in person.text
        assert "<i>" not in person.page.text
        assert await person.go("/plan/00000000") == 404
        assert await person.go("/secret/00000000") == 404


async def test_all_that_waits_is_shown_to_who_has_the_passphrase(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    at.outputs.ready()
    name = Path(at.outputs.write("org-token", "k1", VALUE)).name
    async with browser(at) as person:
        await person.go("/")
        assert await person.send("/waiting", passphrase="incorrect horse") == 403
        assert "7F3K" not in person.page.text.replace("7F3K-92QD.", "")
        assert await person.send("/waiting", passphrase=PASSPHRASE) == 200
    assert 'href="/plan/7F3K-92QD"' in person.page.text
    assert f'href="/minted/{name}"' in person.page.text
    assert VALUE not in person.page.text


async def test_nothing_that_waits_is_said(tmp_path: Path) -> None:
    async with browser(people.desk(tmp_path)) as person:
        await person.go("/")
        await person.send("/waiting", passphrase=PASSPHRASE)
    assert "No call waits for a person." in person.text
    assert "No key waits to be shown." in person.text


async def test_a_minted_value_is_shown_once_and_its_file_is_gone(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    at.outputs.ready()
    path = Path(at.outputs.write("org-token", "k1", VALUE))
    here = f"/minted/{path.name}"
    async with browser(at) as person:
        await person.go(here)
        assert await person.send(here, passphrase="incorrect horse") == 403
        assert at.outputs.minted() == [path.name]
        assert await person.send(here, passphrase=PASSPHRASE) == 200
        assert VALUE in person.text
        assert at.outputs.minted() == []
        await person.go(here)
        assert await person.send(here, passphrase=PASSPHRASE) == 404
        assert VALUE not in person.page.text


def asks(at: people.Desk, name: str = "BOT_TOKEN", principal: str = "local") -> str:
    """A call asks for a secret. Returns the code."""
    purpose = Purpose(lambda: "b1", "set_workspace_secret", principal, "default", "https://tenant.example")
    with asked_by(purpose), pytest.raises(GateStop) as stop:
        at.typed.value(name)
    return str(stop.value.details["code"])


def typed(at: people.Desk, name: str = "BOT_TOKEN") -> str:
    """What the call gets when it is repeated."""
    with asked_by(Purpose(lambda: "b1", "", "", "", "")):
        return at.typed.value(name)


async def test_a_typed_secret_reaches_the_call_and_no_page(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    code = asks(at)
    async with browser(at) as person:
        assert await person.go(f"/open?code={code.lower()}") == 200
        assert "BOT_TOKEN" in person.text
        assert "set_workspace_secret" in person.text
        assert await person.send(f"/secret/{code}", value="") == 422
        assert await person.send(f"/secret/{code}", value=f"{VALUE}\r\nline 2\r\n") == 200
        assert "Kept." in person.text
        assert "<form" not in person.page.text
        assert VALUE not in person.page.text
    assert typed(at) == f"{VALUE}\nline 2"


async def test_a_secret_is_typed_once(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    code = asks(at)
    async with browser(at) as first, browser(at) as second:
        await first.go(f"/secret/{code}")
        await second.go(f"/secret/{code}")
        await first.send(f"/secret/{code}", value=VALUE)
        assert await second.send(f"/secret/{code}", value="something else") == 200
        assert "Kept." in second.text
    assert typed(at) == VALUE


async def test_a_secret_can_be_declined_and_is_not_typed_after_that(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    code = asks(at)
    async with browser(at) as person:
        await person.go(f"/secret/{code}")
        assert await person.send(f"/secret/{code}", decision="decline", value=VALUE) == 200
        assert "Declined. Nothing is sent." in person.text
        assert "<form" not in person.page.text
    found = at.typed.wanted(code)
    assert found
    assert found[1] == "declined"
    assert asks(at) != code


async def test_a_secret_too_large_is_not_kept(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    code = asks(at)
    async with browser(at) as person:
        await person.go(f"/secret/{code}")
        assert await person.send(f"/secret/{code}", value="x" * 65537) == 422
    assert "x" * 100 not in person.page.text


async def test_what_is_typed_is_masked_from_then_on_and_nothing_else_that_was_sent(tmp_path: Path) -> None:
    """Who has a code must not have every answer's words masked."""
    at = people.desk(tmp_path, bearer=of_bearers)
    code = asks(at, principal="http:first")
    refused = ["workspace_id", "something", "nothing", "another-value", "x" * 65537]
    async with browser(at) as person, browser(at) as late:
        await person.go(f"/secret/{code}")
        await late.go(f"/secret/{code}")
        assert await person.send(f"/secret/{code}", value=refused[0]) == 403
        assert await person.send(f"/secret/{code}", value=refused[1], bearer="second") == 403
        assert await person.send(f"/secret/{code}", value=refused[4], bearer="first") == 422
        assert at.typed.wanted(code)
        assert await person.send(f"/secret/{code}", value=VALUE, bearer="first") == 200
        assert await late.send(f"/secret/{code}", value=refused[2], bearer="first") == 200
        assert refused[2] not in late.page.text
        await late.go(f"/secret/{code}")
    assert not kept(at, code, refused[3])
    assert [at.redactor.text(each) for each in [*refused, VALUE]] == [*refused, "[redacted:page:BOT_TOKEN]"]
    assert typed(at) == VALUE


def kept(at: people.Desk, code: str, value: str) -> bool:
    """Whether a value that came at the same time as another is learned."""
    found = at.typed.wanted(code)
    assert found
    app.kept(at, found[0], value)
    return at.redactor.text(value) != value


async def test_known_secrets_are_masked_on_every_page(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    at.redactor.learn(VALUE, "KEY")
    people.open_plan(at, people.replace(DELETE, lines=(DELETE.lines[0], f'Name: "{VALUE}"')))
    async with browser(at) as person:
        await person.go(PLAN)
    assert VALUE not in person.page.text
    assert "[redacted:KEY]" in person.text


def of_bearers(header: str) -> str | None:
    """Two bearers, each its own name."""
    return header.removeprefix("Bearer ") if header in {"Bearer first", "Bearer second"} else None


async def test_on_a_server_a_secret_is_taken_from_the_bearer_whose_call_asks(tmp_path: Path) -> None:
    at = people.desk(tmp_path, bearer=of_bearers)
    code = asks(at, principal="http:first")
    async with browser(at) as person:
        await person.go(f"/secret/{code}")
        assert await person.send(f"/secret/{code}", value=VALUE) == 403
        assert "That is no bearer" in person.text
        assert await person.send(f"/secret/{code}", value=VALUE, bearer="second") == 403
        assert "Another bearer's call" in person.text
        assert await person.send(f"/secret/{code}", value=VALUE, bearer="first") == 200
    assert typed(at) == VALUE


async def test_on_a_server_what_no_code_stands_behind_takes_a_bearer_before_the_passphrase(tmp_path: Path) -> None:
    at = people.desk(tmp_path, bearer=of_bearers)
    at.outputs.ready()
    path = Path(at.outputs.write("org-token", "k1", VALUE))
    async with browser(at) as person:
        await person.go("/")
        for _ in range(6):
            assert await person.send("/waiting", passphrase="incorrect horse") == 403
            assert "That is no bearer" in person.text
        assert await person.send("/waiting", passphrase=PASSPHRASE, bearer="second") == 200
        await person.go(f"/minted/{path.name}")
        assert await person.send(f"/minted/{path.name}", passphrase=PASSPHRASE) == 403
        assert await person.send(f"/minted/{path.name}", passphrase=PASSPHRASE, bearer="first") == 200
    assert VALUE in person.text


async def test_below_another_path_every_address_stays_below_it(tmp_path: Path) -> None:
    at = people.desk(tmp_path)
    people.open_plan(at, DELETE)
    mounted = Starlette(routes=[Mount("/page", app.application(at))])
    async with browser(at, mounted, "/page") as person:
        assert await person.go("/open?code=7F3K-92QD") == 200
        found = re.findall(r'(?:href|action)="([^"]*)"', person.page.text)
        assert found
        assert all(each.startswith("/page/") for each in found)
        assert await person.send(PLAN, decision="allow", passphrase=PASSPHRASE) == 200
        assert "path=/page" in str(person.http.cookies.jar).lower() or person.http.cookies.get(
            "molecule_page", path="/page"
        )
    assert granted(at) == "allow"


async def test_the_style_sheet_is_our_own(tmp_path: Path) -> None:
    async with browser(people.desk(tmp_path)) as person:
        assert await person.go("/page.css") == 200
    assert person.page.headers["content-type"].startswith("text/css")
    assert "http" not in person.page.text
