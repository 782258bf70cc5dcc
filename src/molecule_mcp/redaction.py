"""Mask every secret value this process holds, in every text that leaves it.

A value learned once is found raw, and as JSON, Python, URL, HTML, hex and base64 write it, nested escapes
included; each becomes `[redacted:NAME]`. Values under `SHORTEST` bytes are not learned: they would turn up by
chance. Not found: a value split up, compressed, encrypted, in another case or alphabet, or base64 broken over
lines; one with characters inside that nobody sees is found only in a message; in a key, one that is part of the name
of a field of ours (`names.txt`), since an answer without its names says nothing. A text without any value comes back as
the same object, after one plain search per known form.
"""

import base64
import json
import logging
import re
import string
import threading
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import groupby
from typing import Any, cast

from molecule_mcp.cleaning import clean, clean_data

SHORTEST = 6
"""Bytes (UTF-8) of the shortest value that is learned."""
DEEPEST = 100
"""Levels of a structure that are looked into; what lies deeper is cut away."""

_PLAIN = frozenset(string.ascii_letters + string.digits)
_BASE64 = _PLAIN | frozenset("+/-_")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[bfr])")
_SHORT_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
# Escapes nest: a backslash of JSON inside JSON is doubled, a percent sign of a URL inside a URL is %25.
_BACKSLASH, _PERCENT, _AMPERSAND = r"\\{1,8}", "%(?:25){0,2}", "&(?:amp;){0,2}"


class Redactor:
    """The values to mask. Learning and masking may happen in several threads at once."""

    def __init__(self) -> None:
        self._forms: tuple[_Form, ...] = ()
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, value: str, name: str) -> None:
        """Mask this value from now on, as `[redacted:NAME]`; of two names for one value the first stays."""
        if len(_bytes(value)) < SHORTEST:
            return
        with self._lock:
            if value not in self._known:
                self._known.add(value)
                self._forms += tuple(_forms(value, name))

    def text(self, text: str) -> str:
        """The text without any known value; the same object when it holds none."""
        return _searched(text, self._forms)

    def data(self, data: Any) -> Any:
        """A copy of JSON-able data with every string, key and number masked; other objects stay as they are.

        A value that is part of a field's name of ours masks no key: whoever had it learned would take answers apart.
        """
        return self._data(data, DEEPEST) if self._forms else data

    def body(self, data: bytes) -> bytes:
        """A message as it came over the wire, masked; JSON stays JSON. The same object when it holds no value."""
        text = data.decode("utf-8", "surrogateescape")
        masked = self.text(text)
        if masked is text and not (self._forms and holds_unseen(text)):
            return data
        try:
            read = self.data(json.loads(text))
        except (ValueError, RecursionError):
            return data if masked is text else masked.encode("utf-8", "surrogateescape")
        seen = clean_data(read)
        told = self.data(seen)
        if told == seen:  # no value had invisible characters between its own, which cleaning would put together
            if masked is text:
                return data
            told = read
        # A marker in the place of a bare number would be no JSON.
        return self._apart(json.dumps(told)).encode()

    def logging_filter(self) -> logging.Filter:
        """A filter that masks whole records; put it on every handler, since a logger's is not inherited."""
        return _RecordFilter(self)

    def _apart(self, text: str) -> str:
        """A key, or a message whose data is masked, apart from values that are names of our fields as well."""
        return _searched(text, (form for form in self._forms if not form.named))

    def _data(self, data: Any, depth: int) -> Any:
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict | list | tuple):
            return self._container(cast("_Container", data), depth - 1) if depth else "[cut: too deep]"
        if isinstance(data, int | float):
            written = str(data)
            masked = self.text(written)
            return data if masked is written else masked
        return data

    def _container(self, data: "_Container", depth: int) -> Any:
        if isinstance(data, list):
            return [self._data(each, depth) for each in data]
        if isinstance(data, tuple):
            return tuple(self._data(each, depth) for each in data)
        masked: dict[Any, Any] = {}
        for key, value in data.items():
            name = self._apart(key) if isinstance(key, str) else key
            while name in masked:
                name = f"{name}'"
            masked[name] = self._data(value, depth)
        return masked


def holds_unseen(text: str) -> bool:
    """Whether a character that cleaning takes out stands in a message, raw or escaped as JSON does it.

    Only the characters that occur are looked at, each once: messages are long.
    """
    escapes: set[str] = set(_ESCAPE.findall(text)) if "\\" in text else set()
    written: set[str] = set() if text.isascii() else set(text)
    return "" in escapes or any(clean(each) != each for each in written | {chr(int(each, 16)) for each in escapes})


_Container = dict[Any, Any] | list[Any] | tuple[Any, ...]


