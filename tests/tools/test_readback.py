"""A read that fails after a change."""

import pytest

from molecule_mcp.errors import ArgumentError, GateStop, MoleculeError, TenantRefused, TenantUnreadable
from molecule_mcp.tools.readback import reading_back


@pytest.mark.parametrize("error", [TenantRefused(404, "gone"), ArgumentError("gone")])
def test_a_read_that_fails_after_a_change_says_that_the_change_was_sent(error: MoleculeError) -> None:
    with pytest.raises(TenantUnreadable, match=r"accepted it; reading back failed: gone") as failed, reading_back():
        raise error
    assert failed.value.sent is True


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(GateStop), reading_back():
        raise GateStop("second_send", "x", sent=True)
