"""The keyed chain: every change of the store as one record that cannot be changed unseen without the key.

A record's MAC covers its exact stored bytes and the MAC before it; the head (number and MAC of the last record) has a
MAC of its own, so that a cut tail shows. Nothing is added behind a head that does not fit: that would hide the cut.
Limits: whoever can read `chain.key` can write a whole new chain, and an old copy of the whole database is not told
from the present one.
"""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from molecule_mcp.errors import ConfigurationError, StoreError
from molecule_mcp.store import files
from molecule_mcp.store.forms import object_from
from molecule_mcp.store.records import Record

SCHEMA = """
CREATE TABLE chain (seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
                    prev TEXT NOT NULL, mac TEXT NOT NULL);
CREATE TABLE head (seq INTEGER NOT NULL, mac TEXT NOT NULL, seal TEXT NOT NULL);
"""

_SIZE = 32


class Key:
    """The secret beside the database, and the MACs made with it, each of its own domain."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mac(self, domain: str, *parts: bytes) -> str:
        """HMAC-SHA256 (hex) over a domain and parts, each led by its length so that no two lists read the same."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in (domain.encode(), *parts))
        return hmac.digest(self._secret, message, hashlib.sha256).hex()

    @classmethod
    def load(cls, path: Path) -> "Key":
        """The key in a file. Raises ConfigurationError when it is missing, not ours or of another length."""
        secret = files.read(path)
        if secret is None or len(secret) != _SIZE:
            raise ConfigurationError(
                f"{path} is missing or not a key, so the records beside it cannot be checked or continued",
                advice="Bring the key back, or move the whole state folder away to start a new one.",
            )
        return cls(secret)

    @classmethod
    def ensure(cls, path: Path) -> "Key":
        """The key in a file, made first when there is none."""
        if files.own_file(path) is None:
            files.create(path, secrets.token_bytes(_SIZE))
        return cls.load(path)


def begin(sql: sqlite3.Connection, key: Key) -> None:
    """Write the head of an empty chain."""
    sql.execute("INSERT INTO head VALUES (0, '', ?)", (_seal(key, 0, ""),))


def append(sql: sqlite3.Connection, key: Key, at: float, kind: str, body: str) -> None:
    """Add a record, inside the caller's transaction.

    Args:
        body: Canonical JSON of an object, exactly as it is to be stored.
    Raises: StoreError when the head does not fit its MAC.
    """
    seq, prev = _head(sql, key)
    row = (seq + 1, float(at), kind, body, prev)
    mac = _mac(key, row)
    sql.execute("INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)", (*row, mac))
    sql.execute("UPDATE head SET seq = ?, mac = ?, seal = ?", (seq + 1, mac, _seal(key, seq + 1, mac)))


def records(sql: sqlite3.Connection) -> Iterator[Record]:
    """The records, oldest first, one at a time; unchecked."""
    for seq, at, kind, body, prev, mac in sql.execute("SELECT seq, at, kind, body, prev, mac FROM chain ORDER BY seq"):
        yield Record(seq, at, kind, object_from(body), prev, mac)


def newest(sql: sqlite3.Connection, key: Key) -> Iterator[Record]:
    """The records, newest first, each checked before it is told; so what was told is all there was since.

    Raises: StoreError at the first that was changed or is missing.
    """
    wanted, mac = _head(sql, key)
    for seq, *rest in sql.execute("SELECT seq, at, kind, body, prev, mac FROM chain ORDER BY seq DESC"):
        at, kind, body, prev, own = rest
        if seq != wanted or not _same(own, mac) or not _same(own, _mac(key, (seq, *rest[:-1]))):
            break
        yield Record(seq, at, kind, object_from(body), prev, own)
        wanted, mac = seq - 1, prev
    if wanted:
        raise _changed(f"record {wanted} of the audit chain")


def _head(sql: sqlite3.Connection, key: Key) -> tuple[int, str]:
    """The number and the MAC of the last record. Raises StoreError when they do not fit their own MAC."""
    seq, mac, seal = sql.execute("SELECT seq, mac, seal FROM head").fetchone()
    if not _same(seal, _seal(key, seq, mac)):
        raise _changed("the head of the audit chain")
    return seq, mac


def _changed(what: str) -> StoreError:
    return StoreError(f"{what} was changed from outside", advice="Run: molecule-mcp audit verify")


def verify(sql: sqlite3.Connection, key: Key) -> tuple[int, str | None]:
    """Check every record and the head, holding one record at a time.

    Args:
        sql: A connection in a read transaction; its `text_factory` must be bytes, so that any bytes can be read.
    Returns: How many records are good, and what is wrong after those, or None.
    """
    good, last = 0, b""
    for seq, *rest in sql.execute("SELECT seq, at, kind, body, prev, mac FROM chain ORDER BY seq"):
        *_, prev, mac = rest
        if seq != good + 1:
            return good, f"record {good + 1} is missing: after {good} comes {seq}"
        if not _same(mac, _mac(key, (seq, *rest[:-1]))):
            return good, f"record {seq} was changed: it does not fit its MAC"
        if not _same(prev, last):
            return good, f"record {seq} does not follow the one before it"
        good, last = seq, mac
    return good, _wrong_head(sql, key, good, last)


def _wrong_head(sql: sqlite3.Connection, key: Key, good: int, last: bytes) -> str | None:
    heads = sql.execute("SELECT seq, mac, seal FROM head").fetchall()
    if len(heads) != 1 or not _same(heads[0][2], _seal(key, *heads[0][:2])):
        return f"the head after record {good} was changed: it does not fit its MAC"
    seq, mac, _ = heads[0]
    if seq > good:
        return f"record {good + 1} is missing: the head says that there are {seq}"
    if not _same(mac, last):
        return f"record {good} is not the one that the head names"
    return None


def _mac(key: Key, row: tuple[object, ...]) -> str:
    return key.mac("record", *map(_bytes, row))


def _seal(key: Key, seq: object, mac: object) -> str:
    return key.mac("head", _bytes(seq), _bytes(mac))


def _bytes(value: object) -> bytes:
    """What is stored, as bytes. Total, because a changed row can hold anything."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else repr(value).encode()


def _same(one: object, other: object) -> bool:
    return hmac.compare_digest(_bytes(one), _bytes(other))
