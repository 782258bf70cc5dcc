"""Who may use the HTTP doors: bearers from a private file, compared by digest in constant time.

A line is `NAME TOKEN`. These are keys to this server only: the caller's bearer is never sent on to the tenant.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.store import files

LINE = re.compile(r"([a-z0-9][a-z0-9_-]{0,31})[ \t]+([A-Za-z0-9_~.+/=-]{32,256})")


@dataclass(frozen=True)
class Bearers:
    """Names by the SHA-256 of their token; the tokens themselves are not kept."""

    digests: dict[bytes, str]

    def name(self, header: str) -> str | None:
        """Whose token an Authorization header holds, or None."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        given = hashlib.sha256(token.strip().encode()).digest()
        found: str | None = None
        for digest, name in self.digests.items():
            # Every one is compared, so that time tells nothing.
            found = name if hmac.compare_digest(digest, given) else found
        return found


def first_start(path: Path) -> bool:
    """Write a bearer of its own into a new file of mode 0600. Returns whether it was made now."""
    files.own_folder(path.parent)
    return files.create(path, f"local {secrets.token_urlsafe(32)}\n".encode())


def load(path: Path) -> Bearers:
    """Read a bearer file.

    Raises: ConfigurationError when it is missing, readable by others, empty, or a line is not NAME TOKEN.
    """
    text = files.read(path)
    if text is None:
        raise ConfigurationError(f"There is no bearer file {path}.", advice="Each line is: NAME TOKEN")
    digests: dict[bytes, str] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise ConfigurationError(
                f"{path}, line {number}: not NAME TOKEN", advice="A token has at least 32 characters; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )  # fmt: skip
        digests[hashlib.sha256(found[2].encode()).digest()] = found[1]
    if not digests:
        raise ConfigurationError(f"{path} holds no bearer.", advice="Each line is: NAME TOKEN")
    return Bearers(digests)
