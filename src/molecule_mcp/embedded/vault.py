"""Encrypt secret values at rest with AES-256-GCM.

The key of a file database lies beside it (`NAME.key`, mode 0600); one in memory dies with the process.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class Undecipherable(Exception):
    """A stored value was not written with this key, or was damaged."""


class Vault:
    """Encrypts and decrypts with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: str) -> bytes:
        """Encrypt a text."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value.encode(), None)

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made.

        Raises:
            Undecipherable: It is something else.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError) as damaged:
            raise Undecipherable from damaged


def vault_beside(db: Path | None) -> Vault:
    """The vault of a database file, or a fresh one for a database in memory."""
    if db is None:
        return Vault(os.urandom(KEY_BYTES))
    path = db.with_name(db.name + ".key")
    if not path.exists():
        make_key(path)
    return Vault(path.read_bytes())


def make_key(path: Path) -> None:
    """Make the key file, unless there is one."""
    # A link appears whole or not at all, so that a second process never reads half a key nor replaces one.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(KEY_BYTES))
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
