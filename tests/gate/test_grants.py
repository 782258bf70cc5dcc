"""What is a yes, and what only looks like one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from molecule_mcp.gate import grants
from molecule_mcp.store.forms import ALPHABET, fingerprint
from molecule_mcp.store.records import Grant, Plan, Question, Step

SECRET = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = SECRET.public_key().public_bytes_raw()
AT = 1001.5


def plan() -> Plan:
    drawn = Plan(
        id="0" * 32,
        code="7F3K-92QD",
        tool="decide_approval",
        family="approvals",
        arguments={"approval_id": "a1"},
        binding="b",
        risk="destroy",
        principal="local",
        profile="default",
        origin="https://tenant.example",
        question=Question(("Decide 1 approval (destroy)",), ("approve", "deny", "leave"), None),
        steps=(Step("approve", 0, {"decision": "approved"}, "POST", "/w/1/approvals/a1/decide", "d1", {"id": "a1"}),),
        created=1000.0,
        expires=1600.0,
        digest="",
    )
    return replace(drawn, digest=grants.digest(drawn))


def signed(plan: Plan, answer: str = "approve", key: Ed25519PrivateKey = SECRET) -> Grant:
    signature = key.sign(grants.message(plan.digest, answer, AT)).hex()
    return Grant("human", answer, AT, signature, fingerprint(key.public_key().public_bytes_raw()))


def test_the_approvers_signature_over_plan_answer_and_time_is_a_yes() -> None:
    assert grants.verify(PUBLIC, plan(), signed(plan())) is True


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "client_attested"},
        {"kind": "operator"},
        {"kind": "none"},
        {"answer": "deny"},
        {"at": AT + 0.001},
        {"signature": ""},
        {"signature": "zz"},
        {"signature": "00" * 64},
        {"signed_by": ""},
    ],
)
def test_a_grant_with_anything_changed_is_no_yes(changed: dict[str, Any]) -> None:
    assert grants.verify(PUBLIC, plan(), replace(signed(plan()), **changed)) is False


def changes() -> list[Callable[[Plan], Plan]]:
    """One change of every field of a plan."""

    def of(name: str, value: object) -> Callable[[Plan], Plan]:
        return lambda plan: replace(plan, **{name: value})

    step = plan().steps[0]
    return [
        of("id", "1" * 32),
        of("code", "0000-0000"),
        of("tool", "other"),
        of("family", "other"),
        of("arguments", {"approval_id": "a2"}),
        of("binding", "other"),
        of("risk", "write"),
        of("principal", "other"),
        of("profile", "other"),
        of("origin", "https://other.example"),
        of("question", Question(("Other",), ("approve", "deny", "leave"), None)),
        of("steps", (replace(step, path="/w/2/approvals/a1/decide"),)),
        of("steps", (step, replace(step, index=1))),
        of("created", 999.0),
        of("expires", 9999.0),
        of("digest", "0" * 64),
    ]


@pytest.mark.parametrize("change", changes())
def test_a_yes_to_one_plan_is_none_to_a_changed_one(change: Callable[[Plan], Plan]) -> None:
    changed = change(plan())
    assert changed != plan()
    assert not grants.intact(changed)
    assert not grants.verify(PUBLIC, changed, signed(plan()))


def test_a_yes_to_an_answer_that_was_not_offered_is_none() -> None:
    assert grants.verify(PUBLIC, plan(), signed(plan(), "allow")) is False


def test_anothers_signature_is_no_yes() -> None:
    other = Ed25519PrivateKey.generate()
    assert not grants.verify(PUBLIC, plan(), signed(plan(), key=other))
    assert not grants.verify(PUBLIC, plan(), replace(signed(plan(), key=other), signed_by=fingerprint(PUBLIC)))


def test_bytes_that_are_no_key_verify_nothing() -> None:
    assert not grants.verify(b"short", plan(), replace(signed(plan()), signed_by=fingerprint(b"short")))


def test_a_message_is_ours_alone_and_one_per_plan_answer_and_time() -> None:
    assert grants.message("ab", "approve", 5) == b'["molecule-mcp grant 1","ab","approve",5.0]'
    assert grants.message('a","b', "c", 5) != grants.message("a", 'b","c', 5)


def test_a_code_is_eight_characters_that_nobody_misreads() -> None:
    codes = {grants.code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        first, second = code.split("-")
        assert len(first) == len(second) == 4
        assert set(first + second) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)
