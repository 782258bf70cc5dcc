"""Redaction: nothing of a learned value survives, and nothing else changes."""

import base64
import html
import json
import logging
import re
from collections.abc import Callable
from threading import Thread
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from molecule_mcp.redaction import DEEPEST, Redactor, holds_unseen

KEY = "k3yOf-the_0rganization"
NAME = "MOLECULE_ORG_TOKEN"
MARKER = f"[redacted:{NAME}]"

values = st.text(min_size=6, max_size=40).filter(lambda value: len(set(value)) > 2)
around = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def redactor(*known: str) -> Redactor:
    made = Redactor()
    for value in known or (KEY,):
        made.learn(value, NAME)
    return made


def lower_hex(text: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), text)


CHARACTERWISE: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json without ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "json thrice": lambda text: json.dumps(json.dumps(json.dumps(text)[1:-1])[1:-1])[1:-1],
    "json as scripts want it": lambda text: json.dumps(text)[1:-1].replace("/", "\\/").replace("<", "\\u003C"),
    "url": lambda text: quote(text, safe=""),
    "url with slashes": quote,
    "url form": quote_plus,
    "url in lower case": lambda text: lower_hex(quote(text, safe="")),
    "url in url": lambda text: quote(quote(text, safe=""), safe=""),
    "url in json": lambda text: json.dumps(quote(text))[1:-1],
    "html": html.escape,
    "html in html": lambda text: html.escape(html.escape(text)),
    "html in json": lambda text: json.dumps(html.escape(text))[1:-1],
    "python": lambda text: repr(text)[1:-1],
    "python bytes": lambda text: repr(text.encode())[2:-1] if text.isascii() else text,
    "hex": lambda text: text.encode().hex(),
    "hex in upper case": lambda text: text.encode().hex().upper(),
}


@pytest.mark.parametrize("written", CHARACTERWISE.values(), ids=CHARACTERWISE)
@settings(deadline=None)
@given(value=values, before=around, after=around)
@example(value='"quo/ted\\"', before="\\", after="\\")
@example(value="\\\\\\\\\\\\", before="", after="x")
@example(value="line\nline\t\u00e9\U0001f600", before="", after="")
def test_a_value_is_masked_however_it_is_written(
    written: Callable[[str], str], value: str, before: str, after: str
) -> None:
    assume(not any(0xD800 <= ord(each) < 0xE000 for each in value))
    text = written(before) + written(value) + written(after)
    masked = redactor(value).text(text)
    assert written(value) not in masked
    assert value not in masked
    assert redactor(value).text(masked) == masked


@settings(deadline=None)
@given(
    value=values, before=st.binary(max_size=20), after=st.binary(max_size=20), padded=st.booleans(), url=st.booleans()
)
def test_no_byte_of_a_value_is_left_in_base64_of_a_text_around_it(
    value: str, before: bytes, after: bytes, padded: bool, url: bool
) -> None:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    data = value.encode("utf-8", "surrogatepass")
    coded = encode(before + data + after).decode()
    coded = coded if padded else coded.rstrip("=")
    masked = redactor(value).text(coded)
    assert "[" in masked
    left, _, right = masked.partition(masked[masked.index("[") : masked.index("]") + 1])
    # Whole characters hold six bits: what is left on either side is made of the neighbours only.
    assert len(left) == len(before) * 8 // 6
    assert len(right.rstrip("=")) == len(coded.rstrip("=")) - -(-(len(before) + len(data)) * 8 // 6)


@pytest.mark.parametrize("written", [CHARACTERWISE["url"], CHARACTERWISE["json"], str])
def test_base64_is_found_inside_url_and_json(written: Callable[[str], str]) -> None:
    value = "\u00fb\u00ff\u00be\u00ff\u00fe>>>???"
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + value.encode()).decode()
        assert MARKER in redactor(value).text(written(coded).replace("/", "\\/"))


@settings(deadline=None)
@given(value=values, text=st.text(max_size=200))
def test_a_text_without_the_value_stays_the_same_object(value: str, text: str) -> None:
    assume(redactor(value).text(text) == text)
    assert redactor(value).text(text) is text


@settings(deadline=None)
@given(text=st.text(st.sampled_from("abcdef0123456789+/-_%\\ux\"'&; "), max_size=300))
def test_a_text_that_only_looks_like_an_encoding_is_unchanged(text: str) -> None:
    assert redactor(KEY).text(text) is text


@settings(deadline=None)
@given(
    known=st.lists(st.text("ab-", min_size=6, max_size=12), min_size=2, max_size=4), text=st.text("ab-", max_size=60)
)
def test_values_that_overlap_are_all_masked(known: list[str], text: str) -> None:
    masked = redactor(*known).text(text)
    assert not any(value in masked for value in known)


def test_the_marker_names_the_value_and_leaves_the_rest() -> None:
    assert redactor().text(f"Bearer {KEY}, twice {KEY}{KEY}.") == f"Bearer {MARKER}, twice {MARKER}{MARKER}."


