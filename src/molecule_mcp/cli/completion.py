"""`molecule-mcp completion SHELL`: a script that lets a shell complete commands, flags, tools and toolsets.

All of it stands in the script: no key press starts this program, so an upgrade wants it made anew.
"""

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any, cast

import shtab

from molecule_mcp import toolsets
from molecule_mcp.cli.parsing import parser
from molecule_mcp.prepared import entries
from molecule_mcp.settings import LOG_LEVELS, ROLES


def run(arguments: Namespace) -> int:
    """Print the script."""
    top = parser()
    known = candidates()
    for action in actions(top):
        for name in (*action.option_strings, action.metavar):
            if name in known:
                action.complete = known[name]  # pyright: ignore[reportAttributeAccessIssue] - where shtab looks for it
    print(shtab.complete(top, arguments.shell))
    return 0


def candidates() -> dict[Any, Any]:
    """What may stand for an argument, by its flag or else its metavar, as shtab takes it."""
    tools = listed(list(entries()))
    return {
        "TOOL": words(list(entries())),
        "--toolsets": listed(toolsets.names(entries())),
        "--tools": tools,
        "--exclude-tools": tools,
        "ROLE": words(ROLES),
        "LEVEL": words(LOG_LEVELS),
        "FILE": shtab.FILE,
        "DIR": shtab.DIRECTORY,
    }


def words(names: Sequence[str]) -> dict[str, Any]:
    """One of these names.

    They are no choices of argparse's: a name that is none is refused by the program itself, which says more.
    """
    function, spaced = f"_molecule_mcp_{names[0].lower()}_or_another", " ".join(names)
    script = f'{function}() {{\n  compgen -W "{spaced}" -- "$1"\n}}'
    return {"bash": function, "zsh": f"({spaced})", "fish": spaced, "preamble": {"bash": script}}


def listed(names: Sequence[str]) -> dict[str, Any]:
    """Any of these names, separated by commas; what stands before the last comma stays as it was typed."""
    function, spaced = f"_molecule_mcp_list_of_{names[0].lower()}", " ".join(names)
    bash = f"""{function}() {{
  local typed=""
  [[ $1 == *,* ]] && typed="${{1%,*}},"
  compgen -P "$typed" -W "{spaced}" -- "${{1##*,}}"
}}"""
    fish = f"function {function}\n  printf '%s\\n' {spaced}\nend"
    return {
        "bash": function,
        "zsh": f"_values -s , name {spaced}",
        "fish": f"(__fish_complete_list , {function})",
        "preamble": {"bash": bash, "fish": fish},
    }


def actions(of: ArgumentParser) -> Iterator[Action]:
    """Every argument of a parser, and of the commands below it."""
    for action in of._actions:  # pyright: ignore[reportPrivateUsage] - argparse has no public way to them
        yield action
        choices: Any = action.choices
        if isinstance(choices, dict):
            for below in cast(dict[str, ArgumentParser], choices).values():
                yield from actions(below)
