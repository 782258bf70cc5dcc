"""Boot consoles, and what is masked in them."""

from typing import Any

import pytest
from tests.road.rig import Rig, can_ask, refused

from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Done
from molecule_mcp.tools.console import MASK, masked


async def console(road: Road, **given: Any) -> dict[str, Any]:
    """What the tool answers."""
    outcome = await road.call(can_ask(), "get_workspace_console", given)
    assert isinstance(outcome, Done)
    return outcome.structured


async def test_the_end_of_a_console_is_shown_without_what_may_be_a_secret(hosted: Road) -> None:
    chief = sample_id("workspaces", "chief")
    told = await console(hosted, workspace_id=chief)
    assert chief in told["text"]
    assert f"MOLECULE_WORKSPACE_TOKEN={MASK}" in told["text"]
    assert (told["masked"], told["cut"]) == (1, False)
    told = await console(hosted, workspace_id=chief, limit=10)
    assert (len(told["text"]), told["cut"]) == (10, True)


async def test_a_tenant_without_consoles_says_so_and_that_nothing_is_at_fault(rig: Rig) -> None:
    call = rig.road().call(can_ask(), "get_workspace_console", {"workspace_id": rig.named("Chief of Staff")})
    error = await refused(call)
    assert "only hosted ones" in error.message
    assert "diagnose_workspace" in str(error.advice)


@pytest.mark.parametrize(
    "text",
    [
        "API_KEY=abc123",
        "export DB_PASSWORD = 'two words'",
        '{"client_secret": "a, b", "x": 1}',
        "Authorization: Bearer abc.def",
        "postgres://user:hunter2@db/app",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE never ends",
        "key is 0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_what_may_be_a_secret_is_masked(text: str) -> None:
    safe, count = masked(text)
    assert count == 1
    assert MASK in safe
    assert not any(part in safe for part in ("abc", "two words", "a, b", "hunter2", "MIIE", "01234"))


@pytest.mark.parametrize(
    "text",
    [
        "[    0.000000] Linux version 6.1",
        "runtime: workspace 6f9d7a52-5d3c-4b5e-9a53-0d1d6f3c8a10 is up",
        "pulling https://registry.example/app:4.0.0",
        "-" * 80,
        "antidisestablishmentarianismandmoreletters",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert masked(text) == (text, 0)
