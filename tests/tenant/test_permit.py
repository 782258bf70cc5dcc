"""What changes, and what a permit starts with."""

import pytest
from tests.contract.contract import operations
from tests.tenant.making import changes

from molecule_mcp.tenant import Exchange, Permit, changing


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GETS", "get"])
def test_whatever_is_not_plainly_a_read_changes(method: str) -> None:
    assert changing(f"{method} /workspaces/{{id}}")


def test_every_get_that_the_contract_calls_no_read_changes_and_no_other() -> None:
    """Contract-defined: one GET denies old approval requests, another mints a token."""
    gets = [each for each in operations().values() if each.route.startswith("GET ")]
    assert [each.route for each in gets if changing(each.route) == each.read_only] == []


def test_a_request_knows_its_template() -> None:
    assert changes("DELETE /workspaces/{id}", "/workspaces/x").template == "/workspaces/{id}"


def test_two_permits_share_nothing() -> None:
    one, other = Permit(frozenset()), Permit(frozenset())
    one.exchanges.append(Exchange("GET /x", "/x", 200, False))
    assert other.exchanges == []
