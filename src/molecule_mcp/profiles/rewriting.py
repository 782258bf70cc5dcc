"""New workspace ids in a policy file's text, with everything else in it, comments too, left as it stands.

The text is changed by its form, and then read again: unless exactly the one list has changed, nothing is written.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from molecule_mcp.capability import quoted
from molecule_mcp.errors import ConfigurationError

_HEADER = r"^[ \t]*\[[ \t]*profile[ \t]*\.[ \t]*(?P<quote>[\"']?){name}(?P=quote)[ \t]*\][ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)"
_NEXT = re.compile(r"^[ \t]*\[", re.MULTILINE)
_LIST = re.compile(r"^[ \t]*workspaces[ \t]*=[ \t]*\[(?:[^\]\"'#]|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*)*\]", re.MULTILINE)


def with_workspaces(data: bytes, name: str, workspaces: Mapping[str, str]) -> bytes:
    """A policy file whose profile of that name is bound to exactly these workspaces.

    Args:
        data: A file that `forms.document` takes.
        workspaces: Ids with the names that stand beside them as comments, in order.
    Raises: ConfigurationError when the file is written in a form that this cannot change.
    """
    text = data.decode()
    header = re.search(_HEADER.format(name=re.escape(name)), text, re.MULTILINE)
    if header is not None:
        start = header.end()
        following = _NEXT.search(text, start)
        section = text[start : following.start() if following else len(text)]
        listed = written(workspaces, "\r\n" if "\r\n" in text else "\n")
        old = _LIST.search(section)
        before, after = (section[: old.start()], section[old.end() :]) if old else ("", listed[1] + section)
        changed = text[:start] + before + listed[0] + after + text[start + len(section) :]
        if only_change(text, changed, name, list(workspaces)):
            return changed.encode()
    raise ConfigurationError(
        f"Profile {name!r} is written in a form that cannot be changed without touching the rest.",
        advice=f"Write it as a table of its own, [profile.{name}], or set its `workspaces` by hand.",
    )


def written(workspaces: Mapping[str, str], end: str) -> tuple[str, str]:
    """The list as TOML, and the line's end."""
    rows = [f'  "{identifier}", # {quoted(name)}' for identifier, name in workspaces.items()]
    return end.join(["workspaces = [", *rows, "]"]), end


def only_change(before: str, after: str, name: str, ids: list[str]) -> bool:
    """Whether two texts say the same but for one profile's workspaces."""
    try:
        wanted: dict[str, Any] = tomllib.loads(before)
        wanted["profile"][name]["workspaces"] = ids
        return tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        return False