def test_a_longer_value_covers_a_shorter_one_inside_it() -> None:
    made = Redactor()
    made.learn("inside", "SHORT")
    made.learn("inside-and-more", "LONG")
    assert made.text("x inside-and-more inside") == "x [redacted:LONG] [redacted:SHORT]"


def test_of_a_value_that_overlaps_itself_no_part_is_left() -> None:
    assert redactor("ab-ab-ab").text("<ab-ab-ab-ab>") == f"<{MARKER}>"


def test_of_two_names_for_one_value_the_first_stays() -> None:
    made = redactor()
    made.learn(KEY, "OTHER")
    assert made.text(KEY) == MARKER


def test_a_name_cannot_inject_text_and_a_marker_cannot_hold_its_value() -> None:
    made = Redactor()
    made.learn("s3cret-value", "evil\n]name")
    made.learn("redacted", NAME)
    assert made.text("s3cret-value") == "[redacted:evil??name]"
    assert made.text(made.text("redacted")) == "[***]"


def test_values_under_six_bytes_are_not_learned() -> None:
    made = redactor("abcde", "\u00e9\u00e9\u00e9")
    assert made.text("abcde \u00e9\u00e9\u00e9") == "abcde [redacted:MOLECULE_ORG_TOKEN]"


def test_lone_surrogates_in_a_value_are_masked_too() -> None:
    assert redactor("abc\udc80def").text("x abc\udc80def") == f"x {MARKER}"


def test_data_is_masked_at_every_depth_with_its_keys_and_numbers() -> None:
    made = redactor(KEY, "123456")
    data = {"a": [KEY, {f"x{KEY}": (1, None, True, f"{KEY}.")}], "pin": 123456, "near": 0.123456, "n": 12.5}
    assert made.data(data) == {
        "a": [MARKER, {f"x{MARKER}": (1, None, True, f"{MARKER}.")}],
        "pin": MARKER,
        "near": f"0.{MARKER}",
        "n": 12.5,
    }


@pytest.mark.parametrize("name", ["workspace_id", "workspace", "status", "message"])
def test_a_value_that_is_a_name_of_ours_masks_values_and_no_name(name: str) -> None:
    made = redactor(name, KEY)
    marker = "[***]" if name in MARKER else MARKER
    data = {"workspace_id": name, "status": f"a {name}", "message": [KEY], KEY: {"workspaces": 1}}
    told = {"workspace_id": marker, "status": f"a {marker}", "message": [MARKER], MARKER: {"workspaces": 1}}
    assert made.data(data) == told
    assert json.loads(made.body(json.dumps(data).encode())) == told
    assert made.text(name) == marker


def test_a_key_of_the_tenants_is_masked_also_where_it_is_a_word() -> None:
    made = redactor("correcthorse")
    assert made.data({"correcthorse": 1}) == {MARKER: 1}
    assert json.loads(made.body(b'{"correcthorse": 1}')) == {MARKER: 1}


def test_keys_that_become_equal_stay_apart() -> None:
    made = redactor("first-value", "other-value")
    assert made.data({"first-value": 1, "other-value": 2, 3: 4}) == {MARKER: 1, f"{MARKER}'": 2, 3: 4}


def test_data_of_other_kinds_and_data_before_any_value_stay_the_same_objects() -> None:
    thing, data = object(), {"a": [KEY]}
    assert redactor().data(thing) is thing
    assert Redactor().data(data) is data


def test_what_lies_deeper_than_anyone_nests_is_cut_not_shown() -> None:
    data: Any = KEY
    for _ in range(DEEPEST + 1):
        data = [data]
    assert KEY not in str(redactor().data(data))
    assert "[cut: too deep]" in str(redactor().data(data))


def test_learning_in_many_threads_loses_no_value() -> None:
    made = Redactor()
    known = [f"value-{number:04}-value" for number in range(64)]
    threads = [Thread(target=made.learn, args=(value, NAME)) for value in known]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.text(" ".join(known)) == " ".join([MARKER] * len(known))


def test_a_hostile_text_is_masked_in_time_that_grows_with_its_length() -> None:
    """Several quantifiers over one run of backslashes or percent signs would take for ever."""
    made = redactor('\\"\\\\"\\\\\\"\\\\\\\\%%%%%%%%', "&&&&&&&&&&<<<<<<<<", "aaaaaaaaaaaaab")
    for piece in ("\\", "%25", "%", "&amp;", "&", "a", '\\"'):
        assert made.text(piece * 20_000) == piece * 20_000


class Lines(logging.Handler):
    """Keeps what a handler with a plain formatter would write."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s %(shown)s", defaults={"shown": ""}))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> tuple[logging.Logger, Lines]:
    """A logger of this test's own, with a redacting handler."""
    logger = logging.Logger("own")
    handler = Lines()
    handler.addFilter(redactor(KEY, "123456").logging_filter())
    logger.addHandler(handler)
    return logger, handler


