"""One call that succeeds on the sample organization for every tool: a module per family, each with `CASES` by tool."""

from importlib import import_module
from pkgutil import iter_modules

from tests.calls.cases.case import Case


def cases() -> dict[str, Case]:
    """Every row by tool.

    Raises: ValueError when two families have a row for the same tool.
    """
    found = dict[str, Case]()
    for module in iter_modules(__path__):
        rows: dict[str, Case] = getattr(import_module(f"{__name__}.{module.name}"), "CASES", {})
        if twice := found.keys() & rows.keys():
            raise ValueError(f"two rows for {', '.join(sorted(twice))}")
        found |= rows
    return found
