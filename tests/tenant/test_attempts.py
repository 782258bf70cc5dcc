"""What may be sent again, how soon, and what is said of what may not."""

from typing import Any

import httpx
import pytest

from molecule_mcp.errors import TenantUnreachable
from molecule_mcp.tenant import Answer
from molecule_mcp.tenant.attempts import ATTEMPTS, Progress, backoff

CODED = b'{"code":"platform_unavailable"}'


@pytest.mark.parametrize(
    ("error", "sent", "why"),
    [
        (httpx.ConnectError("10.0.0.1"), False, "no connection"),
        (httpx.ConnectTimeout("10.0.0.1"), False, "no connection in time"),
        (httpx.PoolTimeout("10.0.0.1"), False, "too many calls at once"),
        (httpx.ReadTimeout("10.0.0.1"), "unknown", "silence"),
        (httpx.WriteTimeout("10.0.0.1"), "unknown", "it took no data"),
        (httpx.ReadError("10.0.0.1"), "unknown", "the connection broke"),
        (httpx.RemoteProtocolError("10.0.0.1"), "unknown", "the connection broke"),
        (OSError("10.0.0.1"), "unknown", "the connection broke"),
    ],
)
def test_a_change_that_broke_is_never_sent_again(error: Exception, sent: Any, why: str) -> None:
    with pytest.raises(TenantUnreachable) as lost:
        Progress(changing=True, left=True).broke(error)
    assert lost.value.sent == sent
    assert lost.value.message == f"The tenant did not answer: {why}."
    assert ("read the present state" in str(lost.value.advice)) == (sent == "unknown")


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ReadError("x"), httpx.ConnectTimeout("x"), OSError()])
def test_a_read_that_broke_is_tried_three_times_at_growing_distance(error: Exception) -> None:
    progress = Progress(changing=False, left=True)
    assert 0.25 <= progress.broke(error) <= 0.5
    assert 0.5 <= progress.broke(error) <= 1.0
    with pytest.raises(TenantUnreachable) as lost:
        progress.broke(error)
    assert lost.value.sent is False
    assert progress.failures == ATTEMPTS


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.WriteTimeout("x")])
def test_a_read_met_with_silence_is_not_tried_again(error: Exception) -> None:
    with pytest.raises(TenantUnreachable) as lost:
        Progress(changing=False, left=True).broke(error)
    assert lost.value.sent is False


@pytest.mark.parametrize("status", [502, 504])
def test_a_read_that_did_not_reach_the_tenant_is_tried_three_times(status: int) -> None:
    progress = Progress(changing=False)
    assert progress.answered(Answer(status, {}, b"")) is not None
    assert progress.answered(Answer(status, {}, b"")) is not None
    assert progress.answered(Answer(status, {}, b"")) is None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 409])
def test_a_change_that_was_answered_is_not_sent_again(status: int) -> None:
    assert Progress(changing=True).answered(Answer(status, {}, b"")) is None


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500, 503])
def test_a_read_that_was_answered_is_not_sent_again(status: int) -> None:
    assert Progress(changing=False).answered(Answer(status, {}, b"")) is None


@pytest.mark.parametrize("changing", [True, False])
@pytest.mark.parametrize(("status", "body"), [(429, b""), (503, CODED)])
def test_what_was_turned_away_before_the_handler_is_asked_again(changing: bool, status: int, body: bytes) -> None:
    pause = Progress(changing).answered(Answer(status, {"retry-after": "5"}, body))
    assert pause is not None
    assert 5.0 <= pause <= 5.5


@pytest.mark.parametrize(("status", "body"), [(429, b'{"error":"x","retry_after":5}'), (503, CODED)])
def test_an_agent_that_claims_to_have_been_turned_away_is_not_told_again(status: int, body: bytes) -> None:
    assert Progress(changing=True, relayed=True).answered(Answer(status, {}, body)) is None


def test_a_tenant_that_asks_for_no_pause_is_not_hammered() -> None:
    progress = Progress(changing=False)
    pauses = [progress.answered(Answer(429, {"retry-after": "0"}, b"")) or 0.0 for _ in range(8)]
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0 <= pauses[2] <= 2.0
    assert sum(pauses) > 60


def test_waits_grow_so_that_callers_do_not_come_back_together() -> None:
    assert {backoff(1) for _ in range(9)} != {backoff(1)}
    assert all(1.0 <= backoff(3) <= 2.0 for _ in range(99))
