"""HTML without a template language: whatever is no `Html` already is escaped, so no text becomes markup by accident."""

from html import escape
from typing import LiteralString

VOID = frozenset({"br", "input", "link", "meta"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: LiteralString, /, *children: str, **attributes: str | bool) -> Html:
    """One element.

    Args:
        children: `Html` as it is, any other text escaped.
        attributes: By name, "_" for "-" and a last "_" for nothing ("class_", "aria_label"); True: without a value;
            False: left out.
    """
    written = "".join(_attribute(key.removesuffix("_").replace("_", "-"), given) for key, given in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Html:
    """Several pieces as one."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def _attribute(name: str, given: str | bool) -> str:
    if isinstance(given, bool):
        return f" {name}" if given else ""
    return f' {name}="{escape(given)}"'


def document(title: str, style: str, main: Html) -> Html:
    """A whole page.

    Args:
        style: Address of the style sheet.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} - molecule-mcp"),
        tag("link", rel="stylesheet", href=style),
    )
    body = tag(
        "body",
        tag("header", tag("p", "molecule-mcp", class_="brand")),
        tag("main", main, id="main"),
        tag("footer", tag("p", "Served by the program on this machine. Nothing here comes from anywhere else.")),
    )
    return Html("<!doctype html>" + tag("html", head, body, lang="en"))
