"""A read that fails after a change."""

import pytest

from molecule_mcp.errors import ArgumentError, TenantRefused, TenantUnreadable
from molecule_mcp.tools.readback import reading_back


def test_a_read_that_fails_after_a_change_says_that_the_change_was_sent() -> None:
    with pytest.raises(TenantUnreadable, match=r"accepted it; reading back failed: gone") as failed, reading_back():
        raise TenantRefused(404, "gone")
    assert failed.value.sent is True


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(ArgumentError), reading_back():
        raise ArgumentError("x")