@dataclass(frozen=True)
class _Form:
    """One way to write a value.

    Args:
        probe: A text without which `source` cannot match; looked for first, since that is fast.
        source: The regular expression; compiled at the first hit of the probe.
        named: Whether it is, or is part of, the name of a field of ours.
        before, after: Base64 characters (0 or 1) at that end that also hold bits of a neighbouring byte.
    """

    marker: str
    probe: str
    source: str
    before: int = 0
    after: int = 0
    named: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.source)

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and marker of every place where the value stands, overlaps included."""
        found = self.pattern.search(text)
        while found:
            start, end = found.span()
            before = self.before and text[start - 1 : start] in _BASE64
            after = self.after and text[end : end + 1] in _BASE64
            yield start - before, end + after, self.marker
            found = self.pattern.search(text, start + 1)


@cache
def _names() -> str:
    """The names of our fields, one a line."""
    return files("molecule_mcp").joinpath("names.txt").read_text(encoding="utf-8")


def _searched(text: str, forms: Iterable[_Form]) -> str:
    spans = [span for form in forms if form.probe in text for span in form.spans(text)]
    return _masked(text, spans) if spans else text


def _masked(text: str, spans: list[tuple[int, int, str]]) -> str:
    """The text with its marker for each span; of spans that overlap, the first's for all."""
    parts: list[str] = []
    done = 0
    for start, end, marker in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            parts += [text[done:start], marker]
        done = max(done, end)
    return "".join([*parts, text[done:]])


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _forms(value: str, name: str) -> list[_Form]:
    marker = f"[redacted:{re.sub(r'[^A-Za-z0-9._:/@-]', '?', name)}]"
    raw, data = _written(value), _bytes(value)
    if re.search(raw, marker):
        marker = "[***]"
    forms = [_Form(marker, _probe(value), raw, named=value.isprintable() and value in _names())]
    forms += [_Form(marker, digits, digits) for digits in (data.hex(), data.hex().upper())]
    for shift in range(3):
        bits = 8 * (shift + len(data))
        first, last = -(-8 * shift // 6), bits // 6
        core = base64.b64encode(bytes(shift) + data).decode()[first:last]
        forms.append(_Form(marker, _probe(core), _written_base64(core), int(shift > 0), int(bits % 6 > 0)))
    return forms


def _probe(text: str) -> str:
    """The longest run of characters that no encoding changes."""
    runs = ("".join(run) for plain, run in groupby(text, _PLAIN.__contains__) if plain)
    return max(runs, key=len, default="")


def _written(value: str) -> str:
    """An expression for a text in every encoding that works character by character."""
    parts = (_blank("".join(run)) if blank else _letters("".join(run)) for blank, run in groupby(value, str.isspace))
    return "".join(parts)


def _letters(text: str) -> str:
    return "".join(_run(each, len(list(run))) for each, run in groupby(text))


def _blank(text: str) -> str:
    """The same for white space, of which cleaning leaves a single blank."""
    return f"(?:{_letters(text)}|{_run(' ', 1)})"


def _written_base64(core: str) -> str:
    """The same for base64, whose two alphabets differ in two characters."""
    other = {"+": "-", "/": "_"}
    return "".join(f"(?:{other[each]}|{_run(each, 1)})" if each in other else each for each in core)


def _run(character: str, count: int) -> str:
    """An expression for a character that comes `count` times in a row."""
    if character in _PLAIN:
        return character * count
    ways = "|".join(_ways(character))
    if character == "\\":
        # One run of backslashes, however often they are doubled: several quantifiers in a row would go wild.
        return rf"(?:\\{{{count},{8 * count}}}|(?:{ways}){{{count}}})"
    return rf"(?:{ways}){{{count}}}"


def _ways(character: str) -> list[str]:
    code = ord(character)
    data = character.encode("utf-16-be", "surrogatepass")
    units = [data[index : index + 2].hex() for index in range(0, len(data), 2)]
    ways = [
        re.escape(character),
        "".join(_PERCENT + _digits(f"{byte:02x}") for byte in _bytes(character)),
        "".join(_BACKSLASH + "u" + _digits(unit) for unit in units),
        f"{_AMPERSAND}#(?:0*{code}|[xX]0*{_digits(f'{code:x}')});",
        f"{_BACKSLASH}U{_digits(f'{code:08x}')}",
    ]
    ways += [f"{_BACKSLASH}x{_digits(f'{code:02x}')}"] if code < 256 else []
    ways += [_BACKSLASH + _SHORT_ESCAPES[character]] if character in _SHORT_ESCAPES else []
    ways += [f"{_AMPERSAND}{_ENTITIES[character]};"] if character in _ENTITIES else []
    ways += [_BACKSLASH + character] if character in "\"'/" else []
    ways += [r"\+"] if character == " " else []
    return ways


def _digits(digits: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else each for each in digits)


class _RecordFilter(logging.Filter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask message, arguments, traceback and extras in place; every record passes."""
        if record.exc_info:
            # A formatter would write the traceback itself, after this filter.
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            record.exc_info = None
        for name, value in list(vars(record).items()):
            if not isinstance(value, int | float):
                setattr(record, name, self._redactor.data(value))
        message = self._message(record)
        masked = self._redactor.text(message)
        if masked is not message:
            record.msg, record.args = masked, None
        return True

    def _message(self, record: logging.LogRecord) -> str:
        try:
            return record.getMessage()
        except Exception as broken:  # noqa: BLE001 - whatever an argument's __str__ raises stays in the log
            record.msg, record.args = f"a log message that cannot be written ({type(broken).__name__})", None
            return record.getMessage()