class Shown:
    """An object whose text holds the key."""

    def __str__(self) -> str:
        return f"<{KEY}>"


class Broken:
    """An object that has no text."""

    def __str__(self) -> str:
        raise RuntimeError(KEY)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (f"plain {KEY}", ()),
        ("argument %s", (KEY,)),
        ("quoted %r", ({"a": [KEY]},)),
        ("named %(key)s", ({"key": KEY},)),
        ("object %s", (Shown(),)),
        (Shown(), ()),
        ("split k3yOf-the_%s", ("0rganization",)),
        ("number %s", (KEY, KEY)),
        ("broken %s", (Broken(),)),
    ],
)
def test_a_record_is_masked_however_the_value_came_in(
    log: tuple[logging.Logger, Lines], message: object, arguments: tuple[object, ...]
) -> None:
    logger, handler = log
    logger.warning(message, *arguments)
    (line,) = handler.lines
    assert KEY not in line
    assert "redacted" in line or "cannot be written" in line


def test_tracebacks_stacks_and_extras_are_masked(log: tuple[logging.Logger, Lines]) -> None:
    logger, handler = log
    try:
        raise ValueError(f"with {KEY}") from RuntimeError(KEY)
    except ValueError:
        logger.exception("failed", stack_info=True, extra={"shown": [KEY]})
    (line,) = handler.lines
    assert KEY not in line
    assert line.count(MARKER) == 3
    assert "Traceback" in line


def test_a_traceback_that_another_handler_wrote_first_is_masked(log: tuple[logging.Logger, Lines]) -> None:
    logger, handler = log
    logger.handlers.insert(0, Lines())
    try:
        raise ValueError(KEY)
    except ValueError:
        logger.exception("failed")
    assert KEY not in handler.lines[0]


def test_no_later_formatter_can_write_the_traceback_again() -> None:
    error = ValueError(KEY)
    record = logging.LogRecord("own", logging.ERROR, __file__, 1, "failed", None, (ValueError, error, None))
    redactor().logging_filter().filter(record)
    assert record.exc_info is None
    assert record.exc_text == f"ValueError: {MARKER}"


def test_a_record_without_a_value_passes_unchanged_with_its_arguments() -> None:
    record = logging.LogRecord("own", logging.INFO, __file__, 123456, "%s of %d", ("done", 7), None)
    assert redactor(KEY, "123456").logging_filter().filter(record)
    assert (record.msg, record.args, record.lineno) == ("%s of %d", ("done", 7), 123456)


def test_a_message_that_is_json_stays_json() -> None:
    told = redactor(KEY, "1234567").body(f'{{"a":[1234567,2],"b":"x {KEY}"}}'.encode())
    assert json.loads(told) == {"a": [MARKER, 2], "b": f"x {MARKER}"}


def test_a_message_that_is_none_is_masked_as_it_is() -> None:
    assert redactor().body(b"\xff" + KEY.encode() + b"{") == b"\xff" + MARKER.encode() + b"{"


def test_a_message_without_a_value_is_the_same_object() -> None:
    data = b'{"a": 1}'
    assert redactor().body(data) is data


@pytest.mark.parametrize("written", ["one\n two", "one two", "one\\n two", "one%0A+two", "one+two", "one%20two"])
def test_a_value_of_several_lines_is_found_on_one_line_too(written: str) -> None:
    assert redactor("line one\n two").text(f"line {written}") == MARKER


@pytest.mark.parametrize("split", ["\u200b", "\u202e", "\x1b", "\ufe0f"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_value_with_unseen_characters_inside_is_masked_in_a_message(split: str, ascii_only: bool) -> None:
    value = {"a": [f"x {KEY[:9]}{split}{KEY[9:]} y"], KEY: 1}
    told = redactor().body(json.dumps(value, ensure_ascii=ascii_only).encode())
    assert json.loads(told) == {"a": [f"x {MARKER} y"], MARKER: 1}


def test_a_message_in_other_letters_stays_the_same_object_and_unseen_characters_stay_in_it() -> None:
    data = json.dumps({"a": "Z\u00fcrich \u200b\U0001f600"}, ensure_ascii=False).encode()
    assert redactor().body(data) is data
    told = redactor().body(json.dumps({"a": f"\u200b{KEY}"}).encode())
    assert json.loads(told) == {"a": f"\u200b{MARKER}"}
    assert redactor().body("\u200b{".encode()) == "\u200b{".encode()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('plain \\n \\t \\" text', False),
        ("Zürich 東京 \n", False),
        ("\\u00fc\\u6771", False),
        ("a\\rb", True),
        ("a\\u200Bb", True),
        ("Zürich\u200b", True),
        ("\\ud83d\\ude00", True),
        ("a\r\n", False),
    ],
)
def test_a_message_is_taken_apart_only_where_it_holds_what_nobody_sees(text: str, holds: bool) -> None:
    assert holds_unseen(text) is holds
