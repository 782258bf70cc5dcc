"""A page says what is wrong where it is wrong, and what waits as the program rendered it."""

import re
import time
from dataclasses import replace

from molecule_mcp.console import pages
from molecule_mcp.console.pages import Frame
from molecule_mcp.secrets.typed import Wanted
from molecule_mcp.store.records import StoredPlan
from tests.console.people import CHOICE, DELETE, PURGE
from tests.store import making

FRAME = Frame("", "t" * 64)
ALL = (DELETE, PURGE, CHOICE)


def every() -> dict[str, str]:
    """Every view, with and without errors."""
    wrong = replace(FRAME, bearer=True, errors=dict.fromkeys(("phrase", "passphrase", "value", "answer"), "Wrong."))
    wanted = Wanted("7F3K-92QD", "BOT", "b", "create_channel", "local", "default", "https://t.example", 0.0)
    found: dict[str, str] = {}
    for name, frame in {"": FRAME, "wrong": wrong}.items():
        found |= {
            f"front {name}": pages.front(frame),
            f"waiting {name}": pages.waiting(frame, [StoredPlan(making.plan(), "open")], ["org-token-1"]),
            f"secret {name}": pages.secret(frame, wanted, "open"),
            f"filled {name}": pages.secret(frame, wanted, "filled"),
            f"minted {name}": pages.minted(frame, "org-token-1"),
            f"shown {name}": pages.shown(frame, "org-token-1", "value"),
            f"nothing {name}": pages.nothing(frame, "Gone."),
        }
        for number, question in enumerate(ALL):
            stored = StoredPlan(making.plan(question=question), "open")
            for state in ("open", *pages.ENDED):
                found[f"plan {number} {state} {name}"] = pages.plan(frame, stored, state)
    return found


def test_every_view_has_one_first_heading_and_a_label_for_every_field() -> None:
    for name, page in every().items():
        assert page.count("<h1>") == 1, name
        fields = re.findall(r'<(?:input|textarea)(?![^>]*type="hidden")[^>]* id="([\w-]+)"', page)
        assert all(f'<label for="{field}">' in page for field in fields), name
        identifiers = re.findall(r' id="([\w-]+)"', page)
        assert len(identifiers) == len(set(identifiers)), name
        for described in re.findall(r'aria-describedby="([^"]*)"', page):
            assert all(f'id="{each}"' in page for each in described.split()), name
        assert page.count(" autofocus") <= 1, name


def test_an_error_stands_at_its_field_in_the_title_and_has_the_focus() -> None:
    stored = StoredPlan(making.plan(question=PURGE), "open")
    page = pages.plan(replace(FRAME, errors={"passphrase": "It is wrong."}), stored, "open")
    assert "<title>Error: Purge 1 workspace" in page
    field = re.search(r'<input id="passphrase"[^>]*>', page)
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert "autofocus" in field[0]
    assert 'aria-describedby="passphrase-error"' in field[0]
    assert "Error: It is wrong." in page


def test_lists_of_a_question_stand_below_their_label() -> None:
    assert pages.facts(("  - first", "Below: 2", "  - a", "  - b", "Last: c")) == (
        '<ul class="facts"><li>  - first</li><li>Below: 2<ul><li>a</li><li>b</li></ul></li><li>Last: c</li></ul>'
    )


def test_a_time_is_that_of_this_machine() -> None:
    shown = pages.moment(0.0)
    assert time.strftime("%H:%M:%S", time.localtime(0.0)) in shown
    assert "1970-01-01T" in shown or "1969-12-31T" in shown
