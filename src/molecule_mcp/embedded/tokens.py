"""Workspace tokens and organization keys: 43 base64url characters, shown once, stored as SHA-256 only."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.instance import Instance

TOKEN_BYTES = 32
PREFIX_LENGTH = 8


@dataclass(frozen=True)
class Minted:
    """A fresh credential; the only place that ever holds its plaintext."""

    id: str
    plaintext: str

    @property
    def prefix(self) -> str:
        """The part that lists show."""
        return self.plaintext[:PREFIX_LENGTH]


def digest(token: str) -> str:
    """What is stored in place of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def mint_workspace_token(instance: Instance, workspace_id: str) -> Minted:
    """Issue a token of one workspace.

    Raises:
        StorageError: No such workspace.
    """
    minted = Minted(instance.new_id(), secrets.token_urlsafe(TOKEN_BYTES))
    instance.db.insert(
        "workspace_tokens",
        id=minted.id,
        workspace_id=workspace_id,
        digest=digest(minted.plaintext),
        prefix=minted.prefix,
        created_at=instance.stamp(),
    )
    return minted


def mint_org_key(instance: Instance, name: str | None, *, by: str, org_id: str | None = None) -> Minted:
    """Issue an organization key; `by` is who asked for it."""
    minted = Minted(instance.new_id(), secrets.token_urlsafe(TOKEN_BYTES))
    instance.db.insert(
        "org_tokens",
        id=minted.id,
        digest=digest(minted.plaintext),
        prefix=minted.prefix,
        name=name,
        org_id=org_id,
        created_by=by,
        created_at=instance.stamp(),
    )
    return minted


def any_live(db: Database) -> bool:
    """Whether any workspace token is not revoked; tokens of removed workspaces count."""
    return db.row("SELECT 1 FROM workspace_tokens WHERE revoked_at IS NULL LIMIT 1") is not None


def live_count(db: Database, workspace_id: str) -> int:
    """How many tokens of a workspace are not revoked."""
    sql = "SELECT count(*) FROM workspace_tokens WHERE workspace_id = ? AND revoked_at IS NULL"
    return db.rows(sql, workspace_id)[0][0]


def use_org_key(instance: Instance, token: str) -> sqlite3.Row | None:
    """The live key that a token is, marked as used now; else None."""
    found = instance.db.row("SELECT * FROM org_tokens WHERE digest = ? AND revoked_at IS NULL", digest(token))
    if found is not None:
        instance.db.run("UPDATE org_tokens SET last_used_at = ? WHERE id = ?", instance.stamp(), found["id"])
    return found


def use_workspace_token(instance: Instance, token: str, workspace_id: str | None = None) -> bool:
    """Whether a token is live, and of that workspace if one is named; marks it as used now."""
    found = instance.db.row(
        "SELECT t.id, t.workspace_id FROM workspace_tokens t JOIN workspaces w ON w.id = t.workspace_id "
        "WHERE t.digest = ? AND t.revoked_at IS NULL AND w.status != 'removed'",
        digest(token),
    )
    if found is None or workspace_id not in {None, found["workspace_id"]}:
        return False
    instance.db.run("UPDATE workspace_tokens SET last_used_at = ? WHERE id = ?", instance.stamp(), found["id"])
    return True


def revoke_all(instance: Instance, workspace_id: str) -> None:
    """Revoke every live token of a workspace."""
    instance.db.run(
        "UPDATE workspace_tokens SET revoked_at = ? WHERE workspace_id = ? AND revoked_at IS NULL",
        instance.stamp(),
        workspace_id,
    )
