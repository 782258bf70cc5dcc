"""The approver's key: what a person unlocks with a passphrase to sign a grant.

`approver.json` is public; `approver.key` is the private key (Ed25519), boxed by a key that scrypt makes from the
passphrase. Five wrong passphrases within 15 minutes lock the key for 15 minutes; each try counts as wrong, durably,
until it proves right, so neither a kill nor a second process tries for free.
Limits: a process of the same user can replace these files or copy them and guess elsewhere; the fingerprint and a long
passphrase are what helps then.
"""

import json
import os
import sqlite3
import time
import unicodedata
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from molecule_mcp.errors import ConfigurationError, GateStop
from molecule_mcp.store import files
from molecule_mcp.store.database import BUSY, connect
from molecule_mcp.store.faults import faults
from molecule_mcp.store.forms import canonical, fingerprint

SHORTEST = 8
"""Characters a passphrase must have."""

TRIES = 5
WINDOW = 900.0
"""Seconds in which `TRIES` wrong passphrases lock the key, and seconds it then stays locked."""

_PUBLIC, _PRIVATE, _WRONG = "approver.json", "approver.key", "approver.tries"
_FORM = "molecule-mcp approver 1"

Form = TypeVar("Form")


@dataclass(frozen=True)
class PublicKey:
    """Whose signature is a yes: 32 raw bytes, what a person compares, and when made (seconds since the epoch)."""

    key: bytes
    fingerprint: str
    created: float


class Signer:
    """An unlocked key; it lives only as long as one grant takes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.fingerprint = fingerprint(key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        return self._key.sign(message)


def init(folder: Path, passphrase: str, now: float | None = None) -> str:
    """Make the approver's key pair, and return its fingerprint.

    Args:
        now: Seconds since the epoch; the clock's when None.
    Raises: ConfigurationError when there is one already, or the passphrase is too short.
    """
    if len(passphrase) < SHORTEST:
        raise ConfigurationError(f"the passphrase is shorter than {SHORTEST} characters")
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    told = {"created": time.time() if now is None else now, "fingerprint": fingerprint(public), "key": public.hex()}
    with faults(folder / _PRIVATE):
        files.own_folder(folder)
        if files.own_file(folder / _PUBLIC) or not files.create(
            folder / _PRIVATE, _boxed(key.private_bytes_raw(), passphrase)
        ):
            raise ConfigurationError(
                f"{folder} has an approver already", advice=f"To start anew, move {_PUBLIC} and {_PRIVATE} away."
            )
        files.create(folder / _PUBLIC, canonical(told).encode())
    return fingerprint(public)


def public(folder: Path) -> PublicKey | None:
    """The approver's public key, None when none is set up.

    Raises: ConfigurationError when the file is damaged, a link, another user's or readable by others.
    """
    return _read(folder / _PUBLIC, _public)


def unlock(folder: Path, passphrase: str, now: float | None = None) -> Signer:
    """Open the private key.

    Args:
        now: Seconds since the epoch; the clock's when None.
    Raises:
        GateStop: `no_approver`; `wrong_passphrase` with the tries left; `approver_locked` after too many wrong ones,
            also for the right one.
        ConfigurationError: The files are damaged or do not belong together.
    """
    known = public(folder)
    box = _read(folder / _PRIVATE, _box)
    if known is None or box is None:
        raise GateStop("no_approver", "No approver is set up here.", advice="Run: molecule-mcp approver init")
    with faults(folder / _WRONG), closing(_tries(folder / _WRONG)) as sql:
        left = _count(sql, time.time() if now is None else now)
        try:
            secret = _opened(*box, passphrase)
        except InvalidTag:
            raise GateStop("wrong_passphrase", "The passphrase is wrong.", details={"tries_left": left}) from None
        sql.execute("DELETE FROM wrong")
    signer = Signer(Ed25519PrivateKey.from_private_bytes(secret))
    if signer.fingerprint != known.fingerprint:
        raise ConfigurationError(f"{_PUBLIC} and {_PRIVATE} in {folder} do not belong together")
    return signer


def _public(told: dict[str, Any]) -> PublicKey:
    key = bytes.fromhex(told["key"])
    if fingerprint(key) != told["fingerprint"]:
        raise ValueError
    return PublicKey(key, told["fingerprint"], float(told["created"]))


def _box(told: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    salt, nonce, box = (bytes.fromhex(told[part]) for part in ("salt", "nonce", "box"))
    if len(salt) != 16 or len(nonce) != 12:
        raise ValueError
    return salt, nonce, box


def _boxed(secret: bytes, passphrase: str) -> bytes:
    salt, nonce = os.urandom(16), os.urandom(12)
    box = ChaCha20Poly1305(_stretched(passphrase, salt)).encrypt(nonce, secret, _FORM.encode())
    return canonical({"form": _FORM, "salt": salt.hex(), "nonce": nonce.hex(), "box": box.hex()}).encode()


def _opened(salt: bytes, nonce: bytes, box: bytes, passphrase: str) -> bytes:
    return ChaCha20Poly1305(_stretched(passphrase, salt)).decrypt(nonce, box, _FORM.encode())


def _stretched(passphrase: str, salt: bytes) -> bytes:
    # The same word can be typed in several Unicode forms, and a terminal can hand over bytes that are no characters.
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(typed)


def _read(path: Path, form: Callable[[Any], Form]) -> Form | None:
    with faults(path):
        text = files.read(path)
    try:
        return None if text is None else form(json.loads(text))
    except (ValueError, TypeError, KeyError):
        raise _damaged(path) from None


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path} is damaged", advice="Bring it back from a copy, or move it away and start anew.")


def _tries(path: Path) -> sqlite3.Connection:
    files.own_file(path)
    files.create(path, b"")
    return connect(path, BUSY)


def _count(sql: sqlite3.Connection, now: float) -> int:
    """Count one more wrong try before it is made. Returns how many are left after it.

    Raises: GateStop when the last ones came too fast; a refused try does not count.
    """
    sql.execute("PRAGMA synchronous = FULL")
    sql.execute("BEGIN IMMEDIATE")
    sql.execute("CREATE TABLE IF NOT EXISTS wrong (at REAL NOT NULL)")
    times = [at for (at,) in sql.execute("SELECT at FROM wrong ORDER BY rowid")]
    until = _locked_until(times)
    if now < until:
        raise GateStop(
            "approver_locked",
            "Too many wrong passphrases; the approver's key is locked for a while.",
            advice=f"Try again in {int((until - now) // 60) + 1} minutes.",
        )
    sql.execute("INSERT INTO wrong VALUES (?)", (now,))
    sql.execute("COMMIT")
    return TRIES - 1 - sum(at > now - WINDOW for at in times)


def _locked_until(times: list[float]) -> float:
    last = times[-TRIES:]
    return last[-1] + WINDOW if len(last) == TRIES and last[-1] - last[0] < WINDOW else 0.0
