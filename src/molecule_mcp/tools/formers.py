"""What a change overwrites: kept before it is sent, and named in every error that comes after.

An answer is cleaned and masked, and may be lost; so a text in it is no copy of what stood there.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import MoleculeError
from molecule_mcp.secrets import Outputs
from molecule_mcp.tools.texts import written

KIND = "former"
"""What files of former values are called."""


def keep(outputs: Outputs, identifier: str, former: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Keep former values as they were read, neither cleaned nor masked, in a private file of JSON.

    Args:
        identifier: Part of the file's name.
        new: What takes their place; a value that stays is not kept.
    Returns: Its path, None when nothing is lost.
    Raises: StoreError, with nothing sent.
    """
    # Compared as JSON, where 1 is not true.
    lost = {name: value for name, value in former.items() if name not in new or written(value) != written(new[name])}
    if not lost:
        return None
    outputs.ready()
    return outputs.keep(KIND, identifier, written(lost))


@contextmanager
def naming(where: str | None = None, **former: Any) -> Generator[None]:
    """Around a send that overwrites and all that follows it.

    Args:
        where: The file that `keep` wrote, if any; told as `former_file`.
        former: Short former values, by the names that the tool's answer has for them.
    Raises: what is raised inside; if something may have left, with these among its details.
    """
    try:
        yield
    except MoleculeError as error:
        if error.sent is not False:
            error.details |= clean_data(former) | ({"former_file": where} if where else {})
        raise
