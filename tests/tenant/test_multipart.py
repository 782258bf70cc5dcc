"""Forms of files: the same bytes each time, read back by an independent reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tenant.making import ONE, Claims, Script, answer, wired

from molecule_mcp.embedded.multipart import parts
from molecule_mcp.tenant import Form, Permit, Tenant

UPLOAD = "POST /workspaces/{id}/chat/uploads"


@given(
    st.dictionaries(st.text('ab."\r\n\\ \u00e9', max_size=8), st.binary(max_size=40) | st.just(b"\r\n--"), max_size=4)
)
def test_what_goes_in_is_what_a_reader_finds(files: dict[str, bytes]) -> None:
    body, kind = Form("files", files).encoded()
    found = parts(kind, body)
    assert [part.content for part in found] == list(files.values())
    assert {part.name for part in found} <= {"files"}


def test_the_same_files_make_the_same_bytes_and_others_do_not() -> None:
    one, again, other = (Form("files", {"a": content}).encoded() for content in (b"x", b"x", b"y"))
    assert one == again
    assert one[1] != other[1]


def test_the_order_and_the_borders_of_files_count() -> None:
    forms = [Form("f", files) for files in ({"a": b"b", "c": b""}, {"c": b"", "a": b"b"}, {"a": b"bc", "": b""})]
    assert len({form.boundary for form in forms}) == 3


def test_a_boundary_stands_in_no_file() -> None:
    first = Form("files", {"a": b"x"}).boundary

    class Known(dict[str, bytes]):
        """Files whose first boundary was guessed: it is added after the digest was made of the rest."""

        def values(self):  # type: ignore[no-untyped-def]
            return [first.encode()]

    assert Form("files", Known({"a": b"x"})).boundary != first


@pytest.mark.parametrize("name", ['a"; filename="b', "a\r\nX-Header: 1"])
def test_a_name_ends_neither_its_quotes_nor_its_line(name: str) -> None:
    body, _ = Form("files", {name: b"x"}).encoded()
    head = body.split(b"\r\n\r\n")[0]
    assert head.count(b'"') == 4
    assert len(head.split(b"\r\n")) == 3


async def test_a_form_leaves_as_the_very_bytes_that_were_claimed() -> None:
    form = Form("files", {"a.txt": b"x\x00"})
    claims, script = Claims(), Script(answer({}))
    held = Tenant(wired(script), Permit(frozenset({UPLOAD}), claim=claims))
    await held.send("POST", UPLOAD[5:], dict[str, str], id=ONE, body=form)
    body, kind = form.encoded()
    (claimed,) = claims.requests
    assert (claimed.body, claimed.content_type) == (body, kind)
    assert script.bodies == [body]
    assert script.requests[0].headers["content-type"] == kind
    assert script.requests[0].headers["content-length"] == str(len(body))
