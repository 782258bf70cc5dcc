"""The part of YAML that the folders of templates are written in.

Block mappings and sequences, plain and quoted scalars, `|` and `>` texts, comments, and flow values as far as they
are JSON or a plain list. Everything else counts as broken, which the contract lets a template be.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#'"\[{&*|>@`-][^#]*?|-[^\s#:][^#]*?)\s*:(?:\s+(.*))?$""")
WHOLE = re.compile(r"[-+]?\d{1,18}", re.ASCII)
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
TEXT = re.compile(r"[|>][-+]?")


class BadYaml(ValueError):
    """The text is no YAML, or more of it than this reads."""


@dataclass(frozen=True)
class Line:
    """A line that says something: its indent and its text without a comment."""

    indent: int
    text: str
    number: int


def load(text: str) -> Any:
    """The value of a document.

    Raises:
        BadYaml: There is none.
    """
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as wrong:
            raise BadYaml("no flow value") from wrong
    reader = _Reader(text)
    value = reader.block(0) if reader.lines else None
    if reader.lines:
        raise BadYaml(f"line {reader.lines[0].number}")
    return value


class _Reader:
    """Reads line by line; `lines` is what is left."""

    def __init__(self, text: str) -> None:
        if "\t" in re.sub(r"\S.*", "", text):
            raise BadYaml("a tab in front")
        self.source = text.splitlines()
        found = ((number, _uncommented(raw)) for number, raw in enumerate(self.source))
        self.lines = [
            Line(len(raw) - len(raw.lstrip()), raw.strip(), number)
            for number, raw in found
            if raw.strip() not in {"", "---"}
        ]

    def block(self, least: int) -> Any:
        """The mapping, sequence or scalar that begins here, indented at least so far; None when nothing is."""
        if not self.lines or self.lines[0].indent < least:
            return None
        first = self.lines[0]
        if first.text == "-" or first.text.startswith("- "):
            return self.sequence(first.indent)
        if KEY.match(first.text):
            return self.mapping(first.indent)
        return self.scalar(self.lines.pop(0).text)

    def mapping(self, indent: int) -> dict[str, Any]:
        """Keys of one indent."""
        found: dict[str, Any] = {}
        while self.lines and self.lines[0].indent == indent and not self.lines[0].text.startswith("- "):
            line = self.lines.pop(0)
            parts = KEY.match(line.text)
            if not parts or (key := str(self.scalar(parts[1]))) in found:
                raise BadYaml(f"line {line.number}")
            rest = parts[2] or ""
            if TEXT.fullmatch(rest):
                found[key] = self.text(rest, indent, line.number)
            elif rest:
                found[key] = self.scalar(rest)
            else:
                # A sequence may stand at the indent of its key.
                same = bool(self.lines) and self.lines[0].indent == indent and self.lines[0].text.startswith("-")
                found[key] = self.block(indent if same else indent + 1)
        if self.lines and self.lines[0].indent > indent:
            raise BadYaml(f"line {self.lines[0].number}")
        return found

    def sequence(self, indent: int) -> list[Any]:
        """Entries of one indent."""
        found: list[Any] = []
        while self.lines and self.lines[0].indent == indent and re.match("-( |$)", self.lines[0].text):
            line = self.lines.pop(0)
            rest = line.text[1:].lstrip()
            if rest:
                inner = Line(indent + len(line.text) - len(rest), rest, line.number)
                self.lines.insert(0, inner)
            found.append(self.block(indent + 1))
        return found

    def text(self, style: str, indent: int, number: int) -> str:
        """A text of several lines, taken from the source as it stands."""
        lines: list[str] = []
        for raw in self.source[number + 1 :]:
            if raw.strip() and len(raw) - len(raw.lstrip()) <= indent:
                break
            lines.append(raw)
        last = number + len(lines)
        self.lines = [line for line in self.lines if line.number > last]
        margin = min((len(raw) - len(raw.lstrip()) for raw in lines if raw.strip()), default=0)
        joined = ("\n" if style[0] == "|" else " ").join(raw[margin:] for raw in lines).strip("\n ")
        return joined if style.endswith("-") or not joined else joined + "\n"

    def scalar(self, text: str) -> Any:
        """One value on one line."""
        if text.lower() in WORDS:
            return WORDS[text.lower()]
        if WHOLE.fullmatch(text):
            return int(text)
        if text[0] in '"{' or text in {"[]"}:
            return _json(text)
        if text[0] == "'" and text[-1] == "'" and len(text) > 1:
            return text[1:-1].replace("''", "'")
        if text[0] == "[" and text[-1] == "]":
            return [self.scalar(part.strip()) for part in text[1:-1].split(",")]
        if text[0] in "[]{},&*|>%@`'" or ": " in text or text.endswith(":"):
            raise BadYaml(text)
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise BadYaml(text) from wrong


def _uncommented(raw: str) -> str:
    """A line without its comment; a # inside quotes or a word is none."""
    quote = ""
    for place, each in enumerate(raw):
        if quote:
            quote = "" if each == quote and raw[place - 1] != "\\" else quote
        elif each in "\"'" and (place == 0 or raw[place - 1] in " [{,:'"):
            quote = each
        elif each == "#" and (place == 0 or raw[place - 1] == " "):
            return raw[:place].rstrip()
    return raw.rstrip()
