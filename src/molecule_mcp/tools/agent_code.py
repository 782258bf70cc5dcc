"""Files that an agent does not only read: it loads or runs them, so writing one installs code.

Source: install_plugin, which puts plugins, hooks and skills below /configs; a file written there has the same effect.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from molecule_mcp.capability import Fact, exactly
from molecule_mcp.cleaning import clean
from molecule_mcp.tenant import Tenant

FACT = "installs_code"
"""The live fact that the paths of a call decide, see tests/contract/risks.toml."""
FOLDERS = {"plugins", "hooks"}
"""Everything in them is loaded."""
PROGRAM = re.compile(
    r".*\.(?:py[wcoz]?|(?:ba|z|fi|k)?sh|[mc]?[jt]s|[jt]sx|rb|pl|php|lua|ps1|bat|cmd|exe|so|dll|dylib|jar|wasm)"
)
"""Names of programs and scripts."""
SERVERS = re.compile(r"(?:.*[^a-z0-9])?mcp(?:[^a-z0-9].*|servers.*)?")
"""A folder or file about MCP servers, whose commands an agent runs."""


def spelt(path: str) -> list[str]:
    """The parts of a path, however they are written: case, compatible letters, invisible ones, `.` and `//`."""
    plain = clean(unicodedata.normalize("NFKC", path)).casefold().replace("\\", "/")
    return [part.strip() for part in posixpath.normpath(plain).split("/")]


def installs(path: str) -> bool:
    """Whether what stands at this path below /configs is loaded or run by an agent."""
    parts = spelt(path)
    *folders, name = parts
    if any(part.startswith(".") for part in parts) or FOLDERS & set(parts) or PROGRAM.fullmatch(name):
        return True
    if name.endswith(".md"):
        return False
    return name.startswith("settings") or "skills" in folders or any(SERVERS.fullmatch(part) for part in parts)


def installed(paths: Iterable[str]) -> tuple[Fact, ...]:
    """What a person is told of the paths among these that install code."""
    found = tuple(exactly(path) for path in paths if installs(path))
    return (Fact("Loaded or run by the agent, as an installed plugin is", found),) if found else ()


async def brings_code(tenant: Tenant, files: dict[str, str], **_: Any) -> dict[str, bool]:
    """The fact of several files."""
    return {FACT: any(map(installs, files))}
