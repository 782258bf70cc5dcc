"""What a person's yes is made over, and whether a stored yes is really one.

A human grant is an Ed25519 signature over the plan's digest, the answer and the time, so no row in a database and no
text from a tenant is a yes by itself. The other kinds carry no signature; the road knows where they came from.
Pure: no disk, no clock; the key is given.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from molecule_mcp.store.forms import ALPHABET, canonical, fingerprint, plan_fields
from molecule_mcp.store.records import Grant, Plan

_DOMAIN = "molecule-mcp grant 1"
"""Keeps a signature from meaning anything else, should the same key ever sign other things."""


def digest(plan: Plan) -> str:
    """SHA-256 (hex) over every field of a plan but `digest` itself."""
    told = plan_fields(plan)
    del told["digest"]
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def intact(plan: Plan) -> bool:
    """Whether a plan is still the one its digest was made over."""
    return hmac.compare_digest(digest(plan), plan.digest)


def message(plan_digest: str, answer: str, at: float) -> bytes:
    """The exact bytes an approver signs.

    Args:
        at: When, in seconds since the epoch; the grant must carry the same number.
    """
    return canonical([_DOMAIN, plan_digest, answer, float(at)]).encode()


def verify(public_key: bytes, plan: Plan, grant: Grant) -> bool:
    """Whether a human grant is a signature by this key (32 raw bytes) over this very plan and one of its answers.

    False for every other kind: those cannot be verified, only believed.
    """
    if grant.kind != "human" or grant.signed_by != fingerprint(public_key):
        return False
    if not intact(plan) or grant.answer not in plan.question.answers:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(bytes.fromhex(grant.signature), message(plan.digest, grant.answer, grant.at))
    except (InvalidSignature, ValueError):
        return False
    return True


def code() -> str:
    """A new code a person can type: eight characters, 40 bits, "7F3K-92QD"."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"
