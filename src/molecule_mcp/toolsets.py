"""Which tools are offered: toolsets by name, single tools on top, and what is taken away. Pure data.

Every family is a toolset; `default` is the short list that most days need, `all` is everything. What is not offered
is neither listed nor called. This keeps a model's context small; rights are the profile's business.
"""

import difflib
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, cast

from molecule_mcp.errors import ArgumentError, ConfigurationError
from molecule_mcp.prepared import Entry, omitted
from molecule_mcp.settings import Selection

ALL, SHORT = "all", "default"


TOOLS = "`molecule-mcp tools --toolsets all` lists them."

DEFAULT = frozenset(
    {
        "create_schedule",
        "create_workspace",
        "decide_approval",
        "delete_workspace",
        "delete_workspace_secret",
        "diagnose_workspace",
        "find_broken_schedules",
        "find_idle_workspaces",
        "find_key_holders",
        "find_secret",
        "find_workspace",
        "get_impact",
        "get_overview",
        "get_spend",
        "get_workspace",
        "list_channels",
        "list_org_tokens",
        "list_pending_approvals",
        "list_schedules",
        "list_workspace_secrets",
        "list_workspaces",
        "pause_workspace",
        "restart_workspace",
        "resume_workspace",
        "run_plan",
        "run_schedule",
        "send_channel_message",
        "send_message",
        "set_workspace_secret",
        "update_workspace",
    }
)
"""The tools of the toolset `default`."""


def names(entries: Mapping[str, Entry]) -> list[str]:
    """Every name that a toolset may have: the two of ours, then the families."""
    return [ALL, SHORT, *sorted({entry.family for entry in entries.values()})]


def chosen(entries: Mapping[str, Entry], selection: Selection, otherwise: str = SHORT) -> dict[str, Entry]:
    """The tools of a selection, in the catalogue's order.

    Args:
        otherwise: The toolset that counts when nothing was said.
    Raises: ConfigurationError for a name that does not exist; it lists those that do.
    """
    refuse_unknown(selection.toolsets or (), names(entries), "toolset")
    refuse_unknown((*selection.tools, *selection.without), list(entries), "tool")
    toolsets = (selection.toolsets or ()) if selection.said else (otherwise,)
    return {
        name: entry
        for name, entry in entries.items()
        if name not in selection.without and (name in selection.tools or any(within(entry, each) for each in toolsets))
    }


def within(entry: Entry, toolset: str) -> bool:
    """Whether a tool belongs to a toolset."""
    return toolset in {ALL, entry.family} or (toolset == SHORT and entry.ability.name in DEFAULT)


def refuse_unknown(asked: Iterable[str], known: list[str], what: str) -> None:
    """Raises: ConfigurationError for the first name that is not known, and lists the toolsets, or tools like it."""
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
            told = known if what == "toolset" else near
            raise ConfigurationError(
                f"There is no {what} {name[:64]!a}.",
                advice=f"{what.capitalize()}s are: {', '.join(told)}" if told else TOOLS,
            )


def offered(
    entries: Mapping[str, Entry], environment: Selection, flags: Selection, otherwise: str = SHORT
) -> dict[str, Entry]:
    """The tools of a process: what the environment asks for, and of that what the flags ask for.

    Raises: ConfigurationError for an unknown name, or flags that ask for more than the environment.
    """
    wide = chosen(entries, environment, ALL if flags.said else otherwise)
    narrow = chosen(entries, flags, ALL)
    if flags.said and (more := sorted(narrow.keys() - wide.keys() - set(environment.without))):
        raise ConfigurationError(
            f"The flags ask for {more[0]}, which the environment does not offer; flags only tighten.",
            advice="Narrow --toolsets or --tools, or have MOLECULE_MCP_TOOLSETS changed where the host sets it.",
        )
    return {name: entry for name, entry in wide.items() if name in narrow}


def missing(name: str, offered: Iterable[str], entries: Mapping[str, Entry]) -> ArgumentError:
    """What a call of a tool that is not offered is answered: how a person gets it, why none is, or names like it."""
    if name in entries:
        return ArgumentError(
            f"{name} is not offered here.",
            advice=f"A person adds it and restarts the server: --tools {name} on top of the toolsets, or "
            f"--toolsets {entries[name].family}.",
        )
    if name in omitted():
        return ArgumentError(f"No tool does {name}, on purpose: {omitted()[name]}.")
    near = difflib.get_close_matches(name, list(offered), n=3, cutoff=ALIKE)
    return ArgumentError("There is no such tool.", advice=f"Did you mean: {', '.join(near)}" if near else LISTED)


LISTED = "tools/list shows those there are; on the command line `molecule-mcp tools`."
ALIKE = 0.7
"""How much of a name must agree with another for it to be a slip of the pen."""

TELLING = frozenset({"advice", "findings", "note", "notes", "why"})
"""Fields of answers and errors that say in our words what to do next."""


def unoffered(told: Mapping[str, Any], offered: Container[str], entries: Mapping[str, Entry]) -> str:
    """How a person gets the tools that an answer or an error sends its reader to and that are not offered; or "".

    What stands in quotes was written by others and counts for nothing.
    """
    own = [told["message"]] if told.get("error") == ArgumentError.code else []
    said = " ".join(QUOTED.sub("", text) for text in (*own, *told_in(told)))
    words = dict.fromkeys(NAME.findall(said))
    named = [word for word in words if word in entries and word not in offered and f"--tools {word}" not in said]
    if not named:
        return ""
    are = "is" if len(named) == 1 else "are"
    added = " ".join(f"--tools {name}" for name in named)
    return f"{', '.join(named)} {are} not offered here; a person adds {'it' if are == 'is' else 'them'}: {added}"


NAME = re.compile("[a-z]+(?:_[a-z]+)+")
QUOTED = re.compile('".*"', re.DOTALL)
"""From the first mark to the last: what is quoted may hold marks itself."""


def told_in(value: Any, field: str = "") -> Iterator[str]:
    """The texts of the telling fields, however deep; a table's rows hold none."""
    if isinstance(value, Mapping):
        for name, part in cast("Mapping[str, Any]", value).items():
            yield from told_in(part, name)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            if isinstance(part, dict) or field in TELLING:
                yield from told_in(part, field)
    elif isinstance(value, str) and field in TELLING:
        yield value
