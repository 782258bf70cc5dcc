"""Text never becomes markup by accident."""

from hypothesis import given
from hypothesis import strategies as st

from molecule_mcp.console.html import Html, document, joined, tag


def test_an_element_has_its_attributes_and_children() -> None:
    made = tag("label", "A & B", tag("br"), for_="x", aria_label='"q"', hidden=True, autofocus=False)
    assert made == '<label for="x" aria-label="&quot;q&quot;" hidden>A &amp; B<br></label>'


@given(st.text())
def test_text_stays_text(text: str) -> None:
    inside = tag("p", text, title=text).removeprefix('<p title="').removesuffix("</p>")
    assert not set("<\"'") & set(inside.replace('">', "", 1))


def test_markup_is_joined_as_it_is() -> None:
    assert joined(Html("<b>"), "<b>") == "<b>&lt;b&gt;"


def test_a_document_has_a_language_a_title_and_one_main() -> None:
    page = document("Title", "/page.css", tag("h1", "Title"))
    assert page.startswith('<!doctype html><html lang="en">')
    assert page.count("<main") == page.count("<title>") == 1
