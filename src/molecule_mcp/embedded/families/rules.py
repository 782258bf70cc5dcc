"""What names, texts and directories of a workspace may look like."""

from typing import Any

from molecule_mcp.embedded.bodies import BadBody, number

NAME_BYTES = 255
ROLE_BYTES = 1000
RUNTIME_BYTES = 100
MODEL_BYTES = 100
LINE_BREAKS = frozenset("\n\r")
FORBIDDEN = LINE_BREAKS | frozenset("{}[]|>*&!")
SYSTEM_DIRECTORIES = ("/etc", "/var", "/proc", "/sys", "/dev", "/boot", "/sbin", "/bin", "/lib", "/usr")


INT32 = 2**31


def int32(value: Any) -> int:
    """A whole number that an integer column of the tenant holds."""
    given = number(value)
    if given != int(given) or not -INT32 <= given < INT32:
        raise BadBody("no 32-bit integer")
    return int(given)


def fits(text: str, limit: int, forbidden: frozenset[str]) -> bool:
    """Whether a text has at most that many bytes and none of those characters."""
    return len(text.encode()) <= limit and not set(text) & forbidden


def allowed_directory(path: str) -> bool:
    """Whether a host path may be mounted: absolute, without "..", in no system directory."""
    if not path.startswith("/") or ".." in path:
        return False
    clean = "/" + "/".join(part for part in path.split("/") if part not in {"", "."})
    return not any(clean == system or clean.startswith(system + "/") for system in SYSTEM_DIRECTORIES)
