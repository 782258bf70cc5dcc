"""What the tenant answers, in our own words: what is known of a change, what to try next, and nothing dangerous."""

import json
from typing import Any

import pytest

from molecule_mcp.tenant.translate import Answer, media_type, refusal, waits, whole

CODED = {"error": "platform datastore unavailable", "code": "platform_unavailable"}


def answered(status: int, value: Any = None, body: bytes | None = None, retry_after: str | None = None) -> Answer:
    """An answer with a JSON body, or with this very one."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Answer(status, headers, json.dumps(value).encode() if body is None else body)


@pytest.mark.parametrize(
    ("status", "sent", "outcome"),
    [
        (400, True, "nothing changed"),
        (401, True, "nothing changed"),
        (404, True, "nothing changed"),
        (409, True, "nothing changed"),
        (429, True, "nothing changed"),
        (101, "unknown", "Whether it happened is unknown"),
        (301, "unknown", "Whether it happened is unknown"),
        (303, "unknown", "Whether it happened is unknown"),
        (500, "unknown", "Whether it happened is unknown"),
        (502, "unknown", "Whether it happened is unknown"),
        (503, "unknown", "Whether it happened is unknown"),
        (504, "unknown", "Whether it happened is unknown"),
    ],
)
def test_a_refused_change_says_whether_it_may_have_happened(status: int, sent: Any, outcome: str) -> None:
    error = refusal(answered(status, {"error": "no"}), changing=True)
    assert error.sent == sent
    assert outcome in error.message
    assert error.told()["status"] == status


def test_the_503_that_comes_before_any_handler_changed_nothing() -> None:
    error = refusal(answered(503, CODED), changing=True)
    assert error.sent is True
    assert "nothing changed" in error.message
    assert "wait a minute" in str(error.advice)


@pytest.mark.parametrize(
    "answer",
    [
        answered(400, {"error": "invalid JSON"}),
        answered(401, {"error": "no"}),
        answered(404, {"error": "workspace not found"}),
        answered(409, {"error": "no"}),
        answered(429, {"error": "rate limit exceeded", "retry_after": 7}),
        answered(429, {"error": "rate limit exceeded"}, retry_after="7"),
        answered(429, ["retry_after"], retry_after="7"),
        answered(503, CODED, retry_after="7"),
        answered(302, {"error": "no"}),
        answered(500, {"error": "no"}),
    ],
)
def test_an_error_that_may_be_an_agents_leaves_open_what_the_agent_did_and_is_not_waited_out(answer: Answer) -> None:
    error = refusal(answer, changing=True, relayed=True)
    assert (error.sent, error.status, waits(answer, relayed=True)) == ("unknown", answer.status, None)
    assert "may be the agent's own" in error.message
    assert "changed" not in error.message
    assert "list_activity" in str(error.advice)


def test_the_rate_limits_own_answer_is_told_from_an_agents_by_its_header() -> None:
    limited = answered(429, {"error": "rate limit exceeded", "retry_after": 7}, retry_after="7")
    error = refusal(limited, changing=True, relayed=True)
    assert (error.sent, waits(limited, relayed=True)) == (True, 7.0)
    assert "nothing changed" in error.message


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_a_refused_read_was_never_a_change(status: int) -> None:
    error = refusal(answered(status, {"error": "no"}), changing=False)
    assert error.sent is False
    assert error.message.endswith(".")
    assert "happened" not in error.message


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "arguments"), (401, "key is wrong"), (402, "budget"), (403, "organization key"), (404, "List again"),
        (409, "present state"), (422, "arguments"), (429, "wait a minute"), (500, "fault in the tenant"),
        (502, "fault in the tenant"), (503, "fault in the tenant"), (504, "fault in the tenant"),
    ],
)  # fmt: skip
def test_every_status_of_the_contract_has_advice_of_its_own(status: int, word: str) -> None:
    assert word in str(refusal(answered(status, {"error": "no"}), changing=False).advice)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (answered(404, body=b""), "MOLECULE_ORG_ID"),
        (answered(403, body=b""), "does not let"),
        (answered(503, CODED), "database is not reachable"),
        (answered(401, {"error": "invalid admin auth token"}), "molecule-mcp doctor"),
        (answered(302), "MOLECULE_API_URL"),
        (answered(418), "Read the present state"),
    ],
)
def test_an_odd_answer_has_advice_that_fits(answer: Answer, advice: str) -> None:
    assert advice in str(refusal(answer, changing=False).advice)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answered(400, {"error": "name is required."}), "The tenant answered 400: name is required."),
        (answered(400, {"error": 7}), "The tenant answered 400: no reason given."),
        (answered(400, {"error": ""}), "The tenant answered 400: no reason given."),
        (answered(400, ["x"]), "The tenant answered 400: no reason given."),
        (answered(404, body=b"404 page not found"), "The tenant answered 404: no reason given."),
        (answered(500, body=b"\xff\xfe"), "The tenant answered 500: no reason given."),
        (answered(500, body=b"[" * 100_000), "The tenant answered 500: no reason given."),
        (answered(300), "The tenant answered 300: a redirect, which is not followed."),
        (answered(307, {"error": "ignored"}), "The tenant answered 307: a redirect, which is not followed."),
        (answered(101, {"error": "ignored"}), "The tenant answered 101: no final answer."),
    ],
)
def test_the_reason_is_the_tenants_own_when_it_gives_one(answer: Answer, text: str) -> None:
    assert refusal(answer, changing=False).message == text


def test_the_tenants_reason_is_cut_and_cannot_steer_a_terminal() -> None:
    said = "a\x1b[2J\u202eb\u200b\u2028c\r\n\td\U000e0041" + "x" * 1000
    message = refusal(answered(400, {"error": said}), changing=False).message
    assert message.startswith("The tenant answered 400: a [2J b c d x")
    assert message.isprintable()
    assert refusal(answered(400, {"error": "x" * 999}), changing=False).message.count("x") == 300


def test_the_parsed_body_stays_at_hand_for_the_tool() -> None:
    """Tenant-defined: a refused delete lists the children."""
    assert refusal(answered(409, {"error": "no", "children": ["x"]}), changing=True).body["children"] == ["x"]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (answered(429, retry_after="7"), 7.0),
        (answered(429, retry_after="0"), 0.0),
        (answered(429), 1.0),
        (answered(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 1.0),
        (answered(429, retry_after="9" * 5000), 1.0),
        (answered(503, CODED), 1.0),
        (answered(503, CODED, retry_after="3"), 3.0),
        (answered(503, {"error": "waking"}, retry_after="15"), None),
        (answered(503, ["platform_unavailable"]), None),
        (answered(503, body=b"<html>"), None),
        (answered(500, CODED), None),
        (answered(200), None),
    ],
)
def test_only_what_comes_before_the_handler_asks_to_wait(answer: Answer, seconds: float | None) -> None:
    assert waits(answer) == seconds


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "unlimited", "\u0661", " 1", "1" * 10, "1\n"])
def test_only_a_plain_whole_number_of_sane_size_is_taken_from_a_header(text: str | None) -> None:
    assert whole(text) is None


def test_a_plain_whole_number_is_taken_from_a_header() -> None:
    assert whole("600") == 600


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, ""),
        ({"content-type": " Application/JSON ;charset=utf-8"}, "application/json"),
        ({"content-type": "x"}, "x"),
    ],
)
def test_what_an_answer_says_it_is_is_compared_without_its_parameters(headers: dict[str, str], kind: str) -> None:
    assert media_type(headers) == kind
